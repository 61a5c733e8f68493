"""Moments, lengths and names of time zones, as the calendars of others write them."""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from agenda.ics.errors import CalendarTooLong
from agenda.ics.parsing import Component, Content
from agenda.recurrence import instant

UTC = ZoneInfo("UTC")
_MOMENT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.ASCII)
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>\d{1,3})W)?(?:(?P<days>\d{1,4})D)?"
    r"(?:T(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,6})M)?(?:(?P<seconds>\d{1,8})S)?)?",
    re.ASCII,
)

# TZID -> its zone; "" is that of whoever reads the calendar.
ZoneOf = Callable[[str], ZoneInfo]
# What `Zones` reads of a calendar.
ZONE_LINES = frozenset({"TZID", "TZOFFSETTO", "X-WR-TIMEZONE"})
# Names of zones of one calendar.
MOST_ZONES = 200


class Unreadable(ValueError):
    """A value that says nothing sure."""


class Moment(NamedTuple):
    """A time on the clock of a zone, or a whole day there."""

    local: dt.datetime
    zone: ZoneInfo
    whole_day: bool

    @property
    def at(self) -> dt.datetime:
        return instant(self.local, self.zone)


def read_moment(text: str, tzid: str, zone_of: ZoneOf) -> Moment:
    """Return the moment that a value of DATE or DATE-TIME says. Raises Unreadable."""
    found = _MOMENT.fullmatch(text.strip().upper())
    if not found:
        raise Unreadable
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    try:
        # RFC 5545 §3.3.12: a leap second is the one before, for who does not count them.
        local = dt.datetime(year, month, day, hour, minute, min(second, 59))
    except ValueError:
        raise Unreadable from None
    if not 1900 <= year <= 2199:
        raise Unreadable
    whole_day = found[4] is None
    zone = UTC if found[7] else zone_of("" if whole_day else tzid)
    return Moment(local, zone, whole_day)


def moment_of(line: Content, zone_of: ZoneOf) -> Moment:
    """Return the moment of a line of one value. Raises Unreadable."""
    return read_moment(line.value, line.params.get("TZID", ""), zone_of)


def read_duration(text: str) -> tuple[dt.timedelta, dt.timedelta]:
    """Return a length of time, what counts on the calendar (weeks, days) apart from what counts on a watch.

    Raises Unreadable, also for a length that goes backwards.
    """
    found = _DURATION.fullmatch(text.strip().upper())
    if not found or found["sign"] == "-" or not any(found.groups()[1:]):
        raise Unreadable
    said = {name: int(found[name] or 0) for name in ("weeks", "days", "hours", "minutes", "seconds")}
    return (
        dt.timedelta(weeks=said["weeks"], days=said["days"]),
        dt.timedelta(hours=said["hours"], minutes=said["minutes"], seconds=said["seconds"]),
    )


# ---- Zones -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _by_small_name() -> dict[str, str]:
    known = {name.lower(): name for name in zoneinfo.available_timezones()}
    return {windows.lower(): name for windows, name in WINDOWS_TO_OLSON.items() if name.lower() in known} | known


def named_zone(tzid: str) -> ZoneInfo | None:
    """Return the zone that a TZID names: by IANA, by Windows, or at the end of a path (/mozilla…/Europe/Paris)."""
    names = _by_small_name()
    whole = tzid.strip().strip("/").lower()
    parts = whole.split("/")
    ends = [whole, "/".join(parts[-3:]), "/".join(parts[-2:])]
    found = next((names[end] for end in ends if end in names), None)
    return ZoneInfo(found) if found else None


class Zones:
    """The zones that a calendar names, read from its components; `default` for what names none.

    `unknown`: the names that nothing explained, read as the default.
    """

    def __init__(self, components: Iterable[Component], default: ZoneInfo) -> None:
        self._defined: dict[str, tuple[str, str]] = {}
        self._found: dict[str, ZoneInfo] = {"": default}
        self.unknown: set[str] = set()
        offsets = {"STANDARD": "", "DAYLIGHT": ""}
        for component in components:
            if component.name in offsets:
                offsets[component.name] = component.value("TZOFFSETTO")
            elif component.name == "VTIMEZONE":
                # Its parts come before it, as they end first.
                self._defined[component.value("TZID")] = offsets["STANDARD"], offsets["DAYLIGHT"]
                offsets = {"STANDARD": "", "DAYLIGHT": ""}
            elif component.name == "VCALENDAR":
                self._found[""] = named_zone(component.value("X-WR-TIMEZONE")) or default

    def __call__(self, tzid: str) -> ZoneInfo:
        if tzid not in self._found:
            if len(self._found) > MOST_ZONES:
                raise CalendarTooLong()
            zone = named_zone(tzid) or defined_zone(*self._defined.get(tzid, ("", "")))
            if zone is None:
                self.unknown.add(tzid)
            self._found[tzid] = zone or self._found[""]
        return self._found[tzid]


# Zones that a definition under an unknown name is compared to, those of our readers first.
_LIKELY = (
    "Europe/Paris", "Europe/London", "Indian/Reunion", "America/Martinique", "America/Cayenne", "America/Miquelon",
    "Indian/Mayotte", "Pacific/Noumea", "Pacific/Tahiti", "Pacific/Wallis", "Europe/Helsinki", "Europe/Istanbul",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "UTC",
)  # fmt: skip


def defined_zone(standard: str, daylight: str) -> ZoneInfo | None:
    """Return a zone with the offsets of a VTIMEZONE (TZOFFSETTO of its STANDARD, and of its DAYLIGHT or "").

    Programs that name a zone as they like give its offsets; the days of change are those of the zone found.
    """
    wanted = (_offset(standard or daylight), _offset(daylight or standard))
    return next((zone for zone in map(ZoneInfo, _LIKELY) if _offsets(zone) == wanted), None)


def _offset(text: str) -> dt.timedelta | None:
    found = re.fullmatch(r"([+-])(\d{2})(\d{2})(?:\d{2})?", text.strip(), re.ASCII)
    if not found:
        return None
    length = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
    return -length if found[1] == "-" else length


def _offsets(zone: ZoneInfo) -> tuple[dt.timedelta | None, dt.timedelta | None]:
    """Return the offsets of a zone of the north, in winter and in summer."""
    return dt.datetime(2026, 1, 1, tzinfo=zone).utcoffset(), dt.datetime(2026, 7, 1, tzinfo=zone).utcoffset()
