"""Cells of a spreadsheet that stay text, for every file that leaves as XLSX."""

from __future__ import annotations

import re

from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font

from coordination.common.french import NBSP

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Refused by the format.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
# What a spreadsheet could take for a formula, now or once the sheet is saved as CSV and opened again.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def fill(cell: Cell, value: str) -> None:
    """Fill a cell with a text that stays a text whatever it begins with: a name beginning with "=" is no formula."""
    # Ordinary spaces: a non-breaking one would hide a number from whoever searches or filters for it.
    cell.value = _CONTROL.sub("", value).replace(NBSP, " ")
    cell.data_type = "s"
    if value.startswith(_FORMULA):
        cell.quotePrefix = True


def text_cell(sheet, value: str, *, bold: bool = False) -> Cell:
    """Return such a cell for a line of a sheet written in one go."""
    cell = WriteOnlyCell(sheet)
    fill(cell, value)
    if bold:
        cell.font = Font(bold=True)
    return cell
