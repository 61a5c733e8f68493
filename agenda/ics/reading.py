"""When somebody is busy, out of his own calendar: spans of time and nothing else.

A calendar comes from anybody: bounded in size, in components, in repetitions and in time, whatever is written in it.
What does not read is counted and left out; the rest serves.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from agenda.ics.errors import CalendarTooLong
from agenda.ics.happening import Span, periods_of, spans_of
from agenda.ics.moments import ZONE_LINES, Moment, Unreadable, Zones, moment_of
from agenda.ics.parsing import Component, components
from agenda.recurrence import TooManyOccurrences
from agenda.rules import RecurrenceRefused

MOST_BYTES: Final = 5 * 1024 * 1024
# Busy times within the window, before they are joined.
MOST_SPANS: Final = 20_000
# Of processor, once its lines are read: repetitions may ask for more than their size.
SECONDS: Final = 0.7

_READ = ZONE_LINES | {
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "STATUS", "TRANSP", "FREEBUSY",
    "X-MICROSOFT-CDO-BUSYSTATUS",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Busy:
    """What a calendar says of a window: joined spans in UTC, how many events were read, and how many were not.

    `guessed`: how many names of time zones said nothing, their times being read in the zone of who owns the calendar.
    """

    spans: tuple[Span, ...]
    events: int
    unread: int
    guessed: int


def busy_times(body: bytes, zone: ZoneInfo, window: Span) -> Busy:
    """Return when the owner of a calendar is busy, within a window of moments.

    `zone`: his own, for whole days and for times that name none. An event that is cancelled or transparent
    (RFC 5545 §3.8.2.7) takes no time. Raises CalendarTooLarge, CalendarTooLong, CalendarRefused.
    """
    found = list(components(body, _READ, most=MOST_BYTES))
    reader = _Reader(Zones(found, zone), window)
    for series in _series(found):
        reader.read_series(series)
    for component in found:
        if component.name == "VFREEBUSY":
            reader.keep(periods_of(component, reader.zones, window))
    return Busy(tuple(joined(reader.spans)), reader.read, reader.unread, len(reader.zones.unknown))


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans in order, those that touch or overlap as one."""
    last: Span | None = None
    for start, end in sorted(spans):
        if last is not None and start <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last


@dataclass(slots=True)
class _Series:
    """What is written under one UID: the events that may repeat, and the occurrences told apart."""

    whole: list[Component] = field(default_factory=list)
    apart: list[Component] = field(default_factory=list)


def _series(found: Iterable[Component]) -> Iterable[_Series]:
    by_uid: dict[str, _Series] = {}
    for event in found:
        if event.name == "VEVENT":
            # Without UID an event is alone.
            series = by_uid.setdefault(event.value("UID") or f"\n{len(by_uid)}", _Series())
            (series.apart if event.one("RECURRENCE-ID") else series.whole).append(event)
    return by_uid.values()


class _Reader:
    """What is read so far, and what is left of what may be spent on it."""

    def __init__(self, zones: Zones, window: Span) -> None:
        self.zones, self.window = zones, window
        self.spans: list[Span] = []
        self.read = self.unread = 0
        self._until = time.thread_time() + SECONDS

    def read_series(self, series: _Series) -> None:
        replaced: list[Moment] = []
        for event in series.apart:
            (line, *_) = event.all("RECURRENCE-ID")
            try:
                replaced.append(moment_of(line, self.zones))
            except Unreadable:
                self.unread += 1
                continue
            # « This one and those that follow » moves this one alone: counted, so that it is told.
            self.unread += line.params.get("RANGE", "").upper() == "THISANDFUTURE"
            self.keep(spans_of(event, self.zones, self.window, limit=MOST_SPANS))
        for event in series.whole:
            self.keep(spans_of(event, self.zones, self.window, replaced=replaced, limit=MOST_SPANS))

    def keep(self, spans: Iterator[Span]) -> None:
        """Keep all the spans of one event, or none when it does not read. Raises CalendarTooLong."""
        try:
            kept = list(islice(spans, MOST_SPANS - len(self.spans) + 1))
        except TooManyOccurrences:
            raise CalendarTooLong() from None
        except (Unreadable, RecurrenceRefused):
            self.unread += 1
        else:
            self.read += 1
            self.spans += kept
        if len(self.spans) > MOST_SPANS or time.thread_time() > self._until:
            raise CalendarTooLong()
