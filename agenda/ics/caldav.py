"""What a CalDAV collection is asked (RFC 4791 §7.8), and the calendars in its answer."""

from __future__ import annotations

from typing import Final
from xml.parsers import expat

from agenda.ics import text
from agenda.ics.errors import CalendarRefused, CalendarTooLong
from agenda.ics.happening import Span
from coordination.fhir.formats.expat_safe import Forbidden, parser

MOST_CALENDARS: Final = 20_000
_DATA = "urn:ietf:params:xml:ns:caldav calendar-data"
_ANSWER = "DAV: multistatus"


def query(window: Span) -> bytes:
    """Return the body of a REPORT that asks for the events of a window.

    Repetitions are not asked expanded: servers differ there, and ours are the same for all.
    """
    start, end = map(text.utc, window)
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        "<D:prop><C:calendar-data/></D:prop>"
        '<C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">'
        f'<C:time-range start="{start}" end="{end}"/>'
        "</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()


def calendars_in(body: bytes) -> bytes:
    """Return the calendars of a multistatus answer, one after the other; an empty one when there is none.

    Raises CalendarRefused when it is no such answer, CalendarTooLong.
    """
    reader = _Multistatus()
    machine = parser()
    machine.StartElementHandler, machine.EndElementHandler = reader.start, reader.end
    machine.CharacterDataHandler = reader.say
    try:
        machine.Parse(body, True)
    except (expat.ExpatError, Forbidden, UnicodeError):
        raise CalendarRefused() from None
    return b"\r\n".join(reader.found) or b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


class _Multistatus:
    def __init__(self) -> None:
        self.found: list[bytes] = []
        self._said: list[str] | None = None
        self._begun = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if not self._begun and name != _ANSWER:
            raise CalendarRefused()
        self._begun = True
        if name == _DATA:
            self._said = []

    def end(self, name: str) -> None:
        if name == _DATA and self._said is not None:
            if len(self.found) == MOST_CALENDARS:
                raise CalendarTooLong()
            self.found.append("".join(self._said).encode())
            self._said = None

    def say(self, words: str) -> None:
        if self._said is not None:
            self._said.append(words)
