"""What a CareTeam says, in the words of the circle. Pure: whom a reference names here is found elsewhere."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from coordination.fhir.outcomes import ERROR, Invalid, Issue
from coordination.fhir.references import literal

PARIS = ZoneInfo("Europe/Paris")


def day(text: str, *, last: bool = False, at: str = "") -> dt.date:
    """Return the day of a date or dateTime, in France; of a month or a year the first, or the `last`.

    Raises Invalid, pointing to `at`.
    """
    try:
        match text.count("-") if "T" not in text else -1:
            case 0:
                return dt.date(int(text), 12, 31) if last else dt.date(int(text), 1, 1)
            case 1:
                year, month = map(int, text.split("-"))
                return dt.date(year, month, calendar.monthrange(year, month)[1] if last else 1)
            case -1:
                moment = dt.datetime.fromisoformat(text)
                return (moment.astimezone(PARIS) if moment.tzinfo else moment).date()
        return dt.date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise Invalid(Issue(ERROR, "value", "Cette date n’existe pas.", at)) from None


def period_said(period: Mapping[str, Any], at: str = "") -> tuple[dt.date | None, dt.date | None]:
    """Return the first and last day of a Period. Raises Invalid for dates that do not exist or cross."""
    starts, ends = period.get("start"), period.get("end")
    first = day(starts, at=f"{at}.start") if starts else None
    end = day(ends, last=True, at=f"{at}.end") if ends else None
    if first and end and end < first:
        raise Invalid(Issue(ERROR, "invariant", "La fin ne peut pas précéder le début.", at))
    return first, end


def identifier_said(resource: Mapping[str, Any]) -> tuple[str, str]:
    """Return (system, value) of the one identifier (CDS-18), ("", "") when there is none."""
    found = (resource.get("identifier") or [{}])[0]
    return found.get("system", ""), found.get("value", "")


def local(reference: str) -> str:
    """Return "Type/id" of what is kept here, however it was named; the reference itself for anything else."""
    found = literal(reference, f"{settings.SITE_URL}/fhir")
    return "/".join(found) if found else reference
