"""The slot common to a circle: judged minute by minute by the plainest reading of the rules."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agenda import spans
from agenda.common_slots import (
    DAYTIME,
    OFFICE,
    Band,
    DurationNotPossible,
    Hours,
    Person,
    Quality,
    State,
    WindowNotPossible,
    common_slots,
    people_from_rows,
    side_by_side,
)
from agenda.spans import Span

PARIS, MARQUISES = ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Marquesas")
HOUR = dt.timedelta(hours=1)
ALWAYS = (Hours(days=frozenset(range(7)), start=0, end=24 * 60),)


def paris(*parts):
    return dt.datetime(*parts, tzinfo=PARIS)


def day(number, *hours):
    """Spans of hours of a day of January 2027; the 4th is a Monday."""
    return [(paris(2027, 1, number, start), paris(2027, 1, number, end)) for start, end in hours]


WEEK = (paris(2027, 1, 4), paris(2027, 1, 9))


def somebody(key, *, indispensable=True, opens=(), busy=(), tentative=()):
    return Person.of(key, indispensable=indispensable, opens=opens, busy=busy, tentative=tentative)


def find(*people, duration=60, window=WEEK, **more):
    return common_slots(people, duration=duration, window=window, zone=PARIS, **more)


# -- What a coordinator expects ---------------------------------------------------------------------------------------


@pytest.mark.req("AGD-20")
def test_the_time_when_everybody_is_free_is_found():
    (only, *others) = find(
        somebody("medecin", opens=day(5, (9, 12)) + day(6, (14, 16)), busy=day(5, (9, 11))),
        somebody("infirmiere", opens=day(5, (8, 12)) + day(6, (15, 18))),
        duration=60,
    )
    assert (only.start, only.end) == (paris(2027, 1, 5, 11), paris(2027, 1, 5, 12))
    assert only.quality == Quality.COMPLETE and set(only.free) == {"medecin", "infirmiere"} and only.rank == 1
    assert others[0].start == paris(2027, 1, 6, 15), "the other day comes before the next quarter"


@pytest.mark.req("AGD-20")
def test_nothing_declared_is_unknown_and_never_free():
    (first, *_) = find(somebody("a", opens=day(5, (9, 10))), somebody("b", opens=None))
    assert first.quality == Quality.UNSURE and first.unknown == ("b",) and first.free == ("a",)
    assert first.start == paris(2027, 1, 5, 9)


@pytest.mark.req("AGD-20")
def test_who_never_declared_anything_but_is_taken_is_taken():
    starts = [c.start for c in find(somebody("b", opens=None, busy=day(4, (0, 24 - 1)) + day(5, (0, 23))))]
    assert starts[0] == paris(2027, 1, 6, 9)


@pytest.mark.req("AGD-20")
def test_a_slot_without_everybody_says_who_is_missing():
    found = find(
        somebody("a", opens=day(5, (9, 10))),
        somebody("b", opens=day(6, (9, 10))),
        somebody("c", opens=day(6, (9, 10)), indispensable=False),
        window=(paris(2027, 1, 5), paris(2027, 1, 7)),
    )
    assert [(c.start.day, c.quality, c.free, c.busy) for c in found[:2]] == [
        (6, Quality.MISSING, ("b", "c"), ("a",)),
        (5, Quality.MISSING, ("a",), ("b", "c")),
    ]


@pytest.mark.req("AGD-20")
def test_the_indispensable_come_before_any_number_of_wished():
    many = [somebody(n, indispensable=False, opens=day(5, (9, 10))) for n in range(30)]
    (first, *_) = find(somebody("a", opens=day(6, (9, 10))), *many)
    assert first.start == paris(2027, 1, 6, 9) and len(first.busy) == 30


@pytest.mark.req("AGD-20")
def test_of_two_complete_slots_more_wished_win():
    boss = somebody("a", opens=day(5, (9, 10)) + day(6, (9, 10)))
    (first, *_) = find(boss, somebody("w", indispensable=False, opens=day(6, (9, 10))))
    assert first.start == paris(2027, 1, 6, 9) and first.quality == Quality.COMPLETE


@pytest.mark.req("AGD-20")
def test_who_may_come_counts_more_than_who_cannot():
    boss = somebody("a", opens=day(5, (9, 10)) + day(6, (9, 10)))
    (first, *_) = find(boss, somebody("w", indispensable=False, opens=None, busy=day(5, (9, 10))))
    assert first.start == paris(2027, 1, 6, 9) and first.unknown == ("w",)


@pytest.mark.req("AGD-20")
def test_a_quarter_begun_is_taken():
    morning = day(5, (9, 12))
    taken = [(paris(2027, 1, 5, 9), paris(2027, 1, 5, 9, 50)), (paris(2027, 1, 5, 11, 10), paris(2027, 1, 5, 11, 20))]
    (first, *_) = find(somebody("a", opens=morning, busy=taken), window=(paris(2027, 1, 5), paris(2027, 1, 6)))
    assert first.start == paris(2027, 1, 5, 10) and first.quality == Quality.COMPLETE


@pytest.mark.req("AGD-20")
def test_what_is_held_for_something_else_comes_after_what_is_free():
    held = somebody("a", opens=day(5, (9, 10)) + day(6, (9, 10)), tentative=day(5, (9, 10)))
    first, second, *_ = find(held)
    assert (first.start.day, first.quality) == (6, Quality.COMPLETE)
    assert (second.start.day, second.quality, second.tentative) == (5, Quality.UNSURE, ("a",))


@pytest.mark.req("AGD-20")
def test_a_quorum_counts_only_who_is_free():
    people = [somebody(n, indispensable=False, opens=day(5, (9, 10))) for n in range(3)]
    people += [somebody("u", indispensable=False, opens=None)]
    assert [c.start for c in find(*people, quorum=3)] == [paris(2027, 1, 5, 9)]
    assert find(*people, quorum=4) == [] and find(*people, quorum=1000) == []


@pytest.mark.req("AGD-20")
def test_office_hours_are_preferred_and_evenings_possible():
    evening = somebody("a", opens=day(4, (8, 9)) + day(5, (18, 20)) + day(8, (9, 10)))
    assert [(c.start.astimezone(PARIS).day, c.preferred) for c in find(evening)] == [(8, True), (4, False), (5, False)]
    assert find(evening, allowed=OFFICE)[0].start.day == 8


def test_the_hours_of_the_place_are_its_own():
    (first, *_) = common_slots(
        [Person.of("a", indispensable=True, opens=None)],
        duration=30,
        window=(dt.datetime(2027, 1, 4, tzinfo=MARQUISES), dt.datetime(2027, 1, 5, tzinfo=MARQUISES)),
        zone=MARQUISES,
        step=30,
    )
    assert first.start == dt.datetime(2027, 1, 4, 18, 30, tzinfo=dt.UTC), "nine o’clock, nine hours and a half behind"


@pytest.mark.req("REL-19")
@pytest.mark.parametrize(("number", "month", "hours"), [(28, 3, {0, 1, 3, 4}), (25, 10, {0, 1, 2, 3, 4})])
def test_the_nights_when_clocks_change(number, month, hours):
    year = 2027 if month == 3 else 2026
    window = (paris(year, month, number), paris(year, month, number, 5))
    found = find(somebody("a", opens=[window]), window=window, allowed=ALWAYS, step=60, limit=9)
    assert {c.start.astimezone(PARIS).hour for c in found} == hours and len(found) == len(hours)
    assert {c.end - c.start for c in found} == {HOUR}


@pytest.mark.req("REL-19")
def test_an_hour_that_does_not_exist_is_not_proposed():
    night = (paris(2027, 3, 28), paris(2027, 3, 28, 6))
    skipped = (Hours(days=frozenset({6}), start=2 * 60, end=3 * 60),)
    assert find(somebody("a", opens=[night]), window=night, allowed=skipped) == []


def test_ranges_that_touch_are_one_even_in_the_middle_of_a_quarter():
    parts = [(paris(2027, 1, 5, 9), paris(2027, 1, 5, 9, 7)), (paris(2027, 1, 5, 9, 7), paris(2027, 1, 5, 10))]
    assert [c.start for c in find(somebody("a", opens=parts)) if c.quality == Quality.COMPLETE] == [
        paris(2027, 1, 5, 9)
    ]


def test_nobody_is_asked_and_any_office_hour_will_do():
    assert [c.start.day for c in find()] == [4, 5, 6]


def test_a_window_too_short_holds_nothing():
    assert find(somebody("a", opens=None), window=(paris(2027, 1, 4, 9), paris(2027, 1, 4, 9, 30))) == []
    second = dt.timedelta(seconds=1)
    assert find(somebody("a", opens=None), window=(paris(2027, 1, 4, 9), paris(2027, 1, 4, 9) + second)) == []


@pytest.mark.parametrize("duration", [0, -30, 24 * 60 + 1])
def test_a_duration_that_is_none_is_refused(duration):
    with pytest.raises(DurationNotPossible):
        find(duration=duration)


@pytest.mark.parametrize("window", [WEEK[::-1], (WEEK[0], WEEK[0]), (WEEK[0], WEEK[0] + dt.timedelta(days=367))])
def test_a_window_that_is_none_is_refused(window):
    with pytest.raises(WindowNotPossible):
        find(window=window)


def test_rows_of_a_query_make_people():
    members = [("a", True, True), ("b", False, False)]
    rows = [("a", "open", 0, 60), ("b", "busy", 10, 20), ("a", "tentative", 5, 6), ("z", "busy", 0, 1)]
    assert people_from_rows(members, rows) == [
        Person("a", True, [(0, 60)], [], [(5, 6)]),
        Person("b", False, None, [(10, 20)], []),
    ]


# -- Side by side -----------------------------------------------------------------------------------------------------


@pytest.mark.req("AGD-22")
def test_agendas_side_by_side():
    window = (paris(2027, 1, 5, 8), paris(2027, 1, 5, 18))
    told = side_by_side(
        [
            somebody("a", opens=day(5, (9, 12)), busy=day(5, (10, 11), (14, 15)), tentative=day(5, (11, 16))),
            somebody("b", opens=None, busy=day(5, (7, 9))),
        ],
        window,
    )
    assert [(b.span.start.astimezone(PARIS).hour, b.state) for b in told["a"]] == [
        (8, State.CLOSED),
        (9, State.FREE),
        (10, State.BUSY),
        (11, State.TENTATIVE),
        (14, State.BUSY),
        (15, State.TENTATIVE),
        (16, State.CLOSED),
    ]
    assert told["b"] == [
        Band(Span(paris(2027, 1, 5, 8), paris(2027, 1, 5, 9)), State.BUSY),
        Band(Span(paris(2027, 1, 5, 9), paris(2027, 1, 5, 18)), State.UNKNOWN),
    ]


# -- Judged minute by minute ------------------------------------------------------------------------------------------

# The last two days of summer time, and one after.
FIRST = spans.minute(paris(2026, 10, 24))


@st.composite
def agenda_spans(draw, most=4):
    start = st.integers(-100, 3 * 24 * 60 + 100)
    made = draw(st.lists(st.tuples(start, st.integers(0, 700)), max_size=most))
    return [(FIRST + at, FIRST + at + length) for at, length in made]


@st.composite
def persons(draw, key):
    opens = draw(st.one_of(st.none(), agenda_spans(), st.just([(FIRST - 99, FIRST + 9999)])))
    return Person(key, draw(st.booleans()), opens, draw(agenda_spans()), draw(agenda_spans(2)))


@st.composite
def searches(draw):
    opening = FIRST + draw(st.integers(-50, 1500))
    return {
        "people": [draw(persons(key)) for key in range(draw(st.integers(0, 5)))],
        "duration": draw(st.sampled_from([15, 20, 30, 45, 60, 90, 7])),
        "window": (spans.at(opening), spans.at(opening + draw(st.integers(1, 2600)))),
        "step": draw(st.sampled_from([15, 30, 60, 20])),
        "allowed": draw(st.sampled_from([ALWAYS, DAYTIME, OFFICE])),
        "quorum": draw(st.integers(0, 4)),
    }


def inside(minutes, held):
    return {m for start, end in held for m in range(max(start, min(minutes)), min(end, max(minutes) + 1))}


def plain_state(person, minutes):
    """Return what one agenda says of these minutes, by the words of the rule."""
    if inside(minutes, person.busy):
        return "busy"
    if person.opens is None:
        return "unknown"
    if inside(minutes, person.opens) != set(minutes):
        return "busy"
    return "tentative" if inside(minutes, person.tentative) else "free"


def in_hours(local, duration, hours):
    time = local.hour * 60 + local.minute
    return any(local.weekday() in h.days and h.start <= time and time + duration <= h.end for h in hours)


def plain_quality(people, minutes):
    told = [(p.indispensable, plain_state(p, minutes)) for p in people]
    return (
        sum(needed and state == "busy" for needed, state in told),
        sum(needed and state in ("unknown", "tentative") for needed, state in told),
        -sum(not needed and state == "free" for needed, state in told),
        sum(not needed and state == "busy" for needed, state in told),
    ), sum(state == "free" for _, state in told)


def plain_candidates(people, duration, window, step, allowed, quorum):
    found = []
    opening, closing = spans.minute_after(window[0]), spans.minute(window[1])
    for start in range(opening, closing - duration + 1):
        local = spans.at(start).astimezone(PARIS)
        if local.fold or (local.hour * 60 + local.minute) % step or not in_hours(local, duration, allowed):
            continue
        quality, free = plain_quality(people, range(start, start + duration))
        if free >= quorum:
            found.append((quality, not in_hours(local, duration, OFFICE), local.date(), start))
    return found


def empty_in_the_first_quarter():
    """Somebody taken for no time at all, in the middle of a slot."""
    at = FIRST + 1
    return {
        "people": [Person(0, False, None, [(at, at)], [])], "duration": 15,
        "window": (spans.at(FIRST), spans.at(FIRST + 30)), "step": 15, "allowed": ALWAYS, "quorum": 0,
    }  # fmt: skip


@pytest.mark.req("AGD-20", "REL-19")
@settings(max_examples=120, deadline=None)
@given(searches())
@example(empty_in_the_first_quarter())
def test_the_best_is_the_best_minute_by_minute(search):
    left, days, expected = plain_candidates(**search), set(), []
    while left and len(expected) < 3:
        best = min(left, key=lambda c: (c[0], c[1], c[2] in days, c[3]))
        expected.append(best[3])
        days.add(best[2])
        left = [c for c in left if abs(c[3] - best[3]) >= search["duration"]]
    choices = common_slots(search.pop("people"), zone=PARIS, **search)
    assert [spans.minute(c.start) for c in choices] == expected


@pytest.mark.req("AGD-20")
@settings(max_examples=120, deadline=None)
@given(searches())
def test_who_is_said_free_is_free(search):
    people = search.pop("people")
    for choice in common_slots(people, zone=PARIS, **search):
        minutes = range(spans.minute(choice.start), spans.minute(choice.end))
        for person in people:
            said = [name for name in ("free", "tentative", "unknown", "busy") if person.key in getattr(choice, name)]
            assert said == [plain_state(person, minutes)]


@settings(max_examples=60, deadline=None)
@given(persons("a"), st.integers(1, 600))
def test_bands_say_each_minute_once(person, length):
    window = (spans.at(FIRST + 300), spans.at(FIRST + 300 + length))
    bands = side_by_side([person], window)["a"]
    assert [b.span.start for b in bands[1:]] == [b.span.end for b in bands[:-1]]
    assert (bands[0].span.start, bands[-1].span.end) == window
    for band in bands:
        for minute in range(spans.minute(band.span.start), spans.minute(band.span.end)):
            said = plain_state(
                Person("a", True, person.opens, person.busy, person.tentative), range(minute, minute + 1)
            )
            held = bool(inside(range(minute, minute + 1), person.tentative))
            expected = {"busy": {"busy", "closed"}, "unknown": {"unknown"}}.get(said, {said})
            assert band.state in (expected if not held or said == "tentative" else {"busy", "tentative"})
