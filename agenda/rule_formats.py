"""A rule of repetition read from and written to the text of iCalendar and the extension of GAP.

Pure. iCalendar: the value of RRULE (RFC 5545 3.3.10). GAP: the `rrule` part of fr-core-schedule-availability-time
(agenda.md 6.1), whose positive integers cannot say midnight nor « :00 », and which has neither BYSETPOS nor RDATE.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from agenda.rules import Day, Freq, Rule, RuleMalformed

T = TypeVar("T")

WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# Codes of http://hl7.org/fhir/days-of-week.
FHIR_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
RRULE_SYSTEM = "https://www.ietf.org/rfc/rfc2445"
LONGEST_TEXT = 2000
MOST_VALUES = 400

# What many programs write for « no end ».
_FOREVER = dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)
_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_INTEGER = re.compile(r"[+-]?\d{1,9}")
_LISTS = {
    "BYMONTH": "by_month",
    "BYWEEKNO": "by_week_no",
    "BYYEARDAY": "by_year_day",
    "BYMONTHDAY": "by_month_day",
    "BYHOUR": "by_hour",
    "BYMINUTE": "by_minute",
    "BYSECOND": "by_second",
    "BYSETPOS": "by_set_pos",
}
# Name in GAP, name in Rule, type of the value.
_GAP_LISTS = (
    ("bySecond", "by_second", "valuePositiveInt"),
    ("byMinute", "by_minute", "valuePositiveInt"),
    ("byHour", "by_hour", "valuePositiveInt"),
    ("byDay", "by_day", "valueString"),
    ("byMonthDay", "by_month_day", "valueInteger"),
    ("byYearDay", "by_year_day", "valueString"),
    ("byWeekNo", "by_week_no", "valueInteger"),
    ("byMonth", "by_month", "valuePositiveInt"),
)
_GAP_NAMES = {gap: name for gap, name, _ in _GAP_LISTS}


class RuleNotExpressible(RuleMalformed):
    code = "rule_not_expressible"
    message = "Cette répétition ne peut pas être dite dans le format du guide Agendas partagés : {why}."


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise RuleMalformed(why="un nombre est attendu")
    return int(text)


def _day(text: str) -> Day:
    found = _DAY.fullmatch(text.strip().upper())
    if not found or found[1] and not int(found[1]):
        raise RuleMalformed(why="un jour de la semaine n’existe pas")
    return Day(WEEKDAYS.index(found[2]), int(found[1] or 0))


def _weekday(text: str, names: tuple[str, ...]) -> int:
    if text not in names:
        raise RuleMalformed(why="le premier jour de la semaine n’existe pas")
    return names.index(text)


def _freq(text: Any) -> Freq:
    try:
        return Freq(text)
    except ValueError:
        raise RuleMalformed(why="la fréquence manque ou n’existe pas") from None


def _unique(values: list[T]) -> tuple[T, ...]:
    if len(values) > MOST_VALUES:
        raise RuleMalformed(why="elle a trop de valeurs")
    return tuple(dict.fromkeys(values))


# -- iCalendar -------------------------------------------------------------------------------------------------------


def rule_from_text(text: str) -> Rule:
    """Read the value of an RRULE, with or without its name. Raises RuleMalformed."""
    if len(text) > LONGEST_TEXT:
        raise RuleMalformed(why="elle est trop longue")
    parts: dict[str, str] = {}
    for part in text.strip().removeprefix("RRULE:").rstrip(";").upper().split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value or name in parts:
            raise RuleMalformed(why="elle est mal écrite")
        parts[name] = value
    freq = _freq(parts.pop("FREQ", ""))
    return Rule(freq=freq, **dict(_field(name, value) for name, value in parts.items()))


def _field(name: str, value: str) -> tuple[str, Any]:
    if name in _LISTS:
        return _LISTS[name], _unique([_integer(item) for item in value.split(",")])
    reader = _READERS.get(name)
    if reader is None:
        raise RuleMalformed(why="elle dit quelque chose d’inconnu")
    return reader(value)


_READERS: dict[str, Callable[[str], tuple[str, Any]]] = {
    "INTERVAL": lambda value: ("interval", _integer(value)),
    "COUNT": lambda value: ("count", _integer(value)),
    "UNTIL": lambda value: ("until", _until_from_text(value)),
    "BYDAY": lambda value: ("by_day", _unique([_day(item) for item in value.split(",")])),
    "WKST": lambda value: ("wkst", _weekday(value, WEEKDAYS)),
}


def _until_from_text(text: str) -> dt.datetime | dt.date:
    try:
        if len(text) == 8:
            return dt.datetime.strptime(text, "%Y%m%d").date()
        if text.endswith("Z"):
            return dt.datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
        return dt.datetime.strptime(text, "%Y%m%dT%H%M%S")
    except ValueError:
        raise RuleMalformed(why="sa date de fin est mal écrite") from None


def rule_to_text(rule: Rule, zone: ZoneInfo | None = None) -> str:
    """Write the value of an RRULE.

    With a zone, the end is an instant in UTC, as RFC 5545 asks when the start has a zone; without, it is written as
    it was said (whole days).
    """
    parts = [f"FREQ={rule.freq}"]
    if rule.until is not None:
        parts.append(f"UNTIL={_until_to_text(rule.until, zone)}")
    if rule.count is not None:
        parts.append(f"COUNT={rule.count}")
    if rule.interval != 1:
        parts.append(f"INTERVAL={rule.interval}")
    for written, name in _LISTS.items():
        values = getattr(rule, name)
        if values:
            parts.append(f"{written}={','.join(map(str, values))}")
    if rule.by_day:
        parts.append(f"BYDAY={','.join(map(_day_text, rule.by_day))}")
    if rule.wkst:
        parts.append(f"WKST={WEEKDAYS[rule.wkst]}")
    return ";".join(parts)


def _day_text(day: Day) -> str:
    return f"{day.nth or ''}{WEEKDAYS[day.weekday]}"


def _until_to_text(until: dt.datetime | dt.date, zone: ZoneInfo | None) -> str:
    if zone is not None:
        until = _last_instant(until, zone)
    if not isinstance(until, dt.datetime):
        return f"{until:%Y%m%d}"
    if until.tzinfo is None:
        return f"{until:%Y%m%dT%H%M%S}"
    return f"{min(until, _FOREVER).astimezone(dt.UTC):%Y%m%dT%H%M%SZ}"


def _last_instant(until: dt.datetime | dt.date, zone: ZoneInfo) -> dt.datetime:
    if not isinstance(until, dt.datetime):
        until = dt.datetime(until.year, until.month, until.day, 23, 59, 59)
    return until.replace(tzinfo=zone) if until.tzinfo is None else until


# -- GAP -------------------------------------------------------------------------------------------------------------


def rule_from_fhir(extension: dict[str, Any]) -> Rule:
    """Read the `rrule` part of an availabilityTime extension, as JSON. Raises RuleMalformed."""
    single: dict[str, Any] = {}
    lists: dict[str, list[Any]] = {}
    for part in extension.get("extension", []):
        name = part.get("url")
        value = next((value for key, value in part.items() if key.startswith("value")), None)
        if value is None:
            raise RuleMalformed(why="une valeur manque")
        if name in _GAP_NAMES:
            lists.setdefault(_GAP_NAMES[name], []).append(_gap_value(name, value))
        else:
            single.setdefault(name, value)
    freq = single.pop("freq", None)
    if not isinstance(freq, dict) or freq.get("system", RRULE_SYSTEM) != RRULE_SYSTEM:
        raise RuleMalformed(why="la fréquence manque ou n’existe pas")
    fields: dict[str, Any] = dict(_gap_field(name, value) for name, value in single.items())
    fields.update((name, _unique(values)) for name, values in lists.items())
    return Rule(freq=_freq(freq.get("code")), **fields)


def _gap_value(name: str, value: Any) -> Day | int:
    return _day(str(value)) if name == "byDay" else _integer(str(value))


def _gap_field(name: str, value: Any) -> tuple[str, Any]:
    if name in ("count", "interval"):
        return name, _integer(str(value))
    if name == "until":
        return name, _until_from_fhir(str(value))
    if name == "wkst":
        return name, _weekday(str(value), FHIR_WEEKDAYS)
    raise RuleMalformed(why="elle dit quelque chose d’inconnu")


def _until_from_fhir(text: str) -> dt.datetime | dt.date:
    """A year or a month lasts until its last day."""
    try:
        if re.fullmatch(r"\d{4}", text):
            return dt.date(int(text), 12, 31)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            year, month = int(text[:4]), int(text[5:])
            return dt.date(year, month, calendar.monthrange(year, month)[1])
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return dt.date.fromisoformat(text)
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise RuleMalformed(why="sa date de fin est mal écrite") from None


def rule_to_fhir(rule: Rule, zone: ZoneInfo) -> dict[str, Any]:
    """Write the `rrule` part of an availabilityTime extension.

    `zone` gives its offset to an end told on the wall clock. Raises RuleNotExpressible: say midnight and « :00 » by
    the start of the range rather than by a list.
    """
    if rule.by_set_pos:
        raise RuleNotExpressible(why="elle retient certains rangs seulement")
    parts: list[dict[str, Any]] = [{"url": "freq", "valueCoding": {"system": RRULE_SYSTEM, "code": str(rule.freq)}}]
    if rule.until is not None:
        parts.append({"url": "until", "valueDateTime": _until_to_fhir(rule.until, zone)})
    if rule.count is not None:
        parts.append({"url": "count", "valueInteger": rule.count})
    if rule.interval != 1:
        parts.append({"url": "interval", "valueInteger": rule.interval})
    for url, name, kind in _GAP_LISTS:
        parts.extend({"url": url, kind: _to_gap(value, kind)} for value in getattr(rule, name))
    if rule.wkst:
        parts.append({"url": "wkst", "valueCode": FHIR_WEEKDAYS[rule.wkst]})
    return {"url": "rrule", "extension": parts}


def _to_gap(value: Day | int, kind: str) -> str | int:
    if isinstance(value, Day):
        return _day_text(value)
    if kind == "valuePositiveInt" and value < 1:
        raise RuleNotExpressible(why="le guide ne sait pas dire zéro heure, zéro minute ou zéro seconde")
    return str(value) if kind == "valueString" else value


def _until_to_fhir(until: dt.datetime | dt.date, zone: ZoneInfo) -> str:
    if isinstance(until, dt.datetime) and until.tzinfo is None:
        until = until.replace(tzinfo=zone)
    return until.isoformat()
