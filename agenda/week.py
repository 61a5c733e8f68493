"""How a week is drawn: which column, which row, how high. Pure; the agenda of a person and one’s own both use it.

Times are those of the wall of the clock shown, without zone: a day with 23 or 25 hours is drawn like the others.
Source: design system, « Agenda » (quarter-hour rows gr-1 to gr-96, spans gs-1 to gs-96, one list per day).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

# How a block is drawn; never the colour alone: filled, outlined, hatched, dashed, and the kind is written.
APPOINTMENT, MEETING, BUSY, PROPOSED = "rdv", "reunion", "occupe", "propose"
QUARTER = 15
FIRST_HOUR, LAST_HOUR = 8, 18
# Lower than that, nothing can be read in a block.
LEAST_SPAN = 2
# Beyond, blocks are drawn one over the other; the list says them all.
MOST_LANES = 4
WHOLE_DAY = dt.timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Event:
    """One event as agendas show it. `second`: who and where; `source`: who says it; `tags`: (words, kind of tag)."""

    starts: dt.datetime
    ends: dt.datetime
    title: str
    look: str = APPOINTMENT
    kind: str = ""
    icon: str = "calendar3"
    url: str = ""
    second: str = ""
    source: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    all_day: bool = False

    @property
    def is_long(self) -> bool:
        """All day, or a day and more: it has no hour to be drawn at."""
        return self.all_day or self.ends - self.starts >= WHOLE_DAY

    @property
    def hours(self) -> str:
        """« 10:00 à 11:00 », « Toute la journée », or how far it goes when it ends another day."""
        last = self.ends - dt.timedelta(minutes=1)
        if self.all_day:
            return "Toute la journée" if last.date() == self.starts.date() else f"Jusqu’au {last:%d/%m/%Y}"
        if last.date() != self.starts.date():
            return f"{self.starts:%H:%M}, jusqu’au {self.ends:%d/%m à %H:%M}"
        return f"{self.starts:%H:%M} à\u00a0{self.ends:%H:%M}"


@dataclass(frozen=True, slots=True)
class Block:
    """What is drawn of an event in one day. `lane` 0: the whole width, else its column of `Day.lanes`."""

    event: Event
    row: int
    span: int
    lane: int


@dataclass(frozen=True, slots=True)
class Day:
    date: dt.date
    is_today: bool
    lanes: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven days from a Monday; `hours`: those whose lines are drawn, the first one at the top."""

    monday: dt.date
    hours: range
    days: tuple[Day, ...]

    @property
    def number(self) -> int:
        return self.monday.isocalendar().week

    @property
    def sunday(self) -> dt.date:
        return self.monday + dt.timedelta(days=6)


def monday_of(day: dt.date) -> dt.date:
    return day - dt.timedelta(days=day.weekday())


def lay_out(events: Iterable[Event], monday: dt.date, *, today: dt.date) -> Week:
    """Return the week that begins on this Monday; what overlaps it is cut, the rest left out."""
    by_day: list[tuple[dt.date, list[Event]]] = []
    ordered = sorted(events, key=lambda event: (event.starts, event.ends, event.title))
    for shift in range(7):
        day = monday + dt.timedelta(days=shift)
        opening = dt.datetime.combine(day, dt.time.min)
        by_day.append((day, [e for e in ordered if e.starts < opening + WHOLE_DAY and e.ends > opening]))
    hours = _hours(by_day)
    days = tuple(_day(day, day == today, found, hours) for day, found in by_day)
    return Week(monday, hours, days)


def _within(event: Event, day: dt.date) -> tuple[int, int]:
    """Return the minutes of the day that an event takes."""
    opening = dt.datetime.combine(day, dt.time.min)
    start, end = max(event.starts, opening), min(event.ends, opening + WHOLE_DAY)
    return int((start - opening).total_seconds()) // 60, int((end - opening).total_seconds()) // 60


def _hours(by_day: Sequence[tuple[dt.date, list[Event]]]) -> range:
    """Return the hours of an ordinary day, wider when something falls before or after."""
    first, last = FIRST_HOUR, LAST_HOUR
    for day, events in by_day:
        for start, end in (_within(event, day) for event in events if not event.is_long):
            first, last = min(first, start // 60), max(last, -(-end // 60))
    return range(first, last)


def _day(day: dt.date, is_today: bool, events: list[Event], hours: range) -> Day:
    placed = [(event, *_rows(event, day, hours)) for event in events]
    # From the top: the list reads in the order it is drawn.
    placed.sort(key=lambda one: (one[1], -one[2]))
    blocks, lanes = [], 1
    for cluster in _clusters(placed):
        width = _lanes(cluster)
        lanes = max(lanes, min(max(width) + 1, MOST_LANES))
        alone = len(cluster) == 1
        blocks += [
            Block(event, row, span, 0 if alone else min(lane + 1, MOST_LANES))
            for (event, row, span), lane in zip(cluster, width, strict=True)
        ]
    return Day(day, is_today, lanes, tuple(blocks))


def _rows(event: Event, day: dt.date, hours: range) -> tuple[int, int]:
    top, bottom = hours.start * 60, hours.stop * 60
    start, end = (top, bottom) if event.is_long else _within(event, day)
    row = max(start - top, 0) // QUARTER + 1
    last = len(hours) * 60 // QUARTER
    span = max(-(-(min(end, bottom) - max(start, top)) // QUARTER), LEAST_SPAN)
    return min(row, last - LEAST_SPAN + 1), min(span, last - row + 1) if row < last else LEAST_SPAN


def _clusters(placed: list[tuple[Event, int, int]]) -> Iterable[list[tuple[Event, int, int]]]:
    """Yield together the blocks that touch each other, directly or not."""
    numbered, number, free_from = [], 0, 0
    for one in placed:
        if one[1] >= free_from:
            number += 1
        free_from = max(free_from, one[1] + one[2])
        numbered.append((number, one))
    for _, together in groupby(numbered, key=lambda pair: pair[0]):
        yield [one for _, one in together]


def _lanes(cluster: list[tuple[Event, int, int]]) -> list[int]:
    """Return the lane of each block: the first that is free at its row."""
    free: list[int] = []
    lanes = []
    for _, row, span in cluster:
        lane = next((n for n, until in enumerate(free) if until <= row), len(free))
        free[lane : lane + 1] = [row + span]
        lanes.append(lane)
    return lanes


def by_day(events: Iterable[Event]) -> list[tuple[dt.date, list[Event]]]:
    """Return the events of a list under the day each begins, in order: days, then hours."""
    ordered = sorted(events, key=lambda event: (event.starts, event.ends, event.title))
    return [(day, list(found)) for day, found in groupby(ordered, key=lambda event: event.starts.date())]
