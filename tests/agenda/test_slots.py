"""The slots of an agenda, and its spans of time."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenda import spans
from agenda.recurrence import Occurrence, occurrences
from agenda.rules import Freq, Rule
from agenda.slots import Opening, Service, SlotStatus, slots_of

PARIS = ZoneInfo("Europe/Paris")
YEAR = (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), dt.datetime(2027, 1, 1, tzinfo=dt.UTC))
VISIT = Service("visite", 30)


def paris(*parts):
    return dt.datetime(*parts, tzinfo=PARIS)


def opening(identifier, start, hours, rule=None, *, priority=0, window=YEAR):
    found = occurrences(start, PARIS, dt.timedelta(hours=hours), rule, window=window)
    return Opening(identifier, found, priority)


MONDAY = opening("p1", dt.datetime(2026, 3, 23, 9), 2, Rule(Freq.WEEKLY, count=2))


def slots(*openings, services=(VISIT,), booked=(), unavailable=(), window=YEAR):
    taken, closed = (spans.merge(spans.outward(some)) for some in (booked, unavailable))
    return slots_of(openings, services=services, booked=taken, unavailable=closed, window=window)


def name(slot):
    """What a slot is told apart by (`fhir.cutting.SlotId`)."""
    return slot.opening, slot.service, slot.original


def starts(found):
    return [slot.start.astimezone(PARIS).strftime("%d %H:%M") for slot in found]


@pytest.mark.req("GAP-45", "REL-19")
def test_openings_are_cut_by_the_duration_of_the_service():
    found = slots(MONDAY)
    assert starts(found) == [f"{day} {hour}" for day in ("23", "30") for hour in ("09:00", "09:30", "10:00", "10:30")]
    assert {(slot.end - slot.start).seconds for slot in found} == {1800}


@pytest.mark.req("GAP-45")
def test_what_is_left_at_the_end_of_a_range_is_lost():
    assert starts(slots(opening("p", dt.datetime(2026, 3, 23, 9), 1), services=[Service("long", 45)])) == ["23 09:00"]


@pytest.mark.req("GAP-46", "GAP-72")
def test_what_an_appointment_touches_is_busy():
    found = slots(MONDAY, booked=[(paris(2026, 3, 23, 9, 45), paris(2026, 3, 23, 10, 0, 1))])
    assert [slot.status for slot in found[:4]] == [
        SlotStatus.FREE,
        SlotStatus.BUSY,
        SlotStatus.BUSY,
        SlotStatus.FREE,
    ]


@pytest.mark.req("GAP-38")
def test_an_absence_removes_what_is_free_and_not_what_is_booked():
    found = slots(
        MONDAY,
        booked=[(paris(2026, 3, 23, 9), paris(2026, 3, 23, 9, 30))],
        unavailable=[(paris(2026, 3, 23, 0), paris(2026, 3, 24, 0))],
    )
    assert [(start, slot.status) for start, slot in zip(starts(found), found, strict=True)][:2] == [
        ("23 09:00", SlotStatus.BUSY),
        ("30 09:00", SlotStatus.FREE),
    ]


@pytest.mark.req("GAP-39")
def test_outside_every_opening_there_is_nothing():
    assert slots() == [] and slots(MONDAY, window=(paris(2026, 4, 1), paris(2026, 5, 1))) == []


@pytest.mark.req("GAP-47")
def test_a_search_is_bounded_by_the_start_of_slots():
    window = (paris(2026, 3, 23, 9, 30), paris(2026, 3, 23, 10, 30))
    assert starts(slots(MONDAY, window=window)) == ["23 09:30", "23 10:00"]


@pytest.mark.req("GAP-48")
def test_the_same_rule_gives_the_same_names_whatever_is_asked_or_booked():
    whole = {slot.start: name(slot) for slot in slots(MONDAY)}
    later = (paris(2026, 3, 29), paris(2026, 4, 1))
    again = slots(
        opening("p1", dt.datetime(2026, 3, 23, 9), 2, Rule(Freq.WEEKLY, count=2), window=later),
        booked=[(paris(2026, 3, 30, 9), paris(2026, 3, 30, 10))],
        window=later,
    )
    assert len(again) == 4 and all(whole[slot.start] == name(slot) for slot in again)
    assert len(set(whole.values())) == 8


def test_only_what_is_in_the_window_is_cut():
    """A range of three months asked for one hour costs one hour."""
    long = Opening("p", [Occurrence(paris(2026, 3, 1), paris(2026, 6, 1), dt.datetime(2026, 3, 1))])
    window = (paris(2026, 5, 4, 9, 10), paris(2026, 5, 4, 10))
    assert starts(slots(long, window=window)) == ["04 09:30"]
    assert starts(slots(long, window=(paris(2026, 2, 1), paris(2026, 3, 1, 0, 31)))) == ["01 00:00", "01 00:30"]


@pytest.mark.req("GAP-45")
def test_ranges_that_overlap_give_each_time_once_by_priority():
    wide = opening("wide", dt.datetime(2026, 3, 23, 9), 3, priority=2)
    first = opening("first", dt.datetime(2026, 3, 23, 10), 1, priority=1)
    found = slots(wide, first)
    assert [slot.opening for slot in found] == ["wide", "wide", "first", "first", "wide", "wide"]
    assert starts(found) == ["23 09:00", "23 09:30", "23 10:00", "23 10:30", "23 11:00", "23 11:30"]


@pytest.mark.req("GAP-45", "GAP-58")
def test_each_service_has_its_slots():
    found = slots(opening("p", dt.datetime(2026, 3, 23, 9), 1), services=[VISIT, Service("bilan", 60)])
    assert [(slot.service, start) for slot, start in zip(found, starts(found), strict=True)] == [
        ("visite", "23 09:00"),
        ("bilan", "23 09:00"),
        ("visite", "23 09:30"),
    ]


# -- Spans -----------------------------------------------------------------------------------------------------------

some_spans = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


def minutes(held):
    return {minute for start, end in held for minute in range(start, end)}


@given(some_spans, some_spans)
def test_spans_are_sets_of_minutes(some, others):
    left, right = spans.merge(some), spans.merge(others)
    assert minutes(left) == minutes(some) and left == sorted(left)
    assert all(end < start for (_, end), (start, _) in zip(left, left[1:], strict=False)), "apart"
    assert minutes(spans.subtract(left, right)) == minutes(some) - minutes(others)
    assert minutes(spans.intersect(left, right)) == minutes(some) & minutes(others)


def test_a_minute_begun_is_busy_and_not_open():
    held = [(dt.datetime(1970, 1, 1, 0, 1, 30, tzinfo=dt.UTC), dt.datetime(1970, 1, 1, 0, 3, 0, 1, tzinfo=dt.UTC))]
    assert spans.outward(held) == [(1, 4)] and spans.inward(held) == [(2, 3)]
    assert spans.at(2) == dt.datetime(1970, 1, 1, 0, 2, tzinfo=dt.UTC)
