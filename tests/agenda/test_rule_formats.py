"""Rules read and written: the text of iCalendar, the rrule of an availabilityTime."""

import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenda.rule_formats import RuleNotExpressible, rule_from_fhir, rule_from_text, rule_to_fhir, rule_to_text
from agenda.rules import Day, Freq, Rule, RuleMalformed
from tests.agenda.test_recurrence import rules

PARIS = ZoneInfo("Europe/Paris")


def gap(*parts, freq="WEEKLY"):
    return {"url": "rrule", "extension": [{"url": "freq", "valueCoding": {"code": freq}}, *parts]}


# -- iCalendar -------------------------------------------------------------------------------------------------------


@given(rules())
def test_what_is_written_as_text_is_read_back(rule):
    text = rule_to_text(rule)
    assert rule_from_text(text) == rule
    assert rule_from_text(f"RRULE:{icalendar.vRecur.from_ical(text).to_ical().decode()}") == rule, "and by others"


def test_a_rule_is_read_as_others_write_it():
    rule = rule_from_text("RRULE:FREQ=MONTHLY;UNTIL=20271231T225959Z;INTERVAL=2;BYDAY=+2MO,-1FR;WKST=SU")
    assert rule == Rule(
        Freq.MONTHLY,
        interval=2,
        until=dt.datetime(2027, 12, 31, 22, 59, 59, tzinfo=dt.UTC),
        by_day=(Day(0, 2), Day(4, -1)),
        wkst=6,
    )


@pytest.mark.req("REL-19")
@pytest.mark.parametrize(
    ("until", "written"),
    [
        (dt.date(2026, 7, 1), "20260701T215959Z"),
        (dt.date(2026, 12, 31), "20261231T225959Z"),
        (dt.datetime(2026, 7, 1, 10), "20260701T080000Z"),
        (dt.datetime(2026, 7, 1, 10, tzinfo=dt.UTC), "20260701T100000Z"),
        (dt.date(9999, 12, 31), "99991231T225959Z"),
    ],
)
def test_an_end_is_written_in_utc_when_the_start_has_a_zone(until, written):
    assert f";UNTIL={written}" in rule_to_text(Rule(Freq.DAILY, until=until), PARIS)


def test_an_end_is_written_as_it_was_said_otherwise():
    assert rule_to_text(Rule(Freq.DAILY, until=dt.date(2026, 7, 1))) == "FREQ=DAILY;UNTIL=20260701"
    assert rule_to_text(Rule(Freq.DAILY, until=dt.datetime(2026, 7, 1, 10))) == "FREQ=DAILY;UNTIL=20260701T100000"


@pytest.mark.parametrize(
    "text",
    [
        *("", "FREQ", "FREQ=", "FREQ=FORTNIGHTLY", "INTERVAL=2", "FREQ=DAILY;FREQ=DAILY", "FREQ=DAILY;X=1"),
        *("FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=2.5", "FREQ=DAILY;COUNT=0"),
        *("FREQ=DAILY;COUNT=1;UNTIL=20300101", "FREQ=DAILY;UNTIL=20301301", "FREQ=DAILY;UNTIL=hier"),
        *("FREQ=DAILY;UNTIL=18991231", "FREQ=WEEKLY;BYDAY=XX", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=MONTHLY;BYDAY=0MO"),
        *("FREQ=MONTHLY;BYDAY=54MO", "FREQ=DAILY;BYWEEKNO=1", "FREQ=MONTHLY;BYYEARDAY=1", "FREQ=WEEKLY;BYMONTHDAY=1"),
        *("FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO", "FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;WKST=ZZ", "FREQ=DAILY;BYMONTH=13"),
        *("FREQ=DAILY;BYMONTH=0", "FREQ=DAILY;BYMONTH=-1", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYSECOND=60"),
        *("FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=MONTHLY;BYMONTHDAY=0", "FREQ=DAILY;BYHOUR=" + "1," * 900 + "1"),
        "FREQ=DAILY;COUNT=" + "9" * 50,
    ],
)
def test_a_text_that_says_nothing_possible_is_refused(text):
    with pytest.raises(RuleMalformed) as said:
        rule_from_text(text)
    assert str(said.value).startswith("Cette règle de répétition n’est pas valable : ")


@given(st.text(alphabet="FREQ=DAILYBYMO;,0123456789-:TZ", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        rule_from_text("FREQ=DAILY;" + text)
    except RuleMalformed:
        pass


# -- GAP -------------------------------------------------------------------------------------------------------------


@pytest.mark.req("GAP-37")
@given(rules())
def test_what_is_written_for_gap_is_read_back(rule):
    try:
        written = rule_to_fhir(rule, PARIS)
    except RuleNotExpressible:
        assert rule.by_set_pos or 0 in (*rule.by_hour, *rule.by_minute, *rule.by_second)
        return
    assert rule_from_fhir(written) == rule


@pytest.mark.req("GAP-37")
def test_a_rule_of_gap_has_the_types_of_the_guide():
    rule = Rule(
        Freq.YEARLY,
        until=dt.datetime(2027, 1, 1, 10),
        by_year_day=(-1,),
        by_month=(12,),
        by_day=(Day(0), Day(1)),
        wkst=6,
    )
    assert rule_to_fhir(rule, PARIS)["extension"] == [
        {"url": "freq", "valueCoding": {"system": "https://www.ietf.org/rfc/rfc2445", "code": "YEARLY"}},
        {"url": "until", "valueDateTime": "2027-01-01T10:00:00+01:00"},
        {"url": "byDay", "valueString": "MO"},
        {"url": "byDay", "valueString": "TU"},
        {"url": "byYearDay", "valueString": "-1"},
        {"url": "byMonth", "valuePositiveInt": 12},
        {"url": "wkst", "valueCode": "sun"},
    ]


@pytest.mark.parametrize(
    ("text", "until"),
    [
        ("2027", dt.date(2027, 12, 31)),
        ("2028-02", dt.date(2028, 2, 29)),
        ("2027-03-04", dt.date(2027, 3, 4)),
        ("2027-03-04T10:00:00Z", dt.datetime(2027, 3, 4, 10, tzinfo=dt.UTC)),
    ],
)
def test_an_end_may_be_a_year_a_month_a_day_or_an_instant(text, until):
    assert rule_from_fhir(gap({"url": "until", "valueDateTime": text})).until == until


@pytest.mark.req("GAP-36")
@pytest.mark.parametrize(
    "extension",
    [
        {"url": "rrule", "extension": []},
        {"url": "rrule"},
        {"url": "rrule", "extension": [{"url": "interval", "valueInteger": 2}]},
        {"url": "rrule", "extension": [{"url": "freq", "valueCode": "DAILY"}]},
        {"url": "rrule", "extension": [{"url": "freq", "valueCoding": {"system": "urn:x", "code": "DAILY"}}]},
        gap(freq="weekly"),
        gap(freq=None),
        gap({"url": "count"}),
        gap({"url": "count", "valueInteger": 0}),
        gap({"url": "until", "valueDateTime": "2027-13"}),
        gap({"url": "wkst", "valueCode": "MO"}),
        gap({"url": "byDay", "valueString": "lundi"}),
        gap({"url": "bySetPos", "valueInteger": 1}),
    ],
)
def test_a_rule_of_gap_without_a_known_frequency_is_refused(extension):
    with pytest.raises(RuleMalformed):
        rule_from_fhir(extension)


@pytest.mark.req("GAP-36")
@pytest.mark.parametrize("freq", list(Freq))
def test_the_seven_frequencies_are_accepted(freq):
    assert rule_from_fhir(gap(freq=str(freq))).freq is freq
