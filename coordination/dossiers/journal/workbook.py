"""The journal as a spreadsheet: the lines of the screen, one fact per column. No address, no technical identifier."""

from __future__ import annotations

import io

from openpyxl import Workbook

from coordination.common.workbooks import text_cell
from coordination.dossiers.journal.wording import Sentence

LONGEST = 5_000
HEADS = (
    ("Date", 12), ("Heure", 8), ("Qui", 34), ("Profession, structure", 44), ("Pour le compte de", 34),
    ("Par quel moyen", 34), ("Ce qui a été fait", 34), ("Rubrique", 26), ("Nature", 18),
    ("Pourquoi l’accès était ouvert", 60), ("À vérifier", 44),
)  # fmt: skip


def write_workbook(sentences: list[Sentence], *, about: str) -> bytes:
    """Return the file of these lines; `about` stands above them: which they are, read by whom and when."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Journal des accès")
    for column, (_, width) in zip("ABCDEFGHIJK", HEADS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A3"
    sheet.append([text_cell(sheet, about, bold=True)])
    sheet.append([text_cell(sheet, head, bold=True) for head, _ in HEADS])
    for said in sentences:
        values = (
            f"{said.at:%d/%m/%Y}", said.time, said.who, said.hat, said.on_behalf_of, said.by_means,
            f"{said.did} {said.whom}".rstrip(), said.what, said.tag,
            _why(said), said.to_check,
        )  # fmt: skip
        sheet.append([text_cell(sheet, value) for value in values])
    if len(sentences) == LONGEST:
        sheet.append([text_cell(sheet, f"Export arrêté à {LONGEST} lignes : réduisez les dates pour la suite.")])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _why(said: Sentence) -> str:
    return ". ".join(filter(None, (said.why, said.explained)))
