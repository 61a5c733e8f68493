"""Invitations by mail (iTIP, RFC 5546): one occurrence told to one person, and what a mail program answers.

They travel as ordinary mail: neither a name, nor a motive, nor a place is in them, and each is for one address, so
that nobody learns who else is invited (SEC-22). What comes back is believed for what an answer is and nothing more.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from agenda.ics.errors import CalendarRefused, ReplyRefused
from agenda.ics.events import Attendee, Class, Line, Part, Status, vevent
from agenda.ics.feed import calendar, definitions_of
from agenda.ics.moments import ZONE_LINES, Unreadable, ZoneOf, Zones, moment_of
from agenda.ics.parsing import Component, components, unescaped

# An answer is some lines; what a mail program adds to it (the whole event, its zone) is not much more.
MOST_BYTES: Final = 64 * 1024
LONGEST_UID: Final = 255
HIGHEST_SEQUENCE: Final = 2**31 - 1


class Method(StrEnum):
    REQUEST = "REQUEST"
    CANCEL = "CANCEL"
    COUNTER = "COUNTER"
    REPLY = "REPLY"


class Kind(StrEnum):
    """What an invitation says it is about: the only words in it."""

    APPOINTMENT = "Rendez-vous"
    MEETING = "Réunion"


@dataclass(frozen=True, slots=True)
class Invitation:
    """One occurrence as one person is invited to it.

    `organizer`: the address where answers are processed. `stamp`: when this message is made. `url`: the page where
    the person answers; whoever reads the mail can open it. `recurrence_id`: the original start, for the occurrence of
    a series that shares its `uid`.
    """

    uid: str
    start: dt.datetime
    end: dt.datetime
    zone: str
    sequence: int
    stamp: dt.datetime
    organizer: str
    attendee: str
    kind: Kind = Kind.APPOINTMENT
    part: Part = Part.NEEDS_ACTION
    required: bool = True
    tentative: bool = False
    # Whether an answer by mail is processed: else the page alone is proposed.
    answerable: bool = True
    all_day: bool = False
    url: str = ""
    recurrence_id: dt.datetime | None = None


def request(invitation: Invitation) -> bytes:
    """Return the message that invites, or that moves what was proposed (with a higher `sequence`)."""
    status = Status.TENTATIVE if invitation.tentative else Status.CONFIRMED
    asks = invitation.answerable and invitation.part is Part.NEEDS_ACTION
    return _message(Method.REQUEST, invitation, status, asks)


def cancellation(invitation: Invitation) -> bytes:
    """Return the message that cancels; its `sequence` is higher than that of the last request."""
    return _message(Method.CANCEL, invitation, Status.CANCELLED, False)


def _message(method: Method, invitation: Invitation, status: Status, rsvp: bool) -> bytes:
    line = Line(
        uid=invitation.uid,
        start=invitation.start,
        end=invitation.end,
        zone=invitation.zone,
        last_modified=invitation.stamp,
        sequence=invitation.sequence,
        all_day=invitation.all_day,
        summary=invitation.kind.value,
        url=invitation.url,
        status=status,
        busy=status is not Status.CANCELLED,
        confidentiality=Class.PRIVATE,
        organizer=Attendee(invitation.organizer),
        attendees=(Attendee(invitation.attendee, part=invitation.part, required=invitation.required, rsvp=rsvp),),
        recurrence_id=invitation.recurrence_id,
    )
    return calendar(vevent(line), definitions_of([line]), method=method)


# ---- What is answered --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """What a mail program answered: which occurrence, who, what, and to which state of it.

    `attendee` is in small letters: who receives it compares it to the address he invited, and to that of the sender.
    `recurrence_id` is a moment in UTC. `stamp`: when it was answered, by the clock of the program (DTSTAMP); None when
    it does not say. `start` and `end` are those proposed by a COUNTER, None in a REPLY.
    """

    method: Method
    uid: str
    attendee: str
    part: Part
    sequence: int
    recurrence_id: dt.datetime | None = None
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    stamp: dt.datetime | None = None


_SAID = frozenset({"UID", "ATTENDEE", "SEQUENCE", "RECURRENCE-ID", "DTSTAMP", "DTSTART", "DTEND"})
_READ = _SAID | ZONE_LINES | {"METHOD"}
_ADDRESS = re.compile(r"mailto:([^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,189})", re.IGNORECASE)


def read_reply(body: bytes, zone: ZoneInfo) -> Reply:
    """Return what a message of METHOD REPLY or COUNTER answers.

    `zone`: that of the appointment, for times that name none. Believed: one event, one attendee, one answer; all the
    rest (words, place, alarms, organizer) is not read. Raises ReplyRefused.
    """
    try:
        found = list(components(body, _READ, most=MOST_BYTES))
        (event,) = (component for component in found if component.name == "VEVENT")
        (whole,) = (component for component in found if component.name == "VCALENDAR")
        method = Method(whole.value("METHOD").upper())
        if method not in (Method.REPLY, Method.COUNTER):
            raise Unreadable
        return _answer(method, event, Zones(found, zone))
    except (CalendarRefused, ValueError):
        raise ReplyRefused() from None


def _answer(method: Method, event: Component, zone_of: ZoneOf) -> Reply:
    if event.broken or any(len(event.all(name)) > 1 for name in _SAID):
        raise Unreadable
    attendee, again, stamp = event.one("ATTENDEE"), event.one("RECURRENCE-ID"), event.one("DTSTAMP")
    if attendee is None:
        raise Unreadable
    start, end = _proposed(event, zone_of) if method is Method.COUNTER else (None, None)
    return Reply(
        method,
        uid=_uid(event),
        attendee=_address(attendee.value),
        part=Part(attendee.params.get("PARTSTAT", Part.NEEDS_ACTION).upper()),
        sequence=_sequence(event.value("SEQUENCE")),
        recurrence_id=moment_of(again, zone_of).at if again else None,
        start=start,
        end=end,
        stamp=moment_of(stamp, zone_of).at if stamp else None,
    )


def _proposed(event: Component, zone_of: ZoneOf) -> tuple[dt.datetime, dt.datetime]:
    start, end = event.one("DTSTART"), event.one("DTEND")
    if start is None or end is None:
        raise Unreadable
    begin, finish = moment_of(start, zone_of).at, moment_of(end, zone_of).at
    if finish <= begin:
        raise Unreadable
    return begin, finish


def _uid(event: Component) -> str:
    uid = unescaped(event.value("UID"))
    if not uid or len(uid) > LONGEST_UID or not uid.isprintable():
        raise Unreadable
    return uid


def _address(value: str) -> str:
    found = _ADDRESS.fullmatch(value.strip())
    address = unquote(found[1]) if found else ""
    if not address.isprintable() or address.count("@") != 1:
        raise Unreadable
    return address.lower()


def _sequence(value: str) -> int:
    number = int(value or 0) if value.isascii() and (value or "0").isdigit() and len(value) < 12 else -1
    if not 0 <= number <= HIGHEST_SEQUENCE:
        raise Unreadable
    return number
