"""One appointment as a VEVENT (agenda.md §7.3). What is told of it was decided by who fills the `Line`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

from agenda.ics import text


class Status(StrEnum):
    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"


class Part(StrEnum):
    """What an attendee answered (PARTSTAT, Appointment.participant.status)."""

    NEEDS_ACTION = "NEEDS-ACTION"
    ACCEPTED = "ACCEPTED"
    DECLINED = "DECLINED"
    TENTATIVE = "TENTATIVE"


class Class(StrEnum):
    PUBLIC = "PUBLIC"
    PRIVATE = "PRIVATE"
    CONFIDENTIAL = "CONFIDENTIAL"


@dataclass(frozen=True, slots=True)
class Attendee:
    """`address`: an e-mail address, or an address with its scheme (urn:uuid:…) for who has none."""

    address: str
    name: str = ""
    part: Part = Part.NEEDS_ACTION
    required: bool = True
    rsvp: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One event. Moments are aware; `zone` (an IANA name) is that of the place, in which the event is told.

    `all_day`: the days that start..end touches in `zone`. `last_modified` is also the DTSTAMP: the same event is
    always the same bytes. An empty text is not written. `priority`: 1 (highest) to 9, 0 says nothing.
    """

    uid: str
    start: dt.datetime
    end: dt.datetime
    zone: str
    last_modified: dt.datetime
    created: dt.datetime | None = None
    sequence: int = 0
    all_day: bool = False
    summary: str = ""
    description: str = ""
    location: str = ""
    url: str = ""
    status: Status = Status.CONFIRMED
    busy: bool = True
    confidentiality: Class = Class.PRIVATE
    categories: tuple[str, ...] = ()
    priority: int = 0
    organizer: Attendee | None = None
    attendees: tuple[Attendee, ...] = ()
    attachments: tuple[str, ...] = ()
    recurrence_id: dt.datetime | None = None


def vevent(line: Line) -> str:
    """Return the VEVENT of a line, its properties in the order of the library."""
    stamp = text.utc(line.last_modified)
    written = [
        _words("SUMMARY", line.summary),
        _moments(line),
        f"DTSTAMP:{stamp}\r\n",
        text.folded("UID:" + text.escaped(line.uid)),
        _recurrence(line),
        f"SEQUENCE:{line.sequence}\r\n",
        _categories(line.categories),
        f"CLASS:{line.confidentiality}\r\n",
        f"CREATED:{text.utc(line.created)}\r\n" if line.created else "",
        _words("DESCRIPTION", line.description),
        f"LAST-MODIFIED:{stamp}\r\n",
        _words("LOCATION", line.location),
        _people(line),
        f"PRIORITY:{min(line.priority, 9)}\r\n" if line.priority else "",
        f"STATUS:{line.status}\r\n",
        "TRANSP:OPAQUE\r\n" if line.busy else "TRANSP:TRANSPARENT\r\n",
        text.folded("URL:" + text.uri(line.url)) if line.url else "",
    ]
    return f"BEGIN:VEVENT\r\n{''.join(written)}END:VEVENT\r\n"


def days(line: Line) -> tuple[dt.date, dt.date]:
    """Return the first day of an event in its zone, and the day after its last one."""
    here = ZoneInfo(line.zone)
    start, end = line.start.astimezone(here), line.end.astimezone(here)
    after = end.date() if end.time() == dt.time() else end.date() + dt.timedelta(days=1)
    return start.date(), max(after, start.date() + dt.timedelta(days=1))


def _words(name: str, words: str) -> str:
    return text.folded(f"{name}:{text.escaped(words)}") if words else ""


def _moments(line: Line) -> str:
    if line.all_day:
        first, after = days(line)
        return f"DTSTART;VALUE=DATE:{text.date(first)}\r\nDTEND;VALUE=DATE:{text.date(after)}\r\n"
    start = text.timed("DTSTART", line.start, line.zone) + "\r\n"
    # RFC 5545 §3.8.2.2: an end is later than its start; without one, the event is a moment.
    return start + text.timed("DTEND", line.end, line.zone) + "\r\n" if line.end > line.start else start


def _recurrence(line: Line) -> str:
    if line.recurrence_id is None:
        return ""
    if line.all_day:
        return f"RECURRENCE-ID;VALUE=DATE:{text.date(line.recurrence_id.astimezone(ZoneInfo(line.zone)).date())}\r\n"
    return text.timed("RECURRENCE-ID", line.recurrence_id, line.zone) + "\r\n"


def _categories(names: Iterable[str]) -> str:
    said = ",".join(text.escaped(name) for name in names if name)
    return text.folded(f"CATEGORIES:{said}") if said else ""


def _people(line: Line) -> str:
    if not (line.organizer or line.attendees or line.attachments):
        return ""
    attachments = (text.folded("ATTACH:" + text.uri(address)) for address in line.attachments)
    organizer = named("ORGANIZER", line.organizer) if line.organizer else ""
    return "".join([*attachments, *map(_attendee, line.attendees), organizer])


def _attendee(who: Attendee) -> str:
    role = "REQ-PARTICIPANT" if who.required else "OPT-PARTICIPANT"
    rsvp = ";RSVP=TRUE" if who.rsvp else ""
    return named("ATTENDEE", who, f";PARTSTAT={who.part};ROLE={role}{rsvp}")


def named(name: str, who: Attendee, params: str = "") -> str:
    """Return the line of a property whose value is somebody."""
    said = f";CN={text.quoted(who.name)}" if who.name else ""
    address = text.uri(who.address) if ":" in who.address else text.mailto(who.address)
    return text.folded(f"{name}{said}{params}:{address}")
