"""When one event of somebody's calendar takes place: from when to when, what repeats it, what is left out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Final

from agenda.ics.moments import Moment, Unreadable, ZoneOf, moment_of, read_duration, read_moment
from agenda.ics.parsing import Component
from agenda.recurrence import instant, occurrences
from agenda.rule_formats import rule_from_text
from agenda.rules import Freq, Rule

# In UTC.
Span = tuple[dt.datetime, dt.datetime]
# Dates told one by one on the lines of one event.
MOST_DATES: Final = 5_000
# Somebody's calendar does not repeat an event more often than that; counting it would take a second.
MOST_A_DAY: Final = 100

_NOTHING = dt.timedelta(0)
# What says that an event takes no time; Outlook says it on a line of its own.
_NO_TIME = {
    "STATUS": ("CANCELLED",),
    "TRANSP": ("TRANSPARENT",),
    "X-MICROSOFT-CDO-BUSYSTATUS": ("FREE", "WORKINGELSEWHERE"),
}


def spans_of(
    event: Component, zone_of: ZoneOf, window: Span, *, replaced: Iterable[Moment] = (), limit: int
) -> Iterator[Span]:
    """Yield when an event takes place within a window, nothing when it takes no time.

    `replaced`: its occurrences that other events take the place of. Raises Unreadable, RecurrenceRefused, and
    TooManyOccurrences beyond `limit`.
    """
    line = event.one("DTSTART")
    if line is None:
        raise Unreadable
    start = moment_of(line, zone_of)
    end, length = _end(event, start, zone_of)
    omitted = _Omitted([*_excepted(event, zone_of), *replaced])
    if _takes_no_time(event) or length == _NOTHING:
        return
    for begin, finish, local in _falls(event, start, end, length, zone_of, window, limit):
        begin, finish = max(begin, window[0]), min(finish, window[1])
        if finish > begin and not omitted.holds(local):
            yield begin, finish


def periods_of(component: Component, zone_of: ZoneOf, window: Span) -> Iterator[Span]:
    """Yield the busy periods that a VFREEBUSY tells within a window. Raises Unreadable."""
    for line in component.all("FREEBUSY"):
        if line.params.get("FBTYPE", "BUSY").upper() == "FREE":
            continue
        for said in line.value.split(","):
            start, end = _period(said, line.params.get("TZID", ""), zone_of)
            begin, finish = max(start.at, window[0]), min(end, window[1])
            if finish > begin:
                yield begin, finish


def _takes_no_time(event: Component) -> bool:
    return any(event.value(name).upper() in values for name, values in _NO_TIME.items())


def _end(event: Component, start: Moment, zone_of: ZoneOf) -> tuple[dt.datetime, dt.timedelta]:
    """Return when the first occurrence ends, and how long each lasts on the clock of the start."""
    line, duration = event.one("DTEND"), event.one("DURATION")
    if line is not None:
        finish = moment_of(line, zone_of)
        if finish.whole_day is not start.whole_day or finish.at < start.at:
            raise Unreadable
        return finish.at, max(finish.at.astimezone(start.zone).replace(tzinfo=None) - start.local, _NOTHING)
    days, hours = dt.timedelta(days=1 if start.whole_day else 0), _NOTHING
    if duration is not None:
        days, hours = read_duration(duration.value)
    return instant(start.local + days, start.zone) + hours, days + hours


def _falls(
    event: Component, start: Moment, end: dt.datetime, length: dt.timedelta, zone_of: ZoneOf, window: Span, limit: int
) -> Iterator[tuple[dt.datetime, dt.datetime, Moment]]:
    """Yield (start, end, what names it) of the occurrences that the rules and the dates of an event give."""
    rules = event.all("RRULE")
    for line in rules:
        rule = _coarse(rule_from_text(line.value))
        for found in occurrences(start.local, start.zone, length, rule, window=window, limit=limit):
            yield found.start, found.end, start._replace(local=found.recurrence_id)
    if not rules:
        yield start.at, end, start
    for line in event.all("RDATE"):
        for said in _listed(line.value):
            if "/" in said:
                moment, finish = _period(said, line.params.get("TZID", ""), zone_of)
            else:
                moment = read_moment(said, line.params.get("TZID", ""), zone_of)
                finish = instant(moment.local + length, moment.zone)
            yield moment.at, finish, moment


def _period(text: str, tzid: str, zone_of: ZoneOf) -> tuple[Moment, dt.datetime]:
    """Return a start and an end from « start/end » or « start/length » (RFC 5545 §3.3.9)."""
    begin, _, rest = text.partition("/")
    start = read_moment(begin, tzid, zone_of)
    if rest.strip().upper().startswith(("P", "+P")):
        days, hours = read_duration(rest)
        return start, instant(start.local + days, start.zone) + hours
    return start, read_moment(rest, tzid, zone_of).at


def _listed(value: str) -> list[str]:
    """Return the values of a line; a comma too many is nothing."""
    said = [one for one in value.split(",", MOST_DATES + 1) if one and not one.isspace()]
    if len(said) > MOST_DATES:
        raise Unreadable
    return said


def _coarse(rule: Rule) -> Rule:
    hours = 24 if rule.freq in (Freq.HOURLY, Freq.MINUTELY, Freq.SECONDLY) else 1
    minutes = 60 if rule.freq in (Freq.MINUTELY, Freq.SECONDLY) else 1
    seconds = 60 if rule.freq is Freq.SECONDLY else 1
    a_day = (len(rule.by_hour) or hours) * (len(rule.by_minute) or minutes) * (len(rule.by_second) or seconds)
    if a_day > MOST_A_DAY:
        raise Unreadable
    return rule


def _excepted(event: Component, zone_of: ZoneOf) -> Iterator[Moment]:
    for line in event.all("EXDATE"):
        for said in _listed(line.value):
            yield read_moment(said, line.params.get("TZID", ""), zone_of)


class _Omitted:
    """Occurrences that do not take place. A day alone leaves out whatever begins on it, as many programs write it."""

    def __init__(self, moments: Iterable[Moment]) -> None:
        together = list(moments)
        self._at = {moment.at for moment in together}
        self._days = {moment.local.date() for moment in together if moment.whole_day}

    def holds(self, moment: Moment) -> bool:
        return moment.local.date() in self._days or moment.at in self._at
