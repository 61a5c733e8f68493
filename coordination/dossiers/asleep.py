"""The grants that nobody uses, in every dossier, as a spreadsheet for the data-protection officer: no identity."""

from __future__ import annotations

import io
from collections.abc import Sequence

from openpyxl import Workbook

from coordination.common.french import date_fr
from coordination.common.text import person_name
from coordination.common.workbooks import text_cell
from coordination.directory.search import profession_label
from habilitations.usage import LONGEST, Asleep, known_since

HEADS = (
    ("Référence du dossier", 40), ("Qui a accès", 34), ("Profession", 34), ("Structure", 40), ("Accès ouvert le", 16),
    ("Dernier usage", 24), ("Gardé à la revue le", 20),
)  # fmt: skip


def write_workbook(lines: Sequence[Asleep], *, about: str) -> bytes:
    """Return the file of these grants; `about` stands above them: read when and by whom."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Accès sans usage")
    for column, (_, width) in zip("ABCDEFG", HEADS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A3"
    sheet.append([text_cell(sheet, about, bold=True)])
    sheet.append([text_cell(sheet, head, bold=True) for head, _ in HEADS])
    unknown = f"Aucun depuis le {date_fr(known_since())}"
    for line in lines:
        person = person_name(line.family_name, line.given_name) if line.family_name else ""
        values = (
            str(line.dossier_id), person or line.structure, profession_label(line.profession, fonction=line.fonction),
            line.structure, date_fr(line.opened_at), date_fr(line.used_at) if line.used_at else unknown,
            date_fr(line.kept_at) if line.kept_at else "",
        )  # fmt: skip
        sheet.append([text_cell(sheet, value) for value in values])
    if len(lines) == LONGEST:
        sheet.append([text_cell(sheet, f"Fichier arrêté à {LONGEST} lignes, des accès les plus anciens.")])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
