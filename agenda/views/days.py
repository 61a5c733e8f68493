"""The day that the address of an agenda asks for."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_date

# Further, nothing is known of what repeats; nor does a form go there.
FURTHEST = dt.timedelta(days=3660)


def asked_day(request: HttpRequest) -> dt.date | None:
    """Return the day of the address, None for one that is none or too far."""
    try:
        day = parse_date(request.GET.get("jour", ""))
    except ValueError:
        return None
    return day if day and abs(day - timezone.localdate()) < FURTHEST else None
