"""When people can meet: the best slots common to many agendas, and their agendas side by side (AGD-17 to 22).

Pure. The window is cut into units of at most fifteen minutes, and each agenda is one big integer, a bit for each unit:
« from when is she free for an hour » is a few shifts, « how many are » a sum made bit by bit for the whole window at
once. This is exact, slots beginning and ending on a unit: what is busy for part of a unit is busy for every slot that
holds it.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import gcd
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agenda import spans
from agenda.recurrence import instant
from agenda.spans import Minutes, Span
from agenda.units import Grid, Tally, kept, shifted
from coordination.common.errors import DomainError

DAY = 24 * 60
# Every offset from UTC in use is a multiple of it.
QUARTER = 15
LONGEST_WINDOW = dt.timedelta(days=366)


class SearchRefused(DomainError):
    code = "search_refused"


class DurationNotPossible(SearchRefused):
    code = "duration_not_possible"
    message = "La durée d’une réunion va d’une minute à une journée."
    field = "duration"


class WindowNotPossible(SearchRefused):
    code = "window_not_possible"
    message = "La période de recherche doit se terminer après son début et ne pas dépasser un an."
    field = "window"


class State(StrEnum):
    """What an agenda says of a time. UNKNOWN: no opening was ever declared, which is never « free »."""

    FREE = "free"
    TENTATIVE = "tentative"
    CLOSED = "closed"
    BUSY = "busy"
    UNKNOWN = "unknown"


class Quality(StrEnum):
    """COMPLETE: all the indispensable people are free. UNSURE: none is taken, and of some it is not known. MISSING."""

    COMPLETE = "complete"
    UNSURE = "unsure"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invited, with his agenda in minutes.

    `opens` is None when he never declared any opening. `busy` holds his absences too. `tentative`: time held for
    something not decided yet.
    """

    key: Hashable
    indispensable: bool
    opens: Sequence[Minutes] | None
    busy: Sequence[Minutes] = ()
    tentative: Sequence[Minutes] = ()

    @classmethod
    def of(
        cls,
        key: Hashable,
        *,
        indispensable: bool,
        opens: Iterable[tuple[dt.datetime, dt.datetime]] | None,
        busy: Iterable[tuple[dt.datetime, dt.datetime]] = (),
        tentative: Iterable[tuple[dt.datetime, dt.datetime]] = (),
    ) -> Person:
        """Make one from spans of instants."""
        opened = None if opens is None else spans.inward(opens)
        return cls(key, indispensable, opened, spans.outward(busy), spans.outward(tentative))


def people_from_rows(
    members: Iterable[tuple[Hashable, bool, bool]], rows: Iterable[tuple[Hashable, str, int, int]]
) -> list[Person]:
    """Make people from what a query gives: (key, indispensable, has declared openings) of each and (key, kind, first
    minute, minute after the last) of each span, `kind` being open (whole minutes), busy or tentative (minutes begun
    included). Spans of others are left out.
    Quicker when the rows of one person and kind follow each other.
    """
    found: dict[tuple[Hashable, str], list[Minutes]] = defaultdict(list)
    last: tuple[Hashable, str] | tuple[()] = ()
    for key, kind, first, after in rows:
        if (key, kind) != last:
            last = (key, kind)
            add = found[last].append
        add((first, after))
    return [
        Person(
            key,
            indispensable,
            found[key, "open"] if declared else None,
            found[key, "busy"],
            found[key, "tentative"],
        )
        for key, indispensable, declared in members
    ]


@dataclass(frozen=True, slots=True)
class Hours:
    """Days of the week (0 is Monday) and hours of the place, in minutes after midnight; `end` is 24 × 60 at most."""

    days: frozenset[int] = frozenset(range(5))
    start: int = 9 * 60
    end: int = 18 * 60


OFFICE = (Hours(),)
DAYTIME = (Hours(days=frozenset(range(6)), start=8 * 60, end=20 * 60),)


@dataclass(frozen=True, slots=True)
class Choice:
    """A slot proposed: who can come, who cannot, of whom it is not known. `rank` is 1 for the best."""

    rank: int
    start: dt.datetime
    end: dt.datetime
    quality: Quality
    preferred: bool
    free: tuple[Hashable, ...]
    tentative: tuple[Hashable, ...]
    unknown: tuple[Hashable, ...]
    busy: tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class _Starts:
    """The units from which somebody is free, held for something else or of unknown availability, for a whole slot."""

    free: int
    tentative: int
    unknown: int


def _starts(person: Person, grid: Grid, units: int) -> _Starts:
    clear = grid.all & ~grid.bits(person.busy)
    if person.opens is None:
        return _Starts(0, 0, kept(clear, units))
    opened = clear & grid.whole(person.opens)
    possible = kept(opened, units)
    if not person.tentative:
        return _Starts(possible, 0, 0)
    free = kept(opened & ~grid.bits(person.tentative), units)
    return _Starts(free, possible & ~free, 0)


class _Day(NamedTuple):
    """A day of the place: the minute of its midnight, and whether it has twenty-four hours."""

    date: dt.date
    begins: int
    plain: bool


def _days(grid: Grid, zone: ZoneInfo) -> list[_Day]:
    """Return the days of the place that a window touches."""
    first = spans.at(grid.origin).astimezone(zone).date()
    last = spans.at(grid.origin + grid.size * grid.unit).astimezone(zone).date()
    dates = [first + dt.timedelta(days=number) for number in range((last - first).days + 2)]
    begins = [spans.minute(instant(dt.datetime(date.year, date.month, date.day), zone)) for date in dates]
    return [_Day(date, now, after - now == DAY) for date, now, after in zip(dates, begins, begins[1:], strict=False)]


def _allowed(
    grid: Grid, days: Sequence[_Day], hours: Sequence[Hours], zone: ZoneInfo, duration: int, step: int
) -> int:
    """Return the units at which a slot may begin: the hours of the place, on its clock."""
    bits = 0
    for some in hours:
        times = range(-(-some.start // step) * step, some.end - duration + 1, step)
        pattern = sum(1 << time // grid.unit for time in times)
        for day in days:
            if day.date.weekday() not in some.days:
                continue
            if day.plain:
                bits |= shifted(pattern, (day.begins - grid.origin) // grid.unit)
            else:
                bits |= _on_a_change(grid, zone, day.date, times)
    return bits & grid.all


def _on_a_change(grid: Grid, zone: ZoneInfo, date: dt.date, times: range) -> int:
    """The day clocks change: hours that do not exist are left out, of those that exist twice the first is kept."""
    bits = 0
    for time in times:
        local = dt.datetime(date.year, date.month, date.day) + dt.timedelta(minutes=time)
        start = instant(local, zone)
        if start.astimezone(zone).replace(tzinfo=None, fold=0) == local:
            bits |= shifted(1, (spans.minute(start) - grid.origin) // grid.unit)
    return bits


def _grid(window: tuple[dt.datetime, dt.datetime], duration: int, step: int) -> tuple[Grid, int]:
    """Return the units of a window, and those at which a slot begins that it holds whole."""
    if not 1 <= duration <= DAY or not 1 <= step <= DAY:
        raise DurationNotPossible()
    if not dt.timedelta(0) < window[1] - window[0] <= LONGEST_WINDOW:
        raise WindowNotPossible()
    opening, closing = spans.minute_after(window[0]), spans.minute(window[1])
    unit = gcd(duration, step, QUARTER)
    origin = opening // unit * unit
    grid = Grid(origin, unit, max(-((origin - closing) // unit), 0))
    return grid, kept(grid.whole([(opening, closing)]), duration // unit)


def common_slots(
    people: Sequence[Person],
    *,
    duration: int,
    window: tuple[dt.datetime, dt.datetime],
    zone: ZoneInfo,
    step: int = QUARTER,
    allowed: Sequence[Hours] = DAYTIME,
    preferred: Sequence[Hours] = OFFICE,
    quorum: int = 0,
    limit: int = 3,
) -> list[Choice]:
    """Return the best slots of `duration` minutes at which people can meet, the best first, none over another.

    Slots begin every `step` minutes after midnight on the clock of `zone`, within `allowed` hours, and end in the
    window. Better is, in this order: fewer indispensable people taken; fewer of them tentative or unknown; more of the
    wished free, then fewer of these taken; within `preferred` hours; on a day not proposed yet; earlier.
    `quorum`: so many at least are free for sure. Empty when nothing suits.
    Raises DurationNotPossible or WindowNotPossible.
    """
    grid, candidates = _grid(window, duration, step)
    units = duration // grid.unit
    days = _days(grid, zone)
    candidates &= _allowed(grid, days, allowed, zone, duration, step)
    liked = _allowed(grid, days, preferred, zone, duration, step)
    starts = [(person, _starts(person, grid, units)) for person in people]
    free, missing, unsure, wished, uncertain = Tally(), Tally(), Tally(), Tally(), Tally()
    for person, found in starts:
        free.add(found.free)
        if person.indispensable:
            missing.add(grid.all & ~(found.free | found.tentative | found.unknown))
            unsure.add(found.tentative | found.unknown)
        else:
            wished.add(found.free)
            uncertain.add(found.tentative | found.unknown)
    candidates = free.at_least(quorum, candidates) if quorum > 0 else candidates
    other_days = candidates
    choices: list[Choice] = []
    while candidates and len(choices) < limit:
        best = uncertain.most(wished.most(unsure.least(missing.least(candidates))))
        best = best & liked or best
        best = best & other_days or best
        start = (best & -best).bit_length() - 1
        choices.append(_choice(grid, start, units, starts, bool(liked >> start & 1), len(choices) + 1))
        candidates &= ~shifted((1 << 2 * units - 1) - 1, start - units + 1)
        other_days &= ~_day_of(grid, days, start)
    return choices


def _day_of(grid: Grid, days: Sequence[_Day], start: int) -> int:
    """Return the units of the day that a unit is in."""
    minute = grid.origin + start * grid.unit
    ends = [day.begins for day in days[1:]] + [grid.origin + grid.size * grid.unit]
    return grid.bits((day.begins, end) for day, end in zip(days, ends, strict=True) if day.begins <= minute < end)


def _choice(
    grid: Grid, start: int, units: int, starts: Sequence[tuple[Person, _Starts]], preferred: bool, rank: int
) -> Choice:
    said: dict[State, list[Hashable]] = {state: [] for state in State}
    worst = {Quality.COMPLETE}
    for person, found in starts:
        state = _state_at(found, start)
        said[state].append(person.key)
        if person.indispensable and state is not State.FREE:
            worst.add(Quality.MISSING if state is State.BUSY else Quality.UNSURE)
    quality = next(q for q in (Quality.MISSING, Quality.UNSURE, Quality.COMPLETE) if q in worst)
    first = grid.origin + start * grid.unit
    return Choice(
        rank,
        spans.at(first),
        spans.at(first + units * grid.unit),
        quality,
        preferred,
        tuple(said[State.FREE]),
        tuple(said[State.TENTATIVE]),
        tuple(said[State.UNKNOWN]),
        tuple(said[State.BUSY]),
    )


def _state_at(found: _Starts, start: int) -> State:
    if found.free >> start & 1:
        return State.FREE
    if found.tentative >> start & 1:
        return State.TENTATIVE
    return State.UNKNOWN if found.unknown >> start & 1 else State.BUSY


@dataclass(frozen=True, slots=True)
class Band:
    """A time during which an agenda says one thing."""

    span: Span
    state: State


def side_by_side(people: Sequence[Person], window: tuple[dt.datetime, dt.datetime]) -> dict[Hashable, list[Band]]:
    """Return what each agenda says of a window, cut into bands without hole nor overlap, to choose by hand.

    CLOSED is time outside the openings declared: show it as one likes, it is not to be booked.
    """
    opening, closing = spans.minute(window[0]), spans.minute_after(window[1])
    return {person.key: _bands(person, [(opening, closing)]) for person in people}


def _bands(person: Person, window: list[Minutes]) -> list[Band]:
    busy = spans.intersect(window, spans.merge(person.busy))
    tentative = spans.subtract(spans.intersect(window, spans.merge(person.tentative)), busy)
    rest = spans.subtract(window, spans.merge([*busy, *tentative]))
    told = [(span, State.BUSY) for span in busy] + [(span, State.TENTATIVE) for span in tentative]
    if person.opens is None:
        told += [(span, State.UNKNOWN) for span in rest]
    else:
        free = spans.intersect(rest, spans.merge(person.opens))
        told += [(span, State.FREE) for span in free]
        told += [(span, State.CLOSED) for span in spans.subtract(rest, free)]
    return [Band(Span(spans.at(start), spans.at(end)), state) for (start, end), state in sorted(told)]
