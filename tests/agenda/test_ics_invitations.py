"""What an invitation by mail says, which is little, and what is believed of the answer, which is less."""

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agenda.ics import text
from agenda.ics.errors import ReplyRefused
from agenda.ics.events import Part
from agenda.ics.invitations import (
    Invitation,
    Kind,
    Method,
    Reply,
    cancellation,
    read_reply,
    request,
)
from tests.agenda.ics_made import ADDRESSES, MOMENTS, NASTY, ZONES, unfolded

PARIS = ZoneInfo("Europe/Paris")
START = dt.datetime(2026, 3, 28, 10, tzinfo=PARIS)
INVITATION = Invitation(
    uid="018f-1@coordination.exemple",
    start=START,
    end=START + dt.timedelta(hours=1),
    zone="Europe/Paris",
    sequence=1,
    stamp=dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC),
    organizer="agenda@coordination.exemple",
    attendee="infirmiere@exemple.fr",
    kind=Kind.MEETING,
    url="https://coordination.exemple/r/abc",
)


def read(body):
    calendar = icalendar.Calendar.from_ical(body)
    assert all(not component.errors for component in calendar.walk())
    (found,) = calendar.walk("VEVENT")
    return str(calendar["method"]), found


@pytest.mark.req("SEC-22")
def test_an_invitation_says_when_and_nothing_of_whom_or_why():
    """Every word of it is known beforehand: this is all that travels as ordinary mail."""
    content = unfolded(request(INVITATION))
    begin = content.index("BEGIN:VEVENT")
    assert content[:5] == [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{text.PRODID}", "CALSCALE:GREGORIAN", "METHOD:REQUEST",
    ]  # fmt: skip
    assert content[begin:] == [
        "BEGIN:VEVENT", "SUMMARY:Réunion", "DTSTART;TZID=Europe/Paris:20260328T100000",
        "DTEND;TZID=Europe/Paris:20260328T110000", "DTSTAMP:20260301T120000Z", "UID:018f-1@coordination.exemple",
        "SEQUENCE:1", "CLASS:PRIVATE", "LAST-MODIFIED:20260301T120000Z",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:mailto:infirmiere@exemple.fr",
        "ORGANIZER:mailto:agenda@coordination.exemple", "STATUS:CONFIRMED", "TRANSP:OPAQUE",
        "URL:https://coordination.exemple/r/abc", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip


def test_a_move_keeps_the_answer_and_a_cancellation_cancels():
    moved = replace(INVITATION, start=START + dt.timedelta(days=1), end=START + dt.timedelta(days=1, hours=1),
                    sequence=2, part=Part.ACCEPTED, required=False, tentative=True)  # fmt: skip
    method, event = read(request(moved))
    assert (method, event["sequence"], event["status"]) == ("REQUEST", 2, "TENTATIVE")
    assert dict(event["attendee"].params) == {"PARTSTAT": "ACCEPTED", "ROLE": "OPT-PARTICIPANT"}
    assert event["dtstart"].dt == dt.datetime(2026, 3, 29, 10, tzinfo=PARIS)
    method, event = read(cancellation(replace(moved, sequence=3)))
    assert (method, event["sequence"], event["status"], event["transp"]) == ("CANCEL", 3, "CANCELLED", "TRANSPARENT")
    assert event["uid"] == INVITATION.uid


def test_an_occurrence_of_a_series_is_named_by_its_first_hour():
    _, event = read(request(replace(INVITATION, recurrence_id=START - dt.timedelta(days=7))))
    assert event["recurrence-id"].dt == START - dt.timedelta(days=7)
    _, event = read(request(replace(INVITATION, recurrence_id=START, all_day=True)))
    assert event["recurrence-id"].dt == dt.date(2026, 3, 28)


@given(ADDRESSES, NASTY, MOMENTS, st.sampled_from(ZONES), st.sampled_from(Part), st.none() | MOMENTS)
def test_whatever_we_write_is_read_back(address, uid, start, zone, part, again):
    made = replace(INVITATION, uid=f"a{uid}", attendee=address, zone=zone, part=part, recurrence_id=again)
    body = request(replace(made, start=start, end=start + dt.timedelta(minutes=30)))
    body = body.replace(b"METHOD:REQUEST", b"METHOD:COUNTER", 1)
    wanted = text.clean(made.uid).strip(" \t")
    if wanted.isprintable() and len(wanted) <= 255:
        assert read_reply(body, PARIS) == Reply(
            Method.COUNTER, wanted, address, part, 1, again, start, start + dt.timedelta(minutes=30), made.stamp
        )
    else:
        with pytest.raises(ReplyRefused):
            read_reply(body, PARIS)


# ---- Answers -----------------------------------------------------------------------------------------------------

# As three mail programs write them, names invented.
GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:REPLY
BEGIN:VEVENT
DTSTART:20260328T090000Z
DTEND:20260328T100000Z
DTSTAMP:20260302T081500Z
ORGANIZER;CN=agenda@coordination.exemple:mailto:agenda@coordination.exemple
UID:018f-1@coordination.exemple
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Infirm
 iere;X-NUM-GUESTS=0:mailto:Infirmiere@exemple.fr
X-GOOGLE-CALENDAR-CONTENT-TITLE:Réunion
CREATED:20260301T120000Z
LAST-MODIFIED:20260302T081400Z
LOCATION:
SEQUENCE:1
STATUS:CONFIRMED
SUMMARY:Réunion
TRANSP:OPAQUE
END:VEVENT
END:VCALENDAR
"""
OUTLOOK = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:Romance Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ATTENDEE;PARTSTAT=DECLINED;CN="Infirmiere; de garde":mailto:infirmiere@exemple.fr
COMMENT;LANGUAGE=fr-FR:Je suis en congé\\n
UID:018f-1@coordination.exemple
RECURRENCE-ID;TZID=Romance Standard Time:20260328T100000
SUMMARY;LANGUAGE=fr-FR:Décliné : Réunion
DTSTART;TZID=Romance Standard Time:20260328T100000
DTEND;TZID=Romance Standard Time:20260328T110000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20260302T081500Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:1
X-MICROSOFT-CDO-APPT-SEQUENCE:1
BEGIN:VALARM
DESCRIPTION:REMINDER
TRIGGER;RELATED=START:-PT15M
ACTION:DISPLAY
ATTENDEE:mailto:autre@exemple.fr
END:VALARM
END:VEVENT
END:VCALENDAR
"""
APPLE = """BEGIN:VCALENDAR
METHOD:REPLY
PRODID:-//Apple Inc.//macOS 14.5//EN
VERSION:2.0
BEGIN:VEVENT
UID:018f-1@coordination.exemple
DTSTAMP:20260302T081500Z
DTSTART;TZID=Europe/Paris:20260328T100000
DTEND;TZID=Europe/Paris:20260328T110000
ATTENDEE;PARTSTAT=TENTATIVE:MAILTO:infirmiere@exemple.fr
ORGANIZER:MAILTO:agenda@coordination.exemple
END:VEVENT
END:VCALENDAR
"""
STAMP = dt.datetime(2026, 3, 2, 8, 15, tzinfo=dt.UTC)
ANSWER = Reply(Method.REPLY, INVITATION.uid, INVITATION.attendee, Part.ACCEPTED, 1, stamp=STAMP)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (GOOGLE, ANSWER),
        (OUTLOOK, replace(ANSWER, part=Part.DECLINED, recurrence_id=START.astimezone(dt.UTC))),
        (APPLE, replace(ANSWER, part=Part.TENTATIVE, sequence=0)),
    ],
)
def test_the_answers_of_three_mail_programs(said, answer):
    assert read_reply(said.encode(), PARIS) == answer
    assert read_reply(said.replace("\n", "\r\n").encode(), PARIS) == answer
    assert read_reply(b"\xef\xbb\xbf" + said.encode(), PARIS) == answer


def test_another_time_is_proposed_in_a_zone_of_their_own():
    said = OUTLOOK.replace("METHOD:REPLY", "METHOD:COUNTER").replace("Romance Standard Time", "Chez nous")
    answer = read_reply(said.encode(), ZoneInfo("Indian/Reunion"))
    assert (answer.start, answer.end) == (START, START + dt.timedelta(hours=1)), "read by the offsets that are defined"


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("METHOD:REPLY", "METHOD:REQUEST"),
        ("METHOD:REPLY", "METHOD:CANCEL"),
        ("METHOD:REPLY\n", ""),
        ("TENTATIVE", "DELEGATED"),
        ("TENTATIVE", "PEUT-ÊTRE"),
        ("MAILTO:infirmiere@exemple.fr", "urn:uuid:4a1f"),
        ("MAILTO:infirmiere@exemple.fr", "mailto:infirmiere@exemple.fr,autre@exemple.fr"),
        ("MAILTO:infirmiere@exemple.fr", "mailto:infirmiere%40exemple.fr@exemple.fr"),
        ("MAILTO:infirmiere@exemple.fr", "mailto:infirmiere%0a@exemple.fr"),
        ("ORGANIZER:MAILTO:agenda@coordination.exemple", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:autre@exemple.fr"),
        ("UID:018f-1@coordination.exemple\n", ""),
        ("UID:018f-1@coordination.exemple", f"UID:{'a' * 256}"),
        ("UID:018f-1@coordination.exemple", "UID:a\\nb"),
        ("DTSTAMP", "SEQUENCE:-1\nDTSTAMP"),
        ("DTSTAMP", "SEQUENCE:٣\nDTSTAMP"),
        ("DTSTAMP", "SEQUENCE:99999999999\nDTSTAMP"),
        ("DTSTAMP", "UID:autre\nDTSTAMP"),
        ("DTSTAMP:20260302T081500Z", "DTSTAMP:hier"),
        ("DTSTAMP", "DTSTAMP:20270302T081500Z\nDTSTAMP"),
        ("DTSTAMP", "RECURRENCE-ID:hier\nDTSTAMP"),
        ("END:VEVENT", "END:VEVENT\nBEGIN:VEVENT\nUID:2\nEND:VEVENT"),
        ("BEGIN:VEVENT", "BEGIN:VTODO"),
        ("BEGIN:VCALENDAR", "BEGIN:VCARD"),
        ("VERSION:2.0", "X-A:" + "a" * 70_000),
    ],
)
def test_an_answer_that_is_not_clear_is_refused(was, becomes):
    assert was in APPLE
    with pytest.raises(ReplyRefused) as caught:
        read_reply(APPLE.replace(was, becomes, 1).encode(), PARIS)
    assert caught.value.message == "Cette réponse à une invitation ne se lit pas."


@pytest.mark.parametrize(("start", "end"), [("20260328T110000", "20260328T100000"), ("hier", "demain"), ("", "")])
def test_another_time_that_is_none_is_refused(start, end):
    said = APPLE.replace("METHOD:REPLY", "METHOD:COUNTER").replace("20260328T100000", start)
    with pytest.raises(ReplyRefused):
        read_reply(said.replace("20260328T110000", end).encode(), PARIS)


@given(st.binary(max_size=2000) | st.lists(st.sampled_from(GOOGLE.splitlines() + OUTLOOK.splitlines())).map(
    lambda lines: "\r\n".join(["BEGIN:VCALENDAR", *lines]).encode()))  # fmt: skip
def test_whatever_comes_is_read_or_refused(body):
    try:
        read_reply(body, PARIS)
    except ReplyRefused:
        pass
