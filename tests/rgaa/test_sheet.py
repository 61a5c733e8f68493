"""The sheet is whole, says nothing without a test or a reason, and the product shows what it says."""

import ast
import re
from collections import Counter

import pytest

from tests.rgaa import sheet as made

# Criteria of each theme of RGAA 4.1: 106 in all.
HOW_MANY = {1: 9, 2: 2, 3: 3, 4: 13, 5: 8, 6: 2, 7: 5, 8: 10, 9: 4, 10: 14, 11: 13, 12: 11, 13: 12}
SHEET = made.load()
CRITERIA = made.criteria(SHEET)


def names_of_tests(path):
    """Return the functions of a file of tests that pytest collects."""
    tree = ast.parse((made.ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


@pytest.mark.req("RGAA")
def test_the_106_criteria_are_there_once():
    numbers = [one["number"] for one in CRITERIA]
    wanted = [f"{theme}.{one + 1}" for theme, count in HOW_MANY.items() for one in range(count)]
    assert numbers == wanted
    assert len(set(numbers)) == 106
    assert [theme["number"] for theme in SHEET["themes"]] == list(HOW_MANY)
    assert all(one["subject"].strip() for one in CRITERIA)


@pytest.mark.req("RGAA")
@pytest.mark.parametrize("one", CRITERIA, ids=lambda one: one["number"])
def test_each_has_a_state_and_a_test_that_exists_or_a_reason(one):
    assert one["state"] in made.STATES
    assert one.get("tests") or one.get("reason")
    if one["state"] != made.MET:
        assert one.get("reason", "").endswith("."), "only what is met may go without a sentence"
    for test in one.get("tests", []):
        path, _, name = test.partition("::")
        assert re.fullmatch(r"tests/[\w/]+/test_\w+\.py|tests/test_\w+\.py", path), test
        assert name in names_of_tests(path), f"{test} is no test"


@pytest.mark.req("RGAA")
def test_what_is_written_from_the_sheet_is_what_it_says():
    assert made.page(SHEET) == made.SHEET.read_text(), "make rgaa"
    assert made.declared(SHEET) == made.DECLARED.read_text(), "make rgaa"


@pytest.mark.req("RGAA")
def test_the_declaration_shows_the_counts_of_the_sheet(client, db):
    text = client.get("/accessibilite/").content.decode()
    for state, count in Counter(one["state"] for one in CRITERIA).items():
        assert re.search(rf"<dt>{re.escape(state.capitalize())}s?</dt>\s*<dd>\s*{count}\s*</dd>", text), state
    for one in CRITERIA:
        told = f">{one['number']}. " in text
        assert told is (one["state"] in (made.NOT_MET, made.UNSEEN)), one["number"]
    assert "30\u00a0novembre 2026" in text
