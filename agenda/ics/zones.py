"""Time zones as calendars name and define them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import lru_cache

import icalendar

# Before, no calendar of ours; after, nobody knows the rules: a definition stays short whatever the dates.
_FIRST, _LAST = 1970, 2100


def definitions(zones: Iterable[str], first: dt.datetime, last: dt.datetime) -> str:
    """Return the VTIMEZONE of each zone (IANA names), true from the year before `first` to the year after `last`."""
    begin, end = max(first.year - 1, _FIRST), min(last.year + 1, _LAST)
    return "".join(_definition(zone, begin, end) for zone in sorted(set(zones) - {"UTC"}))


@lru_cache(maxsize=256)
def _definition(zone: str, first: int, last: int) -> str:
    made = icalendar.Timezone.from_tzid(zone, first_date=dt.date(first, 1, 1), last_date=dt.date(last + 1, 1, 1))
    # A remark of the library, in English.
    made.pop("COMMENT", None)
    return made.to_ical().decode()
