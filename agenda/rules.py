"""A rule of repetition as iCalendar says it (RFC 5545 3.3.10), and what such a rule may not say.

Pure. `agenda.recurrence` tells when it falls, `agenda.rule_formats` reads and writes it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import NamedTuple

from coordination.common.errors import DomainError

FIRST_YEAR, LAST_YEAR = 1900, 2199


class RecurrenceRefused(DomainError):
    code = "recurrence_refused"


class RuleMalformed(RecurrenceRefused):
    code = "rule_malformed"
    message = "Cette règle de répétition n’est pas valable : {why}."


class Freq(StrEnum):
    """The seven frequencies of iCalendar, from the longest."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"
    HOURLY = "HOURLY"
    MINUTELY = "MINUTELY"
    SECONDLY = "SECONDLY"


class Day(NamedTuple):
    """A weekday (0 is Monday): all of them, or the nth of the month or year, counted from its end if negative."""

    weekday: int
    nth: int = 0


# Highest value of each list, and whether it may be counted from the end; zero is the lowest where nothing is.
_HIGHEST = {
    "by_month": (12, False),
    "by_week_no": (53, True),
    "by_year_day": (366, True),
    "by_month_day": (31, True),
    "by_hour": (23, False),
    "by_minute": (59, False),
    "by_second": (59, False),
    "by_set_pos": (366, True),
}
_FROM_ZERO = frozenset({"by_hour", "by_minute", "by_second"})


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of repetition, as RRULE of RFC 5545 says it.

    `until` is an instant, a day (included) or a local time without zone. `by_set_pos` exists in iCalendar only.
    Raises RuleMalformed for what RFC 5545 forbids.
    """

    freq: Freq
    interval: int = 1
    count: int | None = None
    until: dt.datetime | dt.date | None = None
    by_day: tuple[Day, ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    by_set_pos: tuple[int, ...] = ()
    wkst: int = 0

    def __post_init__(self) -> None:
        _check_numbers(self)
        _check_lists(self)
        _check_together(self)


def _refuse_if(wrong: bool, why: str) -> None:
    if wrong:
        raise RuleMalformed(why=why)


def _check_numbers(rule: Rule) -> None:
    _refuse_if(rule.interval < 1, "l’intervalle doit être d’au moins 1")
    _refuse_if(rule.count is not None and rule.count < 1, "le nombre d’occurrences doit être d’au moins 1")
    _refuse_if(rule.count is not None and rule.until is not None, "elle dit à la fois un nombre et une fin")
    _refuse_if(rule.until is not None and rule.until.year < FIRST_YEAR, "sa fin est avant le début de l’agenda")
    _refuse_if(not 0 <= rule.wkst <= 6, "le premier jour de la semaine n’existe pas")


def _check_lists(rule: Rule) -> None:
    for name, (highest, signed) in _HIGHEST.items():
        lowest = 0 if name in _FROM_ZERO else 1
        for value in getattr(rule, name):
            _refuse_if(
                not lowest <= (abs(value) if signed else value) <= highest, f"{value} n’est pas une valeur possible"
            )
    for day in rule.by_day:
        _refuse_if(not 0 <= day.weekday <= 6 or abs(day.nth) > 53, "un jour de la semaine n’existe pas")


def _check_together(rule: Rule) -> None:
    """What RFC 5545 3.3.10 forbids to say together."""
    long = rule.freq in (Freq.YEARLY, Freq.MONTHLY)
    nth = any(day.nth for day in rule.by_day)
    _refuse_if(
        bool(rule.by_week_no) and rule.freq != Freq.YEARLY, "un numéro de semaine demande une répétition annuelle"
    )
    _refuse_if(
        bool(rule.by_year_day) and rule.freq in (Freq.DAILY, Freq.WEEKLY, Freq.MONTHLY),
        "un jour de l’année ne va pas avec cette fréquence",
    )
    _refuse_if(
        bool(rule.by_month_day) and rule.freq == Freq.WEEKLY,
        "un jour du mois ne va pas avec une répétition hebdomadaire",
    )
    _refuse_if(nth and not long, "un rang de jour demande une répétition mensuelle ou annuelle")
    _refuse_if(nth and bool(rule.by_week_no), "un rang de jour ne va pas avec un numéro de semaine")
    others = (f.name for f in fields(rule) if f.name.startswith("by_") and f.name != "by_set_pos")
    _refuse_if(bool(rule.by_set_pos) and not any(getattr(rule, name) for name in others), "un rang ne dit pas de quoi")
