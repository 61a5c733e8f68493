"""The table of the ASVS is whole, each line is held by what it says, and the page says what the table does."""

import pytest

from tests.asvs import sheet
from tests.asvs.sheet import DOCUMENT, EXCLUDED, NOT_MET, OPERATOR, TEST

pytestmark = pytest.mark.req("SECT-1")
REQUIREMENTS = sheet.requirements()
# Requirements of levels 1 and 2 in each chapter of version 5.0.0: 70 and 183, 253 in all.
HOW_MANY = {
    "V1": 27, "V2": 11, "V3": 19, "V4": 10, "V5": 9, "V6": 35, "V7": 18, "V8": 7, "V9": 7, "V10": 29, "V11": 14,
    "V12": 9, "V13": 13, "V14": 9, "V15": 13, "V16": 16, "V17": 7,
}  # fmt: skip


@pytest.fixture(scope="module")
def shown():
    return sheet.marks()


def test_the_253_requirements_are_there_once():
    identifiers = [one.id for one in REQUIREMENTS]
    assert len(set(identifiers)) == len(identifiers) == 253
    assert {name: sum(one.chapter == name for one in REQUIREMENTS) for name in HOW_MANY} == HOW_MANY
    assert [sum(one.level == level for one in REQUIREMENTS) for level in (1, 2)] == [70, 183]
    assert all(one.number.startswith(f"{one.chapter[1:]}.") for one in REQUIREMENTS)


@pytest.mark.parametrize("one", REQUIREMENTS, ids=lambda one: one.number)
def test_each_is_held_by_what_it_says(one, shown):
    assert one.held in sheet.WAYS and one.about.endswith(".")
    if one.held == TEST:
        assert shown.get(one.id), "no test carries its mark any more"
    elif one.held in (EXCLUDED, NOT_MET):
        assert one.where.endswith(".") and len(one.where.split()) >= 2, "a reason, in a sentence"
        assert one.id not in shown, "what is left out is shown by no test"
    else:
        assert one.held in (DOCUMENT, OPERATOR)
        path, _, anchor = one.where.partition("#")
        assert anchor in sheet.headings(sheet.ROOT / path), f"{one.where} is nowhere"


def test_no_mark_names_what_is_not_in_the_table(shown):
    assert set(shown) <= {one.id for one in REQUIREMENTS}


def test_the_page_says_what_the_table_does(shown):
    assert sheet.page(shown) == sheet.SHEET.read_text(), "make asvs"


def test_a_requirement_that_loses_its_test_is_seen(tmp_path):
    """A mark on a helper, on a class that pytest does not collect, or in a comment counts for nothing."""
    folder = tmp_path / "tests"
    folder.mkdir()
    mark = "@pytest.mark.asvs('v5.0.0-1.1.1')\n"
    (folder / "test_x.py").write_text(
        f"{mark}def helper(): pass\n{mark}class Other:\n    def test_a(self): pass\n# {mark}"
    )
    assert sheet.marks(tmp_path) == {}
    (folder / "test_y.py").write_text(f"{mark}class TestAll:\n    {mark}    def test_a(self): pass\n")
    assert sheet.marks(tmp_path) == {"v5.0.0-1.1.1": ["tests/test_y.py::TestAll::test_a"]}


def test_the_marks_read_are_those_that_pytest_sees(shown, request):
    """Of the tests that this run collected: what is read in the text is what pytest read."""
    names = {item.nodeid.split("[")[0] for item in request.session.items}
    seen = {
        (one, item.nodeid.split("[")[0])
        for item in request.session.items
        for mark in item.iter_markers("asvs")
        for one in mark.args
    }
    read = {(one, test) for one, tests in shown.items() for test in tests}
    assert {(one, test) for one, test in read if test in names} == seen
