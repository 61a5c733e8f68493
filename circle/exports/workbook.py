"""The list of the circle as a spreadsheet: the members the reader sees on the screen, and what it says of them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from circle.lines import MemberRow
from coordination.common.french import date_fr, phone_fr, time_fr
from coordination.common.workbooks import fill

TITLE = "Cercle de soins"
KINDS = {"person": "Professionnel", "structure": "Structure", "relative": "Proche ou aidant"}
# Line 1 says which list this is, line 2 names the columns.
HEADS = 2


class Column(NamedTuple):
    head: str
    width: int
    value: Callable[[MemberRow], str | dt.date | None]


def _yes(held: bool) -> str:
    return "Oui" if held else ""


_KIND = Column("Type de membre", 18, lambda row: KINDS[row.shape])
_PHONES = (
    Column("Téléphone fixe", 16, lambda row: phone_fr(row.phone)),
    Column("Mobile", 16, lambda row: phone_fr(row.mobile)),
)
WHOLE = (
    _KIND,
    Column("Nom", 34, lambda row: row.name),
    Column("Profession ou catégorie", 32, lambda row: row.profession),
    Column("Rôle", 32, lambda row: row.role),
    Column("Lien avec le patient/usager", 24, lambda row: row.relation),
    Column("Structure", 34, lambda row: row.structure_name),
    *_PHONES,
    Column("Sur liste rouge", 15, lambda row: _yes(row.unlisted)),
    Column("Adresse e-mail", 34, lambda row: row.email),
    Column("MSSanté", 34, lambda row: row.mss_address),
    Column("Adresse", 34, lambda row: row.address),
    Column("Code postal", 12, lambda row: row.postal_code),
    Column("Ville", 22, lambda row: row.town),
    Column("Accès au dossier", 22, lambda row: row.access.phrase if row.access else ""),
    Column("Précision sur l’accès", 34, lambda row: row.access.detail if row.access else ""),
    Column("Habilitation demandée", 22, lambda row: _yes(row.requested)),
    Column("Discret", 10, lambda row: _yes(row.discreet)),
    Column("Dans le cercle depuis le", 22, lambda row: row.starts_on),
    Column("Exercice cessé ou fermeture", 26, lambda row: _yes(row.ceased)),
    Column("Description", 50, lambda row: row.description),
)
# Rule 7: who has the reduced circle reads functions and phones, no access.
REDUCED = (_KIND, Column("Fonction ou structure", 40, lambda row: row.name), *_PHONES)
# Only where somebody has left.
LEFT_ON = Column("Sorti du cercle le", 22, lambda row: row.ends_on)


def write_workbook(rows: Sequence[MemberRow], *, said: str, reduced: bool, reader: str, at: dt.datetime) -> bytes:
    """Return the file of these members; `reduced` says that the reader has the reduced circle (rule 7).

    `said`: which day and which members these are, written above them; `reader`: "NOM Prénom" of who exports; `at`:
    local time of the export.
    """
    columns = REDUCED if reduced else WHOLE
    if not reduced and any(row.ends_on for row in rows):
        columns = (*columns, LEFT_ON)
    book = Workbook()
    book.properties.creator, book.properties.title = "", TITLE
    sheet = book.active
    sheet.title = TITLE
    for index, column in enumerate(columns, start=1):
        head = sheet.cell(HEADS, index, column.head)
        head.font, head.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        sheet.column_dimensions[get_column_letter(index)].width = column.width
        for line, row in enumerate(rows, start=HEADS + 1):
            _write(sheet.cell(line, index), column.value(row))
    sheet.freeze_panes = sheet.cell(HEADS + 1, 3)
    sheet.auto_filter.ref = f"A{HEADS}:{get_column_letter(len(columns))}{HEADS + len(rows)}"
    _write(sheet.cell(1, 1), said)
    sheet.cell(1, 1).font = Font(bold=True)
    _set_paper(sheet)
    _add_about(book, said, reader, at)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _write(cell, value: str | dt.date | None) -> None:
    """Fill a cell with a date, or with a text that stays a text whatever it begins with."""
    if isinstance(value, dt.date):
        cell.value, cell.number_format = value, "DD/MM/YYYY"
    elif value:
        fill(cell, value)


def _set_paper(sheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"1:{HEADS}"


def _add_about(book: Workbook, said: str, reader: str, at: dt.datetime) -> None:
    about = book.create_sheet("À propos")
    about.column_dimensions["A"].width = 100
    for line, text in enumerate(
        (
            said,
            f"Liste exportée le {date_fr(at)} à {time_fr(at)} par {reader}, selon ses droits.",
            "Elle ne se met pas à jour. Supprimez-la après usage : elle contient des données personnelles de santé.",
        ),
        start=1,
    ):
        _write(about.cell(line, 1), text)
