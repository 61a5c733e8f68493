"""The cells of every file that leaves as XLSX: texts that stay texts."""

import io

import pytest
from openpyxl import Workbook, load_workbook

from coordination.common.workbooks import text_cell
from tests.test_architecture import ROOT, python_files


@pytest.mark.asvs("v5.0.0-1.3.3", "v5.0.0-1.3.5")
@pytest.mark.parametrize("value", ["=1+1", "+33 5", "-2", "@x", "\tx"])
def test_what_looks_like_a_formula_stays_a_text(value):
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append([text_cell(sheet, value), text_cell(sheet, "05\xa063\x07", bold=True)])
    content = io.BytesIO()
    book.save(content)
    read = load_workbook(content).active
    assert (read["A1"].value, read["A1"].data_type, read["A1"].quotePrefix) == (value, "s", True)
    assert (read["B1"].value, read["B1"].font.bold, read["B1"].quotePrefix) == ("05 63", True, False)


def test_such_cells_are_made_in_one_place():
    made = [str(path.relative_to(ROOT)) for path in python_files(tests=False) if ".data_type" in path.read_text()]
    assert made == ["coordination/common/workbooks.py"]
