"""When rules fall: clocks that change, year end, 29 February, rules that never fall or fall too often."""

import datetime as dt
import time
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from recurring_ical_events.errors import BadRuleStringFormat

from agenda.recurrence import (
    EndBeforeStart,
    OutOfTime,
    RuleNeverOccurs,
    RuleTooFine,
    TooLong,
    TooManyOccurrences,
    UntilBeforeStart,
    check,
    instant,
    occurrences,
)
from agenda.rule_formats import rule_from_text, rule_to_text
from agenda.rules import Day, Freq, RecurrenceRefused, Rule

PARIS, MARTINIQUE, REUNION = (ZoneInfo(f) for f in ("Europe/Paris", "America/Martinique", "Indian/Reunion"))
HOUR = dt.timedelta(hours=1)


def utc(*parts):
    return dt.datetime(*parts, tzinfo=dt.UTC)


def falls(text, start, *, zone=PARIS, duration=HOUR, days=400, limit=1000):
    """Starts in UTC of a rule during so many days."""
    window = (instant(start, zone), instant(start, zone) + dt.timedelta(days=days))
    rule = rule_from_text(text) if text else None
    return [o.start for o in occurrences(start, zone, duration, rule, window=window, limit=limit)]


def local_days(text, start, **more):
    return [o.astimezone(PARIS).date() for o in falls(text, start, **more)]


# -- The clock of the place ------------------------------------------------------------------------------------------


@pytest.mark.req("REL-19", "GAP-37")
@pytest.mark.parametrize(
    ("first", "hours"),
    [(dt.datetime(2026, 3, 22, 10), [9, 8, 8]), (dt.datetime(2026, 10, 18, 10), [8, 9, 9])],
)
def test_ten_stays_ten_over_both_changes(first, hours):
    assert [start.hour for start in falls("FREQ=WEEKLY;COUNT=3", first)] == hours


@pytest.mark.req("REL-19")
@pytest.mark.parametrize(("zone", "hour"), [(MARTINIQUE, 14), (REUNION, 6)])
def test_a_place_without_summer_time_never_moves(zone, hour):
    starts = falls("FREQ=WEEKLY", dt.datetime(2026, 1, 4, 10), zone=zone, days=364)
    assert len(starts) == 52 and {start.hour for start in starts} == {hour}


@pytest.mark.req("REL-19")
def test_an_hour_that_does_not_exist_moves_forward():
    found = occurrences(
        dt.datetime(2026, 3, 28, 2, 30),
        PARIS,
        HOUR,
        Rule(Freq.DAILY, count=3),
        window=(utc(2026, 3, 1), utc(2026, 5, 1)),
    )
    assert [o.start for o in found] == [utc(2026, 3, 28, 1, 30), utc(2026, 3, 29, 1, 30), utc(2026, 3, 30, 0, 30)]
    assert {o.end - o.start for o in found} == {HOUR}
    assert found[1].recurrence_id == dt.datetime(2026, 3, 29, 2, 30), "named by what was said"


@pytest.mark.req("REL-19")
def test_of_an_hour_that_exists_twice_it_is_the_first():
    found = occurrences(
        dt.datetime(2026, 10, 24, 2, 30),
        PARIS,
        HOUR / 2,
        Rule(Freq.DAILY, count=2),
        window=(utc(2026, 10, 1), utc(2026, 12, 1)),
    )
    assert [o.start for o in found] == [utc(2026, 10, 24, 0, 30), utc(2026, 10, 25, 0, 30)]
    assert {o.end - o.start for o in found} == {HOUR / 2}


@pytest.mark.req("REL-19")
@pytest.mark.parametrize(("night", "hours"), [(dt.datetime(2026, 3, 28, 22), 7), (dt.datetime(2026, 10, 24, 22), 9)])
def test_a_night_ends_at_six_whatever_the_clock_did(night, hours):
    (only,) = occurrences(night, PARIS, 8 * HOUR, None, window=(utc(2026, 1, 1), utc(2027, 1, 1)))
    assert only.end.astimezone(PARIS).hour == 6 and only.end - only.start == hours * HOUR


@pytest.mark.req("REL-19")
def test_a_whole_day_lasts_until_midnight():
    (only,) = occurrences(
        dt.datetime(2026, 10, 25), PARIS, dt.timedelta(days=1), None, window=(utc(2026, 1, 1), utc(2027, 1, 1))
    )
    assert only.end - only.start == 25 * HOUR


# -- The end of the year, 29 February ---------------------------------------------------------------------------------


@pytest.mark.req("REL-19")
def test_weeks_run_over_the_end_of_the_year():
    assert local_days("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SA", dt.datetime(2026, 12, 21, 9), days=28) == [
        dt.date(2026, 12, 21),
        dt.date(2026, 12, 26),
        dt.date(2027, 1, 4),
        dt.date(2027, 1, 9),
    ]


@pytest.mark.req("REL-19")
def test_the_first_day_of_the_week_counts_in_an_interval():
    start = dt.datetime(1997, 8, 5, 9)
    monday = local_days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", start)
    sunday = local_days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", start)
    assert [day.day for day in monday] == [5, 10, 19, 24] and [day.day for day in sunday] == [5, 17, 19, 31]


@pytest.mark.req("REL-19")
def test_29_february_comes_back_every_four_years():
    years = [day.year for day in local_days("FREQ=YEARLY", dt.datetime(2024, 2, 29, 9), days=366 * 13)]
    assert years == [2024, 2028, 2032, 2036]


@pytest.mark.req("REL-19")
def test_the_thirty_first_is_left_out_of_short_months():
    months = [day.month for day in local_days("FREQ=MONTHLY", dt.datetime(2026, 1, 31, 9), days=360)]
    assert months == [1, 3, 5, 7, 8, 10, 12]


@pytest.mark.req("REL-19")
def test_week_53_and_week_1_belong_to_their_year():
    assert local_days("FREQ=YEARLY;BYWEEKNO=53;BYDAY=SU", dt.datetime(2026, 1, 1, 9), days=800)[1:] == [
        dt.date(2027, 1, 3)
    ]
    assert local_days("FREQ=YEARLY;BYWEEKNO=1;BYDAY=MO", dt.datetime(2024, 12, 30, 9), days=400) == [
        dt.date(2024, 12, 30),
        dt.date(2025, 12, 29),
    ]


# -- What a rule says ------------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-37")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=2MO", [(1, 12), (2, 9), (3, 9)]),
        ("FREQ=MONTHLY;BYDAY=-1FR", [(1, 30), (2, 27), (3, 27)]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", [(1, 31), (2, 28), (3, 31)]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", [(1, 30), (2, 27), (3, 31)]),
        ("FREQ=MONTHLY;BYDAY=MO,-1WE", [(1, 5), (1, 12), (1, 19), (1, 26), (1, 28)]),
        ("FREQ=YEARLY;BYYEARDAY=1,32,-334", [(2, 1)]),
        ("FREQ=YEARLY;BYMONTH=2;BYDAY=1MO", [(2, 2)]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", [(2, 13), (3, 13)]),
        ("FREQ=YEARLY;BYWEEKNO=7", [(2, 12)]),
    ],
)
def test_days_told_in_many_ways(text, expected):
    found = [(day.month, day.day) for day in local_days(text, dt.datetime(2026, 1, 1, 9), days=95)]
    assert found[0] == (1, 1) and found[1 : 1 + len(expected)] == expected


@pytest.mark.req("GAP-37")
@pytest.mark.parametrize(
    ("text", "from_day", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", 17, [(6, 1)]),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-1", 17, [(5, 25)]),
        ("FREQ=YEARLY;BYMONTH=1,5;BYDAY=FR;BYSETPOS=-1", 17, [(5, 29)]),
        ("FREQ=WEEKLY;BYDAY=TU,FR;BYSETPOS=1", 21, [(5, 26), (6, 2)]),
        ("FREQ=DAILY;BYHOUR=9,14;BYSETPOS=-1;INTERVAL=7", 17, [(5, 21), (5, 28), (6, 4)]),
    ],
)
def test_a_place_is_counted_in_the_whole_period_whatever_the_window(text, from_day, expected):
    window = (utc(2026, 5, from_day), utc(2026, 6, 5))
    found = occurrences(dt.datetime(2026, 1, 1, 9), PARIS, HOUR, rule_from_text(text), window=window)
    assert [(o.recurrence_id.month, o.recurrence_id.day) for o in found] == expected


@pytest.mark.req("REL-19")
def test_what_moved_forward_is_in_order():
    starts = falls("FREQ=HOURLY;BYMINUTE=0,30", dt.datetime(2026, 3, 29, 0), days=1)
    assert starts == sorted(starts) and starts[4:8] == [
        utc(2026, 3, 29, 1),
        utc(2026, 3, 29, 1),
        utc(2026, 3, 29, 1, 30),
        utc(2026, 3, 29, 1, 30),
    ]


@pytest.mark.req("GAP-37")
def test_fine_rules_keep_to_their_hours():
    starts = falls(
        "FREQ=MINUTELY;INTERVAL=90;BYHOUR=9,10,11,12", dt.datetime(2026, 1, 5, 9), days=1, duration=HOUR / 4
    )
    assert [(s.astimezone(PARIS).hour, s.minute) for s in starts] == [(9, 0), (10, 30), (12, 0)]
    assert len(falls("FREQ=SECONDLY;INTERVAL=3600;COUNT=30", dt.datetime(2026, 1, 5, 9), days=9)) == 30
    assert len(falls("FREQ=HOURLY;BYDAY=SA;BYMINUTE=0,30", dt.datetime(2026, 1, 3), days=14)) == 96


@pytest.mark.req("GAP-37")
@pytest.mark.parametrize(
    ("until", "number"),
    [("20260112", 8), ("20260112T090000Z", 8), ("20260112T085959Z", 7), ("20260112T100000", 8), ("20260111", 7)],
)
def test_the_end_is_included(until, number):
    assert len(falls(f"FREQ=DAILY;UNTIL={until}", dt.datetime(2026, 1, 5, 10))) == number


def test_a_number_is_counted_from_the_beginning_and_not_from_the_window():
    found = occurrences(
        dt.datetime(2026, 1, 5, 10),
        PARIS,
        HOUR,
        Rule(Freq.WEEKLY, count=10),
        window=(utc(2026, 3, 1), utc(2027, 1, 1)),
    )
    assert [o.recurrence_id.date() for o in found] == [dt.date(2026, 3, 2), dt.date(2026, 3, 9)]


def test_the_start_that_was_said_is_the_first_even_off_the_rule():
    assert [d.day for d in local_days("FREQ=WEEKLY;BYDAY=MO;COUNT=3", dt.datetime(2026, 1, 8, 9))] == [8, 12, 19]


@pytest.mark.parametrize(("opening", "days"), [(utc(2026, 1, 6, 9, 30), [6, 7]), (utc(2026, 1, 6, 10), [7])])
def test_what_overlaps_the_window_is_given(opening, days):
    window = (opening, utc(2026, 1, 8, 9))
    found = occurrences(dt.datetime(2026, 1, 5, 10), PARIS, HOUR, Rule(Freq.DAILY), window=window)
    assert [o.recurrence_id.day for o in found] == days, "what ends or begins on its edges is out"


def test_what_began_days_before_the_window_is_given():
    marquises = ZoneInfo("Pacific/Marquesas")
    start = dt.datetime(2025, 12, 29, 23)
    window = (utc(2026, 1, 8), utc(2026, 1, 9))
    (only,) = occurrences(start, marquises, 40 * HOUR, Rule(Freq.WEEKLY), window=window)
    assert only.recurrence_id == dt.datetime(2026, 1, 5, 23)


def test_an_identifier_does_not_depend_on_the_window():
    rule = rule_from_text("FREQ=WEEKLY;INTERVAL=3;BYDAY=TU,TH")
    start = dt.datetime(2026, 1, 6, 9)
    whole = occurrences(start, PARIS, HOUR, rule, window=(utc(2026, 1, 1), utc(2027, 1, 1)))
    part = occurrences(start, PARIS, HOUR, rule, window=(utc(2026, 6, 1), utc(2026, 8, 1)))
    assert part and set(part) <= set(whole)


# -- Bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "start", "duration", "refused"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", dt.datetime(2026, 1, 1), HOUR, RuleNeverOccurs),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", dt.datetime(2026, 1, 1), HOUR, RuleNeverOccurs),
        ("FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30", dt.datetime(2026, 1, 1), HOUR, RuleNeverOccurs),
        ("FREQ=MONTHLY;BYDAY=MO;BYSETPOS=6", dt.datetime(2026, 1, 1), HOUR, RuleNeverOccurs),
        ("FREQ=SECONDLY;INTERVAL=2;BYSECOND=1", dt.datetime(2026, 1, 1), HOUR, RuleTooFine),
        ("FREQ=DAILY;UNTIL=20251231", dt.datetime(2026, 1, 1), HOUR, UntilBeforeStart),
        ("FREQ=DAILY", dt.datetime(2026, 1, 1), dt.timedelta(0), EndBeforeStart),
        ("FREQ=DAILY", dt.datetime(2026, 1, 1), -HOUR, EndBeforeStart),
        ("FREQ=DAILY", dt.datetime(2026, 1, 1), dt.timedelta(days=400), TooLong),
        ("FREQ=DAILY", dt.datetime(1, 1, 1), HOUR, OutOfTime),
        ("FREQ=DAILY", dt.datetime(9999, 12, 31), HOUR, OutOfTime),
    ],
)
def test_what_should_not_be_written_is_refused(rule, start, duration, refused):
    with pytest.raises(refused) as said:
        check(start, PARIS, duration, rule_from_text(rule))
    assert "…" not in str(said.value) and str(said.value).endswith(".")


@pytest.mark.parametrize(
    "rule", ["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "FREQ=WEEKLY;COUNT=1", "FREQ=SECONDLY"]
)
def test_a_rule_that_falls_is_accepted(rule):
    check(dt.datetime(2026, 1, 1, 9), PARIS, HOUR, rule_from_text(rule))


@pytest.mark.parametrize("rule", ["FREQ=SECONDLY", "FREQ=MINUTELY", "FREQ=HOURLY;BYSECOND=1,2,3,4,5,6,7,8,9"])
def test_ten_thousand_times_is_refused_with_the_number(rule):
    with pytest.raises(TooManyOccurrences) as said:
        falls(rule, dt.datetime(2026, 1, 1), days=36500)
    assert "plus de 1000 fois" in str(said.value)


AWKWARD = st.builds(
    lambda freq, interval, lists: ";".join([f"FREQ={freq}", f"INTERVAL={interval}", *lists]),
    st.sampled_from(list(Freq)),
    st.sampled_from([1, 2, 7, 59, 60, 3601, 86399, 86400 * 400, 999_999_999]),
    st.lists(
        st.sampled_from(
            ["BYMONTH=2", "BYMONTHDAY=30,31", "BYMONTHDAY=-31", "BYDAY=5MO", "BYDAY=SU", "BYYEARDAY=366"]
            + ["BYWEEKNO=53", "BYHOUR=23", "BYMINUTE=1,3,5", "BYSECOND=1", "BYSETPOS=-366", "COUNT=100000"]
        ),
        max_size=5,
        unique_by=lambda part: part.partition("=")[0],
    ),
)


@settings(max_examples=150, deadline=None)
@given(AWKWARD, st.sampled_from([dt.datetime(1900, 1, 1), dt.datetime(2026, 3, 29, 2, 30), dt.datetime(2024, 2, 29)]))
def test_no_rule_holds_the_process(text, start):
    before = time.process_time()
    try:
        rule = rule_from_text(text)
        check(start, PARIS, HOUR, rule)
        occurrences(start, PARIS, HOUR, rule, window=(utc(2026, 1, 1), utc(2028, 1, 1)))
    except RecurrenceRefused:
        pass
    assert time.process_time() - before < 1.5


# -- Judged by another ------------------------------------------------------------------------------------------------

EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}"
    "\r\nDURATION:PT45M\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)


def judged(text, start, zone, window):
    calendar = icalendar.Calendar.from_ical(EVENT.format(zone=zone.key, start=start, rule=text))
    events = recurring_ical_events.of(calendar).between(*window)
    return sorted({event["DTSTART"].dt.astimezone(dt.UTC) for event in events})


def some(values, most=3):
    return st.lists(st.sampled_from(list(values)), min_size=1, max_size=most, unique=True).map(tuple)


weekdays = some(range(7)).map(lambda values: tuple(Day(value) for value in values))
nth_weekdays = st.builds(lambda day, nth: (Day(day, nth),), st.integers(0, 6), st.sampled_from([1, 2, 3, 4, -1, -2]))
months = st.one_of(st.just(()), some(range(1, 13)))
month_days = some([1, 2, 13, 28, 29, 30, 31, -1, -2, -29])
LISTS = {
    Freq.YEARLY: st.one_of(
        st.fixed_dictionaries({"by_month": months, "by_month_day": month_days}),
        st.fixed_dictionaries({"by_month": months, "by_day": st.one_of(weekdays, nth_weekdays)}),
        st.fixed_dictionaries({"by_year_day": some([1, 59, 60, 61, 365, 366, -1, -366])}),
        st.fixed_dictionaries({"by_week_no": some([1, 2, 20, 52, 53, -1]), "by_day": weekdays}),
    ),
    Freq.MONTHLY: st.one_of(
        st.fixed_dictionaries({"by_month": months, "by_month_day": month_days}),
        st.fixed_dictionaries({"by_day": st.one_of(weekdays, nth_weekdays)}),
        st.fixed_dictionaries({"by_day": weekdays, "by_set_pos": some([1, 2, -1])}),
    ),
    Freq.WEEKLY: st.fixed_dictionaries({"by_day": weekdays, "by_month": months}),
    Freq.DAILY: st.fixed_dictionaries({"by_hour": some(range(24)), "by_month": months}),
    Freq.HOURLY: st.fixed_dictionaries({"by_day": weekdays, "by_minute": some([0, 15, 30])}),
    Freq.MINUTELY: st.fixed_dictionaries({"by_hour": some(range(24), 2), "by_minute": some([0, 15, 30], 2)}),
}


@st.composite
def rules(draw):
    freq = draw(st.sampled_from(list(LISTS)))
    lists = draw(st.one_of(st.just({}), LISTS[freq]))
    return Rule(freq, interval=draw(st.integers(1, 5)), wkst=draw(st.integers(0, 6)), **lists)


STARTS = [
    *(dt.datetime(2026, 3, 20, 2, 30), dt.datetime(2026, 3, 29, 10), dt.datetime(2026, 10, 20, 2, 30)),
    *(dt.datetime(2026, 10, 25, 23, 45), dt.datetime(2026, 12, 31, 23, 30), dt.datetime(2027, 1, 1)),
    *(dt.datetime(2024, 2, 29, 9), dt.datetime(2025, 12, 29, 8, 15), dt.datetime(2020, 2, 3, 14)),
]


@pytest.mark.req("GAP-37", "REL-19")
@settings(max_examples=150, deadline=None)
@given(rules(), st.sampled_from(STARTS), st.sampled_from([PARIS, MARTINIQUE, REUNION]), st.integers(0, 700))
def test_recurring_ical_events_says_the_same(rule, start, zone, later):
    opening = instant(start, zone) + dt.timedelta(days=later)
    window = (opening, opening + dt.timedelta(days=60))
    try:
        ours = occurrences(start, zone, dt.timedelta(minutes=45), rule, window=window)
    except (TooManyOccurrences, RuleTooFine):
        assume(False)
    try:
        theirs = judged(rule_to_text(rule, zone), start, zone, window)
    except BadRuleStringFormat:
        # They refuse a fine rule whose interval never meets its hours.
        with pytest.raises((RuleNeverOccurs, RuleTooFine)):
            check(start, zone, HOUR, rule)
        return
    assert sorted({o.start for o in ours}) == theirs


@pytest.mark.req("GAP-37")
@settings(max_examples=60, deadline=None)
@given(rules(), st.sampled_from(STARTS), st.integers(1, 20))
def test_they_count_as_many(rule, start, count):
    """From a start that the rule itself gives: off the rule, they do not count it (RFC 5545 does)."""
    window = (utc(2019, 1, 1), utc(2031, 1, 1))
    try:
        endless = occurrences(start, REUNION, HOUR / 4, rule, window=window, limit=5000)
    except (TooManyOccurrences, RuleTooFine):
        assume(False)
    assume(len(endless) > 1)
    first = endless[1].recurrence_id
    counted = Rule(**{**{f: getattr(rule, f) for f in rule.__slots__}, "count": count})
    ours = occurrences(first, REUNION, HOUR / 4, counted, window=window)
    assert [o.start for o in ours] == judged(rule_to_text(counted, REUNION), first, REUNION, window)
