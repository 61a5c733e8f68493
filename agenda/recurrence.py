"""When a rule of repetition falls: RFC 5545 on the clock of one place, in bounded work.

Pure. A rule is counted on the wall clock of its zone, so that a visit at ten stays at ten over a change of clocks
(agenda.md, GAP-37, REL-19). Each day of the window asked for is tested on its own instead of walking from the first
occurrence: a rule of last century costs what one of yesterday costs, and a rule that never falls ends.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import groupby, product
from typing import NamedTuple
from zoneinfo import ZoneInfo

from agenda.rules import FIRST_YEAR, LAST_YEAR, Day, Freq, RecurrenceRefused, Rule

LONGEST = dt.timedelta(days=366)
# Candidates looked at before a rule is told too fine: a fraction of a second at the very most.
EXAMINED_MOST = 100_000
# 29 February comes back on a given weekday after at most forty years.
HORIZON_DAYS = 40 * 366
# Seconds of the unit that a frequency finer than the day counts in.
UNITS = {Freq.HOURLY: 3600, Freq.MINUTELY: 60, Freq.SECONDLY: 1}
DAY_SECONDS = 86400


class RuleNeverOccurs(RecurrenceRefused):
    code = "rule_never_occurs"
    message = "Cette répétition ne tombe jamais : aucune date ne lui convient."


class UntilBeforeStart(RecurrenceRefused):
    code = "until_before_start"
    message = "La répétition se termine avant de commencer."


class EndBeforeStart(RecurrenceRefused):
    code = "end_before_start"
    message = "La fin doit venir après le début."


class TooLong(RecurrenceRefused):
    code = "occurrence_too_long"
    message = "Une plage ne peut pas durer plus d’un an."


class OutOfTime(RecurrenceRefused):
    code = "out_of_time"
    message = f"Cette date est hors de l’agenda, qui va de {FIRST_YEAR} à {LAST_YEAR}."


class TooManyOccurrences(RecurrenceRefused):
    code = "too_many_occurrences"
    message = "Cette répétition tombe plus de {limit} fois sur la période demandée."


class RuleTooFine(RecurrenceRefused):
    code = "rule_too_fine"
    message = "Cette répétition est trop fréquente pour un agenda."


class Occurrence(NamedTuple):
    """One time a rule falls, in UTC. `recurrence_id`: the local start that the rule gives, which names it for good."""

    start: dt.datetime
    end: dt.datetime
    recurrence_id: dt.datetime


def instant(local: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """Return the UTC instant of a wall-clock time.

    An hour that does not exist moves forward, of an hour that exists twice it is the first (RFC 5545 3.3.5).
    """
    return local.replace(tzinfo=zone, fold=0).astimezone(dt.UTC)


def _lasting(local: dt.datetime, zone: ZoneInfo, duration: dt.timedelta) -> Occurrence:
    """End at the wall-clock time that was said (a night from 22:00 to 6:00 ends at 6:00, an hour more or less).

    What begins within the hour that changes lasts what it says: it has no wall clock to end by.
    """
    start = instant(local, zone)
    aware = local.replace(tzinfo=zone)
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        return Occurrence(start, start + duration, local)
    return Occurrence(start, instant(local + duration, zone), local)


DayTest = Callable[[dt.date], bool]


def _month_length(day: dt.date) -> int:
    return (day.replace(day=28) + dt.timedelta(days=4)).replace(day=1).toordinal() - day.replace(day=1).toordinal()


def _year_day(day: dt.date) -> tuple[int, int]:
    first = dt.date(day.year, 1, 1).toordinal()
    return day.toordinal() - first + 1, dt.date(day.year, 12, 31).toordinal() - first + 1


def _week(day: dt.date, wkst: int) -> int:
    return (day.toordinal() - 1 - wkst) // 7


def _first_week(year: int, wkst: int) -> int:
    """The week that holds 4 January has at least four days in its year: it is the first."""
    return _week(dt.date(year, 1, 4), wkst)


def _week_no(day: dt.date, wkst: int) -> tuple[int, int]:
    """Return the number of a day's week in its year, and how many weeks that year has."""
    week = _week(day, wkst)
    year = day.year + 1
    while _first_week(year, wkst) > week:
        year -= 1
    first = _first_week(year, wkst)
    return week - first + 1, _first_week(year + 1, wkst) - first


def _either_end(values: tuple[int, ...], place: Callable[[dt.date], tuple[int, int]]) -> DayTest:
    """Test the place of a day among so many, told from the beginning or from the end."""
    wanted = frozenset(values)

    def holds(day: dt.date) -> bool:
        number, total = place(day)
        return number in wanted or number - total - 1 in wanted

    return holds


def _nth_of(days: tuple[Day, ...], place: Callable[[dt.date], tuple[int, int]]) -> DayTest:
    wanted = frozenset(days)

    def holds(day: dt.date) -> bool:
        weekday = day.weekday()
        number, total = place(day)
        return (
            Day(weekday) in wanted
            or Day(weekday, (number - 1) // 7 + 1) in wanted
            or Day(weekday, -((total - number) // 7 + 1)) in wanted
        )

    return holds


def _month_day(day: dt.date) -> tuple[int, int]:
    return day.day, _month_length(day)


def _weekday_test(rule: Rule) -> DayTest:
    if any(day.nth for day in rule.by_day):
        of_month = rule.freq == Freq.MONTHLY or rule.by_month
        return _nth_of(rule.by_day, _month_day if of_month else _year_day)
    weekdays = frozenset(day.weekday for day in rule.by_day)
    return lambda day: day.weekday() in weekdays


def _completed(rule: Rule, start: dt.datetime) -> Rule:
    """Take from the start what the rule leaves unsaid (RFC 5545 3.3.10)."""
    if rule.freq in UNITS or rule.by_day or rule.by_month_day or rule.by_year_day:
        return rule
    if rule.by_week_no or rule.freq == Freq.WEEKLY:
        return replace(rule, by_day=(Day(start.weekday()),))
    if rule.freq == Freq.MONTHLY:
        return replace(rule, by_month_day=(start.day,))
    if rule.freq == Freq.YEARLY:
        return replace(rule, by_month=rule.by_month or (start.month,), by_month_day=(start.day,))
    return rule


def _turn(freq: Freq, wkst: int) -> Callable[[dt.date], int]:
    """Return what numbers the year, month, week or day of a date, for the interval."""
    return {
        Freq.YEARLY: lambda day: day.year,
        Freq.MONTHLY: lambda day: day.year * 12 + day.month,
        Freq.WEEKLY: lambda day: _week(day, wkst),
    }.get(freq, lambda day: day.toordinal())


def _day_tests(rule: Rule, start: dt.datetime) -> list[DayTest]:
    tests: list[DayTest] = []
    if rule.by_day:
        tests.append(_weekday_test(rule))
    if rule.by_month:
        tests.append(lambda day: day.month in rule.by_month)
    if rule.by_month_day:
        tests.append(_either_end(rule.by_month_day, _month_day))
    if rule.by_year_day:
        tests.append(_either_end(rule.by_year_day, _year_day))
    if rule.by_week_no:
        tests.append(_either_end(rule.by_week_no, lambda day: _week_no(day, rule.wkst)))
    if rule.interval > 1 and rule.freq not in UNITS:
        turn = _turn(rule.freq, rule.wkst)
        first = turn(start.date())
        tests.append(lambda day: (turn(day) - first) % rule.interval == 0)
    return tests


# -- Times of a day --------------------------------------------------------------------------------------------------


class _Times(NamedTuple):
    """The times of a day, in seconds after midnight; `cost`: how many are looked at."""

    cost: int
    of: Callable[[dt.date], list[int]]


def _times(rule: Rule, start: dt.datetime) -> _Times:
    if rule.freq in UNITS:
        return _fine_times(rule, start)
    lists = (rule.by_hour or (start.hour,), rule.by_minute or (start.minute,), rule.by_second or (start.second,))
    fixed = sorted({h * 3600 + m * 60 + s for h, m, s in product(*lists)})
    return _Times(len(fixed), lambda day: fixed)


def _fine_times(rule: Rule, start: dt.datetime) -> _Times:
    """Count hours, minutes or seconds: one of them out of `interval`, of those that the lists of the rule leave."""
    unit = UNITS[rule.freq]
    allowed, within = _allowed_units(rule), _within_unit(rule, start)
    each_day = DAY_SECONDS // unit
    first = start.toordinal() * each_day + (start.hour * 3600 + start.minute * 60 + start.second) // unit

    def of_day(day: dt.date) -> list[int]:
        steps = range((first - day.toordinal() * each_day) % rule.interval, each_day, rule.interval)
        return [turn * unit + more for turn in _both(steps, allowed) for more in within]

    return _Times(min(each_day // rule.interval + 1, len(allowed)) * len(within), of_day)


def _allowed_units(rule: Rule) -> dict[int, None] | range:
    """Return the hours, minutes or seconds of a day that the lists of a fine rule leave, in order."""
    hours, minutes, seconds = rule.by_hour or range(24), rule.by_minute or range(60), rule.by_second or range(60)
    if rule.freq == Freq.HOURLY:
        return dict.fromkeys(sorted(hours))
    if rule.freq == Freq.MINUTELY:
        return dict.fromkeys(sorted(h * 60 + m for h, m in product(hours, minutes)))
    if not (rule.by_hour or rule.by_minute or rule.by_second):
        return range(DAY_SECONDS)
    return dict.fromkeys(sorted(h * 3600 + m * 60 + s for h, m, s in product(hours, minutes, seconds)))


def _within_unit(rule: Rule, start: dt.datetime) -> list[int]:
    """Return the seconds of an hour or of a minute at which a fine rule falls."""
    seconds = rule.by_second or (start.second,)
    if rule.freq == Freq.HOURLY:
        return sorted({m * 60 + s for m, s in product(rule.by_minute or (start.minute,), seconds)})
    return sorted(set(seconds)) if rule.freq == Freq.MINUTELY else [0]


def _both(steps: range, allowed: dict[int, None] | range) -> list[int]:
    """Return what two ordered sets share, walking through the shorter."""
    if len(allowed) < len(steps):
        return [turn for turn in allowed if turn in steps]
    return [turn for turn in steps if turn in allowed]


# -- The whole rule --------------------------------------------------------------------------------------------------


def _candidates(rule: Rule, start: dt.datetime, first: dt.date, last: dt.date) -> Iterator[dt.datetime]:
    """Yield in order the local times of these days that the lists and the interval name."""
    tests = _day_tests(rule, start)
    times = _times(rule, start)
    left = EXAMINED_MOST
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = dt.date.fromordinal(ordinal)
        falls = all(test(day) for test in tests)
        left -= times.cost if falls else 1
        if left < 0:
            raise RuleTooFine()
        if falls:
            midnight = dt.datetime(day.year, day.month, day.day)
            yield from (midnight + dt.timedelta(seconds=second) for second in times.of(day))


def _positioned(rule: Rule, start: dt.datetime, first: dt.date, last: dt.date) -> Iterator[dt.datetime]:
    """Keep of each year, month, week… only the places that BYSETPOS tells."""
    turn = _turn(rule.freq, rule.wkst)
    unit = UNITS.get(rule.freq, DAY_SECONDS)

    def period(local: dt.datetime) -> tuple[int, int]:
        return turn(local.date()), (local.hour * 3600 + local.minute * 60 + local.second) // unit

    # A period is counted whole, also what comes before the window or before the start.
    margin = dt.timedelta(days={Freq.YEARLY: 366, Freq.MONTHLY: 31, Freq.WEEKLY: 7}.get(rule.freq, 0))
    for _, together in groupby(_candidates(rule, start, first - margin, last + margin), key=period):
        group = list(together)
        places = (place - 1 if place > 0 else len(group) + place for place in rule.by_set_pos)
        yield from (group[place] for place in sorted(set(places)) if 0 <= place < len(group))


def _falls(rule: Rule, start: dt.datetime, first: dt.date, last: dt.date) -> Iterator[dt.datetime]:
    whole = _completed(rule, start)
    if rule.by_set_pos:
        return _positioned(whole, start, first, last)
    return _candidates(whole, start, first, last)


def _ended(rule: Rule, zone: ZoneInfo) -> Callable[[dt.datetime], bool]:
    until = rule.until
    if until is None:
        return lambda local: False
    if not isinstance(until, dt.datetime):
        return lambda local: local.date() > until
    if until.tzinfo is None:
        return lambda local: local > until
    return lambda local: instant(local, zone) > until


def _repeated(rule: Rule, start: dt.datetime, zone: ZoneInfo, first: dt.date, last: dt.date) -> Iterator[dt.datetime]:
    """Yield the local starts up to `last`: the one that was said, always the first, then those of the rule."""
    ended = _ended(rule, zone)
    if ended(start):
        return
    yield start
    # What is numbered is counted from the beginning.
    begin = start.date() if rule.count else max(start.date(), first)
    number = 1
    for local in _falls(rule, start, begin, last):
        if local <= start:
            continue
        if ended(local) or number == rule.count:
            return
        number += 1
        yield local


def _check_bounds(start: dt.datetime, duration: dt.timedelta) -> None:
    if duration <= dt.timedelta(0):
        raise EndBeforeStart()
    if duration > LONGEST:
        raise TooLong()
    if not FIRST_YEAR <= start.year <= LAST_YEAR:
        raise OutOfTime()


def check(start: dt.datetime, zone: ZoneInfo, duration: dt.timedelta, rule: Rule | None) -> None:
    """Refuse what should not be written: a range that ends before it starts, a rule that never falls.

    `start` is a wall-clock time without zone. Raises EndBeforeStart, TooLong, OutOfTime, UntilBeforeStart,
    RuleNeverOccurs or RuleTooFine.
    """
    _check_bounds(start, duration)
    if rule is None:
        return
    if _ended(rule, zone)(start):
        raise UntilBeforeStart()
    last = start.date() + dt.timedelta(days=HORIZON_DAYS)
    if not any(local >= start for local in _falls(rule, start, start.date(), last)):
        raise RuleNeverOccurs()


def occurrences(
    start: dt.datetime,
    zone: ZoneInfo,
    duration: dt.timedelta,
    rule: Rule | None,
    *,
    window: tuple[dt.datetime, dt.datetime],
    limit: int = 1000,
) -> list[Occurrence]:
    """Return in order what overlaps a window of instants, of a range that begins at `start` on the clock of `zone`.

    The start that was said is always the first occurrence and counts in COUNT, even where the rule alone would not
    give it (RFC 5545 3.8.5.3, and the « start–end » of GAP's availabilityTime); without rule it is the only one.
    Exceptions are the caller's: he leaves out or moves what `recurrence_id` names.
    Raises TooManyOccurrences beyond `limit`, RuleTooFine for what would hold the process, EndBeforeStart, TooLong or
    OutOfTime.
    """
    _check_bounds(start, duration)
    opening, closing = _within_agenda(window)
    # A day more on either side, for the zone.
    first = (opening - duration).date() - dt.timedelta(days=1)
    last = closing.date() + dt.timedelta(days=1)
    found: list[Occurrence] = []
    for local in [start] if rule is None else _repeated(rule, start, zone, first, last):
        occurrence = _lasting(local, zone, duration)
        if occurrence.end > opening and occurrence.start < closing:
            if len(found) == limit:
                raise TooManyOccurrences(limit=limit)
            found.append(occurrence)
    # What an hour that does not exist moved forward may come after what follows it on the clock.
    found.sort()
    return found


def _within_agenda(window: tuple[dt.datetime, dt.datetime]) -> tuple[dt.datetime, dt.datetime]:
    lowest, highest = dt.datetime(FIRST_YEAR, 1, 1, tzinfo=dt.UTC), dt.datetime(LAST_YEAR + 1, 1, 1, tzinfo=dt.UTC)
    opening, closing = (min(max(edge, lowest), highest).astimezone(dt.UTC) for edge in window)
    return opening, closing
