"""What a feed says is what was put in it, whoever reads it; nothing that people type begins a line."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agenda.ics import text
from agenda.ics.events import Attendee, Line, Part, Status, days, vevent
from agenda.ics.feed import feed
from tests.agenda.ics_made import NASTY, ZONES, lines, unfolded

PARIS = ZoneInfo("Europe/Paris")
MADE = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
OF_AN_EVENT = {
    "BEGIN", "END", "SUMMARY", "DTSTART", "DTEND", "DTSTAMP", "UID", "RECURRENCE-ID", "SEQUENCE", "CATEGORIES",
    "CLASS", "CREATED", "DESCRIPTION", "LAST-MODIFIED", "LOCATION", "ATTENDEE", "ORGANIZER", "PRIORITY", "STATUS",
    "TRANSP", "URL",
}  # fmt: skip


def event(hour=9, zone="Europe/Paris", **said):
    start = dt.datetime(2026, 3, 2, hour, tzinfo=ZoneInfo(zone))
    said = {"uid": "1@exemple.fr", "start": start, "end": start + dt.timedelta(hours=1), "zone": zone,
            "last_modified": MADE} | said  # fmt: skip
    return Line(**said)


def read(body):
    calendar = icalendar.Calendar.from_ical(body)
    assert all(not component.errors for component in calendar.walk())
    return calendar


def only(body):
    (found,) = read(body).walk("VEVENT")
    return found


@given(st.lists(lines(), max_size=3))
def test_no_text_begins_a_line(made):
    content = unfolded(feed(made, name="Mon agenda"))
    inside = "\r\n".join(content).split("BEGIN:VEVENT", 1)
    names = {re.split("[;:]", line)[0] for line in ("BEGIN:VEVENT" + inside[1]).split("\r\n")} if made else set()
    assert names <= OF_AN_EVENT
    assert sum(line == "BEGIN:VEVENT" for line in content) == len(made)
    assert [line for line in content if line.startswith(("BEGIN", "END")) and "VEVENT" not in line][
        -1
    ] == "END:VCALENDAR"


@given(NASTY)
def test_no_name_of_a_calendar_begins_a_line(name):
    content = unfolded(feed([], name=name))
    assert {re.split("[;:]", line)[0] for line in content} <= {
        "BEGIN", "END", "VERSION", "PRODID", "CALSCALE", "NAME", "X-WR-CALNAME", "REFRESH-INTERVAL", "X-PUBLISHED-TTL",
    }  # fmt: skip


@given(lines())
def test_what_is_written_is_what_is_read(line):
    found = only(feed([line], name="Mon agenda"))
    for name in ("summary", "description", "location"):
        wanted = text.clean(getattr(line, name))
        assert str(found.get(name, "")) == wanted
    assert str(found["uid"]) == text.clean(line.uid)
    assert (found["sequence"], found["status"], found["class"]) == (line.sequence, line.status, line.confidentiality)
    assert found["transp"] == ("OPAQUE" if line.busy else "TRANSPARENT")
    assert found["dtstamp"].dt == found["last-modified"].dt == line.last_modified
    assert (found["created"].dt if "created" in found else None) == line.created
    if line.all_day:
        assert (found["dtstart"].dt, found["dtend"].dt) == days(line)
    else:
        assert found["dtstart"].dt == line.start
        assert (found["dtend"].dt if "dtend" in found else line.start) == line.end
        assert (found["recurrence-id"].dt if "recurrence-id" in found else None) == line.recurrence_id
    categories = found["categories"].cats if "categories" in found else []
    assert [str(name) for name in categories if name] == [
        text.clean(name) for name in line.categories if text.clean(name)
    ]
    attendees = found.get("attendee", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]
    assert [
        (str(one), one.params.get("CN", ""), one.params["PARTSTAT"], one.params["ROLE"], "RSVP" in one.params)
        for one in attendees
    ] == [
        (f"mailto:{one.address}", text.clean(one.name).replace("\\", "/"), one.part,
         "REQ-PARTICIPANT" if one.required else "OPT-PARTICIPANT", one.rsvp)
        for one in line.attendees
    ]  # fmt: skip


def by_library(line):
    """Return the same event as the library writes it."""
    made = icalendar.Event()
    for name in ("summary", "description", "location", "url"):
        if getattr(line, name):
            made.add(name, getattr(line, name))
    zone = ZoneInfo(line.zone)
    made.add("uid", line.uid)
    made.add("sequence", line.sequence)
    made.add("dtstamp", line.last_modified)
    made.add("last-modified", line.last_modified)
    made.add("status", line.status.value)
    made.add("class", line.confidentiality.value)
    made.add("transp", "OPAQUE" if line.busy else "TRANSPARENT")
    if line.created:
        made.add("created", line.created)
    if line.priority:
        made.add("priority", line.priority)
    if line.categories:
        made.add("categories", list(line.categories))
    first, after = days(line) if line.all_day else (line.start.astimezone(zone), line.end.astimezone(zone))
    made.add("dtstart", first)
    made.add("dtend", after)
    return made.to_ical().decode()


@settings(max_examples=50)
@given(lines(words=st.text(st.characters(codec="ascii", exclude_characters="\\\r\x7f", min_codepoint=32), min_size=1)))
def test_events_are_those_of_the_library_to_the_letter(line):
    """Folding apart: both cut where they like."""
    told = by_replacing(line, organizer=None, attendees=(), recurrence_id=None, url="https://exemple.fr/a?b=c")
    hour_twice = any(moment.astimezone(ZoneInfo(told.zone)).fold for moment in (told.start, told.end))
    if told.end > told.start and not hour_twice:
        assert re.sub("\r\n ", "", vevent(told)) == re.sub("\r\n ", "", by_library(told))


def by_replacing(line, **changed):
    return Line(**({name: getattr(line, name) for name in Line.__slots__} | changed))


def test_the_same_events_are_the_same_bytes():
    made = [event(uid=str(number), hour=number) for number in range(5)]
    assert feed(made, name="Agenda") == feed(tuple(made), name="Agenda")
    assert (
        feed([], name="")
        == (
            f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{text.PRODID}\r\nCALSCALE:GREGORIAN\r\n"
            "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\nEND:VCALENDAR\r\n"
        ).encode()
    )


def test_a_feed_is_not_a_message_and_says_how_often_to_come_back():
    calendar = read(feed([event()], name="Agenda", refresh=dt.timedelta(minutes=90)))
    assert "method" not in calendar
    assert calendar["refresh-interval"].dt == dt.timedelta(minutes=90)
    assert calendar["name"] == calendar["x-wr-calname"] == "Agenda"


@pytest.mark.req("REL-19")
@pytest.mark.parametrize("zone", ZONES)
def test_each_event_is_told_in_its_zone_and_the_zone_is_defined(zone):
    """Read without knowing the names: by the definition that goes with the calendar.

    The library keeps what a name was once defined as, hence a name for each.
    """
    other = f"Ailleurs-{ZONES.index(zone)}"
    for month in (1, 3, 7, 10):
        start = dt.datetime(2026, month, 28, 23, 30, tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
        body = feed([event(zone=zone, start=start, end=start + dt.timedelta(hours=3))], name="Agenda")
        found = only(re.sub(rf"TZID([=:]){zone}", rf"TZID\1{other}", body.decode()).encode())
        assert found["dtstart"].dt.utcoffset() is not None
        assert (found["dtstart"].dt, found["dtend"].dt) == (start, start + dt.timedelta(hours=3))


@pytest.mark.req("REL-19")
def test_an_hour_that_happens_twice_is_told_without_doubt():
    first = dt.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS)
    second = first.replace(fold=1)
    body = feed([event(start=first, end=second.astimezone(dt.UTC))], name="Agenda")
    assert b"DTSTART;TZID=Europe/Paris:20261025T023000\r\n" in body
    assert b"DTEND:20261025T013000Z\r\n" in body
    found = only(body)
    assert found["dtend"].dt - found["dtstart"].dt.astimezone(dt.UTC) == dt.timedelta(hours=1)


@pytest.mark.parametrize(
    ("start", "end", "first", "after"),
    [
        ("2026-03-02T00:00", "2026-03-03T00:00", "20260302", "20260303"),
        ("2026-03-02T00:00", "2026-03-02T00:00", "20260302", "20260303"),
        ("2026-03-28T00:00", "2026-03-30T00:00", "20260328", "20260330"),
        ("2026-12-31T10:00", "2026-12-31T11:00", "20261231", "20270101"),
        ("2028-02-28T00:00", "2028-02-29T23:59", "20280228", "20280301"),
    ],
)
def test_whole_days_are_those_of_the_place(start, end, first, after):
    moments = [dt.datetime.fromisoformat(said).replace(tzinfo=PARIS).astimezone(dt.UTC) for said in (start, end)]
    body = feed([event(start=moments[0], end=moments[1], all_day=True)], name="Agenda")
    assert f"DTSTART;VALUE=DATE:{first}\r\nDTEND;VALUE=DATE:{after}\r\n".encode() in body
    assert b"VTIMEZONE" not in body


def test_what_is_not_told_is_not_written():
    content = unfolded(feed([event(busy=False, status=Status.CANCELLED, sequence=3)], name=""))
    begin = content.index("BEGIN:VEVENT")
    assert content[begin:-1] == [
        "BEGIN:VEVENT", "DTSTART;TZID=Europe/Paris:20260302T090000", "DTEND;TZID=Europe/Paris:20260302T100000",
        "DTSTAMP:20260301T120000Z", "UID:1@exemple.fr", "SEQUENCE:3", "CLASS:PRIVATE",
        "LAST-MODIFIED:20260301T120000Z", "STATUS:CANCELLED", "TRANSP:TRANSPARENT", "END:VEVENT",
    ]  # fmt: skip


def test_an_address_keeps_its_scheme():
    made = event(
        organizer=Attendee("agenda@exemple.fr", "Agenda"),
        attendees=(Attendee("urn:uuid:4a1f", "Étage 2 ; « bureau »", Part.ACCEPTED),),
        attachments=("https://exemple.fr/document 1\r\nX:y",),
    )
    found = only(feed([made], name=""))
    assert str(found["organizer"]) == "mailto:agenda@exemple.fr"
    assert str(found["attendee"]) == "urn:uuid:4a1f" and found["attendee"].params["CN"] == "Étage 2 ; « bureau »"
    assert str(found["attach"]) == "https://exemple.fr/document%201X:y"


def test_a_definition_stays_short_whatever_the_dates():
    far = dt.datetime(9998, 6, 1, tzinfo=dt.UTC)
    body = feed([event(), event(start=far, end=far)], name="")
    assert len(body) < 8000
