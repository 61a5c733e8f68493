"""The small languages of a search: lists, tokens, and dates, each covering what its precision says."""

import datetime as dt

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from coordination.fhir.outcomes import Unreadable
from coordination.fhir.registry import DateParam
from coordination.fhir.search import dates
from coordination.fhir.search.values import PARIS, Token, alternatives, moment, token, uuid_of

DAY = DateParam("test", low="day", high="day")
PERIOD = DateParam("test", low="first", high="last")


def test_a_list_keeps_escaped_commas():
    assert alternatives(r"a\,b,c") == [r"a\,b", "c"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("123", Token(None, "123")),
        ("http://x|123", Token("http://x", "123")),
        ("|123", Token("", "123")),
        ("http://x|", Token("http://x", "")),
        (r"a\|b", Token(None, "a|b")),
    ],
)
def test_tokens(text, expected):
    assert token(text) == expected


@pytest.mark.parametrize(
    "text", ["", "hier", "2026-13", "2026-02-30", "0000", "ge", "2026-1-1", "2026-01-01T", "xx2026"]
)
def test_what_is_not_a_date_is_refused(text):
    with pytest.raises(Unreadable):
        moment(text, "date")


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-12", "2026-12-01", "2027-01-01"),
        ("ge2026-03-29", "2026-03-29", "2026-03-30"),
    ],
)
def test_a_date_covers_what_its_precision_says(text, low, high):
    asked = moment(text, "date")
    assert (asked.low, asked.high) == tuple(dt.datetime.fromisoformat(d).replace(tzinfo=PARIS) for d in (low, high))


def test_a_moment_with_a_zone_is_read_in_paris_time():
    assert moment("2026-01-31T23:30:00Z", "date").low == dt.datetime(2026, 2, 1, 0, 30, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("text", "microsecond", "lasts"),
    [
        ("2026-01-31T23:30:05Z", 0, 1_000_000),
        ("2026-01-31T23:30:05.5Z", 500_000, 100_000),
        ("2026-01-31T23:30:05.123Z", 123_000, 1_000),
        ("2026-01-31T23:30:05.123456Z", 123_456, 1),
        ("2026-01-31T23:30:05.123456789Z", 123_456, 1),
    ],
)
def test_a_moment_lasts_as_long_as_its_last_digit(text, microsecond, lasts):
    """Who asks what changed after the `lastUpdated` that he read loses nothing of the same second."""
    asked = moment(text, "date")
    assert asked.low.microsecond == microsecond
    assert asked.high - asked.low == dt.timedelta(microseconds=lasts)


@given(st.text(max_size=40))
def test_an_id_is_a_uuid_written_whole(text):
    found = uuid_of(text)
    assert found is None or str(found) == text.lower()


def matches(param, asked, low, high):
    """Read the condition as PostgreSQL would, on one row."""
    return _holds(dates.condition(param, moment(asked, "date")), {param.low: low, param.high: high})


def _holds(condition, row):
    """As Django writes it: what has no value answers no, before a negation."""
    results = [_holds(child, row) if isinstance(child, Q) else _compares(*child, row) for child in condition.children]
    found = (all if condition.connector == Q.AND else any)(results) if results else True
    return not found if condition.negated else found


def _compares(path, wanted, row):
    name, lookup = path.rsplit("__", 1)
    if name == "pk":
        return False
    value = row[name]
    if lookup == "isnull":
        return (value is None) is wanted
    return value is not None and getattr(value, f"__{lookup.replace('gte', 'ge').replace('lte', 'le')}__")(wanted)


D = dt.date


@pytest.mark.req("CDS-54")
@pytest.mark.parametrize(
    ("asked", "day", "found"),
    [
        ("2026-01-12", D(2026, 1, 12), True),
        ("2026-01", D(2026, 1, 12), True),
        ("2026-01-13", D(2026, 1, 12), False),
        ("ne2026-01-12", D(2026, 1, 12), False),
        ("ne2026-01-13", D(2026, 1, 12), True),
        ("gt2026-01-11", D(2026, 1, 12), True),
        ("gt2026-01-12", D(2026, 1, 12), False),
        ("gt2026", D(2026, 12, 31), False),
        ("lt2026-01-13", D(2026, 1, 12), True),
        ("lt2026-01-12", D(2026, 1, 12), False),
        ("ge2026-01-12", D(2026, 1, 12), True),
        ("ge2026-01-13", D(2026, 1, 12), False),
        ("le2026-01-12", D(2026, 1, 12), True),
        ("le2026-01-11", D(2026, 1, 12), False),
        ("sa2026-01-11", D(2026, 1, 12), True),
        ("sa2026-01-12", D(2026, 1, 12), False),
        ("eb2026-01-13", D(2026, 1, 12), True),
        ("eb2026-01-12", D(2026, 1, 12), False),
        ("ap2026-01-12", D(2026, 1, 12), True),
    ],
)
def test_days(asked, day, found):
    assert matches(DAY, asked, day, day) is found


@pytest.mark.req("CDS-53")
@pytest.mark.parametrize(
    ("asked", "first", "last", "found"),
    [
        ("2026", D(2026, 1, 12), D(2026, 3, 1), True),
        ("2026", D(2026, 1, 12), None, False),
        ("gt2030", D(2026, 1, 12), None, True),
        ("lt2026-01-13", D(2026, 1, 12), None, True),
        ("eb2030", D(2026, 1, 12), None, False),
        ("ne2026", D(2026, 1, 12), None, True),
        ("eb2030", D(2026, 1, 12), D(2026, 3, 1), True),
        ("sa2025", D(2026, 1, 12), None, True),
        ("ge2026-02", D(2026, 1, 12), D(2026, 3, 1), True),
        ("le2026-02", D(2026, 1, 12), D(2026, 3, 1), True),
    ],
)
def test_periods_go_on_while_nothing_ends_them(asked, first, last, found):
    assert matches(PERIOD, asked, first, last) is found


@pytest.mark.parametrize("asked", ["ne2026-01-12", "lt2026-01-12", "gt2026-01-12", "2026-01-12", "ap2026-01-12"])
def test_a_moment_without_value_matches_nothing(asked):
    assert matches(DAY, asked, None, None) is False
