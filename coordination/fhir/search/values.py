"""The small languages inside a search value: lists, escapes, dates, tokens (FHIR R4 search, section 3.1.1.4)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from uuid import UUID
from zoneinfo import ZoneInfo

from coordination.fhir.outcomes import Unreadable

PARIS = ZoneInfo("Europe/Paris")
COMPARATORS = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
_DATE = re.compile(
    r"(?P<year>\d{4})(-(?P<month>\d{2})(-(?P<day>\d{2})"
    r"(T(?P<hour>\d{2}):(?P<minute>\d{2})(:(?P<second>\d{2})(\.(?P<fraction>\d+))?)?(?P<zone>Z|[+-]\d{2}:\d{2})?)?)?)?"
)


def alternatives(value: str) -> list[str]:
    r"""Return the values of a list "a,b" ("or"), an escaped comma kept: `a\,b` is one."""
    return [part for part in re.split(r"(?<!\\),", value) if part]


def unescaped(value: str) -> str:
    """Return a value without its escapes (FHIR R4 search, 3.1.1.5.7)."""
    return re.sub(r"\\([,|$\\])", r"\1", value)


@dataclass(frozen=True, slots=True)
class Moment:
    """A date of a search: `comparator`, and the moments [low, high) that its precision covers, in Paris time."""

    comparator: str
    low: dt.datetime
    high: dt.datetime


def moment(value: str, name: str) -> Moment:
    """Return what a date value says. Raises Unreadable for what is not a date. Without a zone, it is Paris time."""
    comparator = value[:2] if value[:2] in COMPARATORS else "eq"
    text = value.removeprefix(comparator) if value[:2] in COMPARATORS else value
    # A plus sign of a time zone arrives as a space when it was not escaped.
    found = _DATE.fullmatch(text.replace(" ", "+"))
    if found is None:
        raise Unreadable(f"« {name} » attend une date, par exemple ge2026-01-31.")
    try:
        return Moment(comparator, *_covered(found))
    except (ValueError, OverflowError):
        raise Unreadable(f"« {name} » attend une date qui existe.") from None


def _covered(found: re.Match[str]) -> tuple[dt.datetime, dt.datetime]:
    part = found.groupdict()
    year, month, day = int(part["year"]), int(part["month"] or 1), int(part["day"] or 1)
    if part["hour"] is None:
        first = dt.datetime(year, month, day, tzinfo=PARIS)
        if part["month"] is None:
            return first, first.replace(year=year + 1)
        if part["day"] is None:
            return first, first.replace(year=year + month // 12, month=month % 12 + 1)
        return first, dt.datetime.combine(first.date() + dt.timedelta(days=1), dt.time(), PARIS)
    zone = _zone(part["zone"])
    # As many digits as the clock of the database has.
    digits = (part["fraction"] or "")[:6]
    first = dt.datetime(
        year, month, day, int(part["hour"]), int(part["minute"]), int(part["second"] or 0),
        int(digits.ljust(6, "0")), tzinfo=zone,
    )  # fmt: skip
    step = dt.timedelta(microseconds=10 ** (6 - len(digits))) if part["second"] else dt.timedelta(minutes=1)
    return first.astimezone(PARIS), (first + step).astimezone(PARIS)


def _zone(said: str | None) -> dt.tzinfo:
    if said is None:
        return PARIS
    if said == "Z":
        return dt.UTC
    sign = -1 if said[0] == "-" else 1
    return dt.timezone(sign * dt.timedelta(hours=int(said[1:3]), minutes=int(said[4:6])))


@dataclass(frozen=True, slots=True)
class Token:
    """`system` None: any; "": none (`|code`). `code` "": any of the system (`system|`)."""

    system: str | None
    code: str


def token(value: str) -> Token:
    """Return what a token asks: `code`, `system|code`, `|code` or `system|`."""
    parts = re.split(r"(?<!\\)\|", value, maxsplit=1)
    if len(parts) == 1:
        return Token(None, unescaped(parts[0]))
    return Token(unescaped(parts[0]), unescaped(parts[1]))


def uuid_of(text: str) -> UUID | None:
    """Return the id of a resource of ours; None for what cannot be one, without asking the database."""
    if len(text) != 36:
        return None
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text.lower() else None
