"""A calendar to subscribe to: one VCALENDAR of many events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from agenda.ics import text, zones
from agenda.ics.events import Line, vevent

REFRESH: Final = dt.timedelta(hours=1)


def feed(lines: Sequence[Line], *, name: str, refresh: dt.timedelta = REFRESH) -> bytes:
    """Return a calendar (RFC 5545, RFC 7986) of these events, in their order.

    `name`: what the client shows, which names nobody. `refresh`: how often it may come back. The same lines give the
    same bytes, hence the same ETag: nothing of the hour of writing is in it.
    """
    return calendar("".join(map(vevent, lines)), definitions_of(lines), name=name, refresh=refresh)


def calendar(
    components: str, definitions: str = "", *, method: str = "", name: str = "", refresh: dt.timedelta | None = None
) -> bytes:
    """Return a VCALENDAR of components already written. `method`: of a message (iTIP); a calendar has none."""
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{text.PRODID}\r\nCALSCALE:GREGORIAN\r\n"
    if method:
        head += f"METHOD:{method}\r\n"
    if name:
        # The second is that of clients written before RFC 7986.
        head += "".join(text.folded(f"{label}:{text.escaped(name)}") for label in ("NAME", "X-WR-CALNAME"))
    if refresh:
        every = text.duration(refresh)
        head += f"REFRESH-INTERVAL;VALUE=DURATION:{every}\r\nX-PUBLISHED-TTL:{every}\r\n"
    return f"{head}{definitions}{components}END:VCALENDAR\r\n".encode()


def definitions_of(lines: Sequence[Line]) -> str:
    """Return the VTIMEZONE of the zones in which these events are told."""
    told = [line for line in lines if not line.all_day]
    if not told:
        return ""
    moments = [moment for line in told for moment in (line.start, line.end, line.recurrence_id) if moment]
    return zones.definitions({line.zone for line in told}, min(moments), max(moments))
