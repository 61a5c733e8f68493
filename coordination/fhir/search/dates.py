"""Comparing what was asked with moments and periods (FHIR R4 search, prefixes; CDS-54, CDS-55).

A search date covers a range, and so does what is compared with it: a day is 24 hours, an absent beginning or end of a
period goes on for ever.
"""

from __future__ import annotations

import datetime as dt

from django.db.models import Q
from django.utils import timezone

from coordination.fhir.registry import DateParam
from coordination.fhir.search.values import PARIS, Moment

# « About »: a tenth of what separates the date from now (FHIR R4's own suggestion), a day at least.
ABOUT = 10
# A day away from what no zone can move beyond.
_FIRST, _LAST = dt.datetime(1, 1, 2, tzinfo=dt.UTC), dt.datetime(9999, 12, 30, tzinfo=dt.UTC)


def condition(param: DateParam, asked: Moment) -> Q:
    """Return the condition on the columns of `param` (inside its `inside` when it has one)."""
    found = _Columns(param).compare(asked)
    return param.inside(found) if param.inside else found


class _Columns:
    """The beginning and the end of what is stored, as conditions against a moment."""

    def __init__(self, param: DateParam) -> None:
        self.low, self.high, self.is_day = param.low, param.high, param.is_day
        # A single column that is empty says nothing: it is never before nor after.
        self.is_open = param.low != param.high

    def compare(self, asked: Moment) -> Q:
        low, high = asked.low, asked.high
        match asked.comparator:
            case "eq":
                return self.within(low, high)
            case "ne":
                return self.known() & ~self.within(low, high)
            case "gt":
                return self.ends_after(high)
            case "lt":
                return self.begins_before(low)
            case "ge":
                return self.ends_after(high) | self.within(low, high)
            case "le":
                return self.begins_before(low) | self.within(low, high)
            case "sa":
                return self.begins_from(high)
            case "eb":
                return self.ends_by(low)
        away = abs(timezone.now() - low) / ABOUT
        wide = max(away, dt.timedelta(days=1))
        return self.ends_after(_moved(low, -wide)) & self.begins_before(_moved(high, wide))

    def known(self) -> Q:
        return Q() if self.is_open else Q(**{f"{self.low}__isnull": False})

    def within(self, low: dt.datetime, high: dt.datetime) -> Q:
        return self.begins_from(low) & self.ends_by(high)

    def begins_from(self, at: dt.datetime) -> Q:
        return Q(**{f"{self.low}__gte": self._first_day_from(at) if self.is_day else at})

    def begins_before(self, at: dt.datetime) -> Q:
        found = Q(**{f"{self.low}__lt": self._first_day_from(at) if self.is_day else at})
        return found | Q(**{f"{self.low}__isnull": True}) if self.is_open else found

    def ends_by(self, at: dt.datetime) -> Q:
        if self.is_day:
            # The day itself must be over by then.
            return Q(**{f"{self.high}__lt": self._day_of(at)})
        return Q(**{f"{self.high}__lt": at})

    def ends_after(self, at: dt.datetime) -> Q:
        found = Q(**{f"{self.high}__gte": self._day_of(at) if self.is_day else at})
        return found | Q(**{f"{self.high}__isnull": True}) if self.is_open else found

    @staticmethod
    def _day_of(at: dt.datetime) -> dt.date:
        return at.astimezone(PARIS).date()

    @classmethod
    def _first_day_from(cls, at: dt.datetime) -> dt.date:
        """Return the first day that begins at this moment or after it."""
        local = at.astimezone(PARIS)
        return local.date() if local.time() == dt.time() else local.date() + dt.timedelta(days=1)


def _moved(at: dt.datetime, by: dt.timedelta) -> dt.datetime:
    """Return the moment `by` later, or the end of the calendar on that side."""
    try:
        return at + by
    except OverflowError:
        return _LAST if by > dt.timedelta() else _FIRST
