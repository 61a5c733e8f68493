"""The sheet is whole, says nothing without a test or a reason, and the product shows what it says."""

import re

import pytest

from tests.rgaa.test_sheet import names_of_tests
from tests.rgesn import sheet as made

# Criteria of each theme of the RGESN of 2024: 78 in all, 30 of them « prioritaires ».
HOW_MANY = {1: 10, 2: 10, 3: 7, 4: 15, 5: 8, 6: 7, 7: 4, 8: 10, 9: 7}
PRIORITY = (
    "1.1 1.2 1.4 1.5 1.9 2.1 2.2 2.4 2.5 2.7 2.8 2.10 3.1 3.4 4.1 4.2 4.13 5.3 5.4 5.5 7.4 8.1 8.2 8.3 "
    "9.1 9.2 9.3 9.4 9.5 9.7"
)
SHEET = made.load()
CRITERIA = made.criteria(SHEET)


@pytest.mark.req("PERF-17")
def test_the_78_criteria_are_there_once_with_their_priority():
    numbers = [one["number"] for one in CRITERIA]
    assert numbers == [f"{theme}.{one + 1}" for theme, count in HOW_MANY.items() for one in range(count)]
    assert [one["number"] for one in CRITERIA if one["priority"] == "prioritaire"] == PRIORITY.split()
    assert {one["priority"] for one in CRITERIA} == set(made.WEIGHTS)
    assert all(one["subject"].strip() for one in CRITERIA)


@pytest.mark.req("PERF-17")
@pytest.mark.parametrize("one", CRITERIA, ids=lambda one: one["number"])
def test_each_has_a_state_a_reason_and_tests_that_exist(one):
    assert one["state"] in made.STATES
    assert one["reason"].endswith(".")
    for test in one.get("tests", []):
        path, _, name = test.partition("::")
        assert name in names_of_tests(path), f"{test} is no test"


@pytest.mark.req("PERF-17")
def test_the_score_counts_what_applies():
    def some(priority, state):
        return {"priority": priority, "state": state}

    assert made.score([some("prioritaire", made.MET), some("modéré", made.NOT_ASKED)]) == 100
    assert made.score([some("prioritaire", made.MET), some("prioritaire", made.OPERATOR)]) == 50
    assert made.score([some("prioritaire", made.NOT_MET), some("modéré", made.MET), some("modéré", made.UNSEEN)]) == 28


@pytest.mark.req("PERF-17")
def test_what_is_written_from_the_sheet_is_what_it_says():
    assert made.page(SHEET) == made.SHEET.read_text(), "make rgesn"
    assert made.declared(SHEET) == made.DECLARED.read_text(), "make rgesn"


@pytest.mark.req("PERF-17")
def test_the_declaration_says_what_the_sheet_says(client, db):
    text = client.get("/ecoconception/").content.decode()
    for one in CRITERIA:
        told = one["state"] in (made.NOT_MET, made.UNSEEN, made.OPERATOR)
        assert (f">{one['number']}. " in text) is told, one["number"]
    assert f"{made.score(CRITERIA)}&nbsp;%" in text
    assert "téléphone de 2018" in text
    assert "30\u00a0novembre 2026" in text


@pytest.mark.req("PERF-17")
def test_nothing_is_loaded_by_scrolling():
    """No part of a page asks for more when it comes into sight: lists have pages."""
    templates = list((made.ROOT / "templates").rglob("*.html"))
    assert len(templates) > 100
    asking = re.compile(r"hx-trigger=\"[^\"]*\b(revealed|intersect)\b|IntersectionObserver")
    scripts = (made.ROOT / "static" / "js").glob("*.js")
    assert [file.name for file in (*templates, *scripts) if asking.search(file.read_text())] == []
