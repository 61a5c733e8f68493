"""The file active as a spreadsheet: the columns of the screen, nothing more."""

from __future__ import annotations

import io

from openpyxl import Workbook

from coordination.common.workbooks import text_cell

# A file is read by one person: beyond this, one filters.
LONGEST = 2000
HEADS = (
    "Personne", "Date de naissance", "Ville", "Motif", "Référent du parcours", "Nouveautés",
    "Votre prochain rendez-vous", "Statut",
)  # fmt: skip


def workbook(rows: list[dict]) -> bytes:
    """Return the file of the rows of views.listing.rows_of."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("File active")
    sheet.append(HEADS)
    for row in rows:
        sheet.append([text_cell(sheet, value) for value in _values(row)])
    if len(rows) == LONGEST:
        sheet.append([f"Liste arrêtée à {LONGEST} dossiers : filtrez pour exporter la suite."])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _values(row: dict) -> tuple[str, ...]:
    dossier = row["dossier"]
    return (
        row["name"],
        dossier.birth_date_written,
        dossier.town,
        row["motive"],
        row["referent"],
        row["news"]["text"] if row["news"] else "",
        row["next"],
        row["status"],
    )
