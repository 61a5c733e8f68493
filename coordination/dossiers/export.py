"""The file active as a spreadsheet: the columns of the screen, nothing more."""

from __future__ import annotations

import io

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from coordination.common.dates import write_birth_date

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A file is read by one person: beyond this, one filters.
LONGEST = 2000
HEADS = ("Personne", "Date de naissance", "Ville", "Motif", "Référent du parcours", "Nouveautés", "Statut")


def workbook(rows: list[dict]) -> bytes:
    """Return the file of the rows of views.listing.rows_of."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("File active")
    sheet.append(HEADS)
    for row in rows:
        sheet.append([_text(sheet, value) for value in _values(row)])
    if len(rows) == LONGEST:
        sheet.append([f"Liste arrêtée à {LONGEST} dossiers : filtrez pour exporter la suite."])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _values(row: dict) -> tuple[str, ...]:
    dossier = row["dossier"]
    return (
        row["name"],
        write_birth_date(dossier.birth_date, dossier.birth_date_precision),
        dossier.town,
        row["motive"],
        row["referent"],
        row["news"]["text"] if row["news"] else "",
        row["status"],
    )


def _text(sheet, value: str) -> WriteOnlyCell:
    """Return a cell that stays text: a name beginning with "=" must not become a formula."""
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
