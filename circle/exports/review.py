"""The review of the accesses of a dossier as a spreadsheet, for who answers for the protection of data.

It says whose each access is and never of whom the dossier is: the reference of the dossier, no identity.
"""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook

from circle.reviewing import Line
from coordination.common.french import date_fr
from coordination.common.workbooks import text_cell

HEADS = (
    ("Membre", 34), ("Profession, structure", 50), ("Accès au dossier", 24), ("Accès ouvert le", 16),
    ("Dernier usage", 24), ("Proposé à la fermeture", 22), ("Gardé le", 14), ("Gardé par", 30),
)  # fmt: skip


def write_workbook(lines: Sequence[Line], *, about: str, unknown: str) -> bytes:
    """Return the file of these grants. `about`: of which dossier, read when and by whom; `unknown`: no use known."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Revue des accès")
    for column, (_, width) in zip("ABCDEFGH", HEADS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A3"
    sheet.append([text_cell(sheet, about, bold=True)])
    sheet.append([text_cell(sheet, head, bold=True) for head, _ in HEADS])
    for line in lines:
        values = (
            line.row.name,
            line.row.second,
            line.row.access.phrase,
            date_fr(line.opened_at),
            date_fr(line.used_at) if line.used_at else unknown,
            "Oui" if line.sleeps else "",
            date_fr(line.kept.at) if line.kept else "",
            line.kept.by.get_full_name() if line.kept else "",
        )
        sheet.append([text_cell(sheet, value) for value in values])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
