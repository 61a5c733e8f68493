"""When somebody may be met, without a word of why: VFREEBUSY (RFC 5545) and VAVAILABILITY (RFC 7953).

agenda.md §7.3 (GAP-99): a range of availability is an AVAILABLE, a slot is a FREEBUSY of its status. Outside of every
AVAILABLE one is not free; what is closed wins over what is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from agenda.ics import text, zones
from agenda.ics.events import Attendee, named
from agenda.ics.feed import REFRESH, calendar
from agenda.rule_formats import rule_to_text
from agenda.rules import Rule

# Periods told on one line, for readers that do not like long ones.
PERIODS: Final = 50
# RFC 7953 §4: the smallest number wins; what is closed is laid over what is open.
_OPEN, _CLOSED = 5, 1


class Told(StrEnum):
    """FBTYPE, the codes of Slot.status in capitals."""

    FREE = "FREE"
    BUSY = "BUSY"
    UNAVAILABLE = "BUSY-UNAVAILABLE"
    TENTATIVE = "BUSY-TENTATIVE"


@dataclass(frozen=True, slots=True)
class Band:
    start: dt.datetime
    end: dt.datetime
    told: Told = Told.BUSY


@dataclass(frozen=True, slots=True)
class Opening:
    """A range of availability, which its rule repeats; `except_at`: the starts of those that do not take place."""

    uid: str
    start: dt.datetime
    end: dt.datetime
    zone: str
    last_modified: dt.datetime
    created: dt.datetime | None = None
    rule: Rule | None = None
    except_at: tuple[dt.datetime, ...] = ()
    location: str = ""


def free_busy(
    bands: Iterable[Band],
    *,
    uid: str,
    window: tuple[dt.datetime, dt.datetime],
    stamp: dt.datetime,
    who: Attendee | None = None,
    comment: str = "",
) -> bytes:
    """Return the VFREEBUSY of somebody over a window: each band as it is told, those of no length left out.

    `who`: whose time it is (the actor of the Schedule). `stamp`: when it was last true.
    """
    start, end = window
    written = [
        named("ATTENDEE", who) if who else "",
        text.folded("COMMENT:" + text.escaped(comment)) if comment else "",
        f"DTSTART:{text.utc(start)}\r\nDTEND:{text.utc(end)}\r\nDTSTAMP:{text.utc(stamp)}\r\n",
        text.folded("UID:" + text.escaped(uid)),
        *_periods(sorted(bands, key=lambda band: (band.told, band.start, band.end))),
    ]
    return calendar(f"BEGIN:VFREEBUSY\r\n{''.join(written)}END:VFREEBUSY\r\n")


def _periods(bands: Sequence[Band]) -> Iterable[str]:
    for told in Told:
        said = [f"{text.utc(band.start)}/{text.utc(band.end)}" for band in bands
                if band.told is told and band.end > band.start]  # fmt: skip
        for first in range(0, len(said), PERIODS):
            yield text.folded(f"FREEBUSY;FBTYPE={told}:{','.join(said[first : first + PERIODS])}")


def availability(
    openings: Sequence[Opening],
    closed: Iterable[tuple[dt.datetime, dt.datetime]] = (),
    *,
    uid: str,
    stamp: dt.datetime,
    valid: tuple[dt.datetime | None, dt.datetime | None] = (None, None),
    name: str = "",
    refresh: dt.timedelta | None = REFRESH,
) -> bytes:
    """Return the openings of somebody as a VAVAILABILITY that repeats as their rules do, `valid` between two instants.

    `closed`: absences, each laid over the openings as a VAVAILABILITY of a higher priority that opens nothing: RFC
    7953 has no other word for « not then ». `uid`: of the agenda.
    """
    written = [_vavailability(uid, stamp, _OPEN, _limits(*valid), map(_available, openings))]
    for start, end in sorted(closed):
        written.append(_vavailability(f"{uid}-{text.utc(start)}", stamp, _CLOSED, _limits(start, end), ()))
    return calendar("".join(written), _definitions(openings), name=name, refresh=refresh)


def _limits(start: dt.datetime | None, end: dt.datetime | None) -> str:
    said = (("DTSTART", start), ("DTEND", end))
    return "".join(f"{name}:{text.utc(at)}\r\n" for name, at in said if at)


def _vavailability(uid: str, stamp: dt.datetime, priority: int, limits: str, inside: Iterable[str]) -> str:
    return (
        f"BEGIN:VAVAILABILITY\r\n{limits}DTSTAMP:{text.utc(stamp)}\r\n{text.folded('UID:' + text.escaped(uid))}"
        f"BUSYTYPE:{Told.UNAVAILABLE}\r\nPRIORITY:{priority}\r\n{''.join(inside)}END:VAVAILABILITY\r\n"
    )


def _available(opening: Opening) -> str:
    zone = ZoneInfo(opening.zone)
    stamp = text.utc(opening.last_modified)
    written = [
        text.timed("DTSTART", opening.start, opening.zone) + "\r\n",
        text.timed("DTEND", opening.end, opening.zone) + "\r\n",
        f"DTSTAMP:{stamp}\r\n",
        text.folded("UID:" + text.escaped(opening.uid)),
        text.folded("RRULE:" + rule_to_text(opening.rule, zone)) if opening.rule else "",
        f"CREATED:{text.utc(opening.created)}\r\n" if opening.created else "",
        *(text.timed("EXDATE", start, opening.zone) + "\r\n" for start in sorted(opening.except_at)),
        f"LAST-MODIFIED:{stamp}\r\n",
        text.folded("LOCATION:" + text.escaped(opening.location)) if opening.location else "",
    ]
    return f"BEGIN:AVAILABLE\r\n{''.join(written)}END:AVAILABLE\r\n"


def _definitions(openings: Sequence[Opening]) -> str:
    """Return the zones in which these openings are told, until the last rule has ended as far as a reader looks."""
    if not openings:
        return ""
    last = max(opening.end + dt.timedelta(days=3 * 366 if opening.rule else 0) for opening in openings)
    return zones.definitions({one.zone for one in openings}, min(one.start for one in openings), last)
