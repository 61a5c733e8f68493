"""The tables of a version of the matrix as files, CSV or XLSX, and such a file as rows of text."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Sequence

from openpyxl import Workbook, load_workbook

from coordination.common.workbooks import text_cell
from habilitations.tables import Fault, TableRefused

CSV = "text/csv; charset=utf-8"
LARGEST = 1_000_000
# A matrix is twenty-five lines, the profession table two hundred: beyond this, the file is another one.
MOST_ROWS, MOST_COLUMNS = 2_000, 60
# An XLSX is a zip: what it unpacks to is known before it is unpacked.
LARGEST_UNPACKED, MOST_PARTS = 20_000_000, 200


def write_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """Return one table as CSV, with the mark that lets spreadsheets read accents."""
    paper = io.StringIO()
    csv.writer(paper, delimiter=";").writerows(rows)
    return b"\xef\xbb\xbf" + paper.getvalue().encode()


def write_xlsx(tables: dict[str, Sequence[Sequence[str]]]) -> bytes:
    """Return a workbook of {sheet title: rows}; every cell stays text."""
    book = Workbook(write_only=True)
    for title, rows in tables.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append([text_cell(sheet, value) for value in row])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def read_file(name: str, content: bytes) -> dict[str, list[list[str]]]:
    """Return {sheet title: rows of text} of a file; a CSV is one table without a title.

    Raises TableRefused when it is too large, or neither a CSV in UTF-8 nor an XLSX workbook.
    """
    if len(content) > LARGEST:
        raise _refused("Le fichier dépasse 1 Mo.")
    if not name.lower().endswith((".csv", ".xlsx")):
        raise _refused("Le fichier n’est ni un CSV ni un classeur XLSX.")
    tables = _read_xlsx(content) if name.lower().endswith(".xlsx") else {"": _read_csv(content)}
    return {title: rows for title, rows in tables.items() if any(any(row) for row in rows)}


def _read_csv(content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _refused("Le fichier n’est pas un CSV en UTF-8.") from None
    if "\0" in text:
        raise _refused("Le fichier n’est pas un CSV.")
    said = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    delimiter = ";" if said and ";" in said[0] else ","
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        raise _refused("Le fichier n’est pas un CSV.") from None
    if len(rows) > MOST_ROWS:
        raise _refused(f"Le fichier dépasse {MOST_ROWS} lignes.")
    return [row[:MOST_COLUMNS] for row in rows]


def _read_xlsx(content: bytes) -> dict[str, list[list[str]]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            held = parts.infolist()
            if len(held) > MOST_PARTS or sum(part.file_size for part in held) > LARGEST_UNPACKED:
                raise _refused("Le classeur est trop grand.")
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        tables = {}
        for sheet in book.worksheets:
            rows = sheet.iter_rows(max_row=MOST_ROWS + 1, values_only=True)
            read = [["" if value is None else str(value) for value in row[:MOST_COLUMNS]] for row in rows]
            if len(read) > MOST_ROWS:
                raise _refused(f"Le fichier dépasse {MOST_ROWS} lignes.")
            tables[sheet.title] = read
        book.close()
    except TableRefused:
        raise
    except Exception:
        # A file that is not a workbook makes the library raise whatever it ran into: its own errors, those of zip,
        # zlib and XML, a KeyError, an AttributeError.
        raise _refused("Le fichier n’est pas un classeur XLSX.") from None
    return tables


def _refused(reason: str) -> TableRefused:
    return TableRefused([Fault("", "", reason)])
