"""The Ecoindex is the published one (tests/bench/ecoindex.py)."""

import pytest

from tests.bench import ecoindex

pytestmark = pytest.mark.req("PERF-16")


@pytest.mark.parametrize(
    ("elements", "requests", "kilobytes", "score"),
    [(100, 100, 100, 72), (100, 100, 1000, 67), (100, 100, 10000, 58), (200, 200, 10000, 46), (2355, 267, 2493, 10),
     (240, 20, 331, 83), (2240, 100, 310182.902, 16)],
)  # fmt: skip
def test_pages_score_as_the_reference_scores_them(elements, requests, kilobytes, score):
    """Values that the reference implementation of cnumr holds itself to."""
    assert round(ecoindex.score(elements, requests, kilobytes)) == score


def test_each_bound_takes_a_twentieth():
    bounds = zip(ecoindex.ELEMENTS, ecoindex.REQUESTS, ecoindex.KILOBYTES, strict=True)
    assert [ecoindex.score(*page) for page in bounds] == pytest.approx([100 - 5 * rank for rank in range(21)])


def test_a_letter_begins_above_its_bound():
    assert [ecoindex.grade(score) for score in (80.1, 80, 70, 55, 40, 25, 10)] == list("ABCDEFG")
