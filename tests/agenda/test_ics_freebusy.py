"""Openings and busy times as other software reads them (GAP-99)."""

import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given

from agenda.ics import text
from agenda.ics.events import Attendee
from agenda.ics.freebusy import Band, Opening, Told, availability, free_busy
from agenda.recurrence import occurrences
from agenda.rule_formats import rule_from_text
from tests.agenda.ics_made import MOMENTS, NASTY, unfolded

PARIS = ZoneInfo("Europe/Paris")
STAMP = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
WINDOW = (dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 5, 1, tzinfo=dt.UTC))


def walk(body, name):
    calendar = icalendar.Calendar.from_ical(body)
    assert all(not component.errors for component in calendar.walk())
    return calendar.walk(name)


def opening(rule="FREQ=WEEKLY;BYDAY=MO,WE,FR", **said):
    start = dt.datetime(2026, 3, 2, 9, tzinfo=PARIS)
    said = {"uid": "plage-1", "start": start, "end": start + dt.timedelta(hours=3), "zone": "Europe/Paris",
            "last_modified": STAMP, "created": STAMP} | said  # fmt: skip
    return Opening(rule=rule_from_text(rule) if rule else None, **said)


@pytest.mark.req("GAP-99")
def test_slots_are_told_by_their_status():
    start = dt.datetime(2026, 3, 2, 9, tzinfo=PARIS)
    quarter = dt.timedelta(minutes=15)
    bands = [Band(start + number * quarter, start + (number + 1) * quarter, told) for number, told in enumerate(Told)]
    (found,) = walk(
        free_busy(
            [*bands, Band(start, start)], uid="agenda-1", window=WINDOW, stamp=STAMP,
            who=Attendee("infirmiere@exemple.fr", "Cabinet des Lilas"), comment="Sur rendez-vous ; étage 2",
        ),
        "VFREEBUSY",
    )  # fmt: skip
    assert (found["uid"], found["dtstart"].dt, found["dtend"].dt, found["dtstamp"].dt) == ("agenda-1", *WINDOW, STAMP)
    assert (found["attendee"], found["comment"]) == ("mailto:infirmiere@exemple.fr", "Sur rendez-vous ; étage 2")
    assert found["attendee"].params["CN"] == "Cabinet des Lilas"
    told = {one.params["FBTYPE"]: (one.start, one.end) for one in found["freebusy"]}
    assert told == {str(band.told): (band.start, band.end) for band in bands}


def test_many_periods_hold_on_lines_of_a_common_length():
    start = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
    bands = [Band(start + dt.timedelta(hours=n), start + dt.timedelta(hours=n, minutes=30)) for n in range(120)]
    body = free_busy(reversed(bands), uid="1", window=WINDOW, stamp=STAMP)
    lines = [line for line in unfolded(body) if line.startswith("FREEBUSY")]
    assert [line.count("/") for line in lines] == [50, 50, 20]
    assert "20260301T000000Z/20260301T003000Z" in lines[0] and body == free_busy(
        bands, uid="1", window=WINDOW, stamp=STAMP
    )


@pytest.mark.req("GAP-99")
def test_an_opening_is_an_available_that_its_rule_repeats():
    found = walk(availability([opening(location="Bureau 2")], uid="agenda-1", stamp=STAMP, name="Agenda"), "AVAILABLE")
    (one,) = found
    assert (one["uid"], one["created"].dt, one["location"]) == ("plage-1", STAMP, "Bureau 2")
    assert (one["dtstart"].dt.hour, one["dtend"].dt.hour) == (9, 12) and one["dtstart"].params[
        "TZID"
    ] == "Europe/Paris"
    assert one["rrule"].to_ical() == b"FREQ=WEEKLY;BYDAY=MO,WE,FR"


def test_outside_one_is_not_free_and_what_is_closed_is_laid_over():
    away = (dt.datetime(2026, 3, 9, tzinfo=PARIS), dt.datetime(2026, 3, 16, tzinfo=PARIS))
    body = availability([opening()], [away], uid="agenda-1", stamp=STAMP)
    whole, closed = walk(body, "VAVAILABILITY")
    assert whole["busytype"] == closed["busytype"] == "BUSY-UNAVAILABLE"
    assert len(whole.subcomponents) == 1 and closed.subcomponents == []
    assert closed["priority"] < whole["priority"], "RFC 7953 §4: the smallest number wins"
    assert (closed["dtstart"].dt, closed["dtend"].dt) == away and "dtstart" not in whole
    assert closed["uid"] != whole["uid"]


@pytest.mark.req("GAP-99", "GAP-37", "REL-19")
@pytest.mark.parametrize(
    "rule",
    ["FREQ=DAILY", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=DAILY;COUNT=30",
     "FREQ=WEEKLY;UNTIL=20260405", "FREQ=WEEKLY;UNTIL=20260406T070000Z;BYDAY=MO", ""],
)  # fmt: skip
def test_openings_are_repeated_by_others_as_by_us(rule):
    one = opening(rule, except_at=(dt.datetime(2026, 3, 30, 9, tzinfo=PARIS),))
    body = availability([one], uid="agenda-1", stamp=STAMP)
    # The library that repeats events does not know AVAILABLE, which repeats as they do.
    begin, end = body.index(b"BEGIN:AVAILABLE"), body.index(b"END:VAVAILABILITY")
    head = body[: body.index(b"BEGIN:VAVAILABILITY")]
    calendar = icalendar.Calendar.from_ical(
        head + body[begin:end].replace(b":AVAILABLE", b":VEVENT") + b"END:VCALENDAR\r\n"
    )
    theirs = sorted(
        (event["dtstart"].dt.astimezone(dt.UTC), event["dtend"].dt.astimezone(dt.UTC))
        for event in recurring_ical_events.of(calendar).between(*WINDOW)
    )
    local = one.start.replace(tzinfo=None)
    ours = occurrences(local, PARIS, one.end - one.start, one.rule, window=WINDOW)
    assert theirs == [(at.start, at.end) for at in ours if at.recurrence_id != dt.datetime(2026, 3, 30, 9)]
    assert theirs


@given(NASTY, NASTY, NASTY, MOMENTS)
def test_no_text_begins_a_line(uid, comment, location, moment):
    later = moment + dt.timedelta(hours=1)
    who = Attendee("a@exemple.fr", comment)
    content = unfolded(free_busy([Band(moment, later)], uid=uid, window=(moment, later), stamp=STAMP, who=who,
                                 comment=comment))  # fmt: skip
    assert sorted({line.split(":")[0].split(";")[0] for line in content} - {"ATTENDEE", "COMMENT"}) == [
        "BEGIN", "CALSCALE", "DTEND", "DTSTAMP", "DTSTART", "END", "FREEBUSY", "PRODID", "UID", "VERSION",
    ]  # fmt: skip
    body = availability([opening(uid=uid, location=location)], [(moment, later)], uid=uid, stamp=STAMP)
    assert "BEGIN:VALARM" not in unfolded(body) and "END:VEVENT" not in unfolded(body)
    (found,) = walk(body, "AVAILABLE")
    assert str(found.get("location", "")) == text.clean(location)
