"""From an Appointment that was sent to what is asked of an event: when, what, which state (GAP-70 to 77).

What the screens have no place for is kept and given back; nothing is refused for it (GAP-11).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from agenda.fhir import appointment_codes as codes
from agenda.models import Appointment
from coordination.fhir.outcomes import ERROR, Invalid, Issue

Resource = dict[str, Any]
PARIS: Final = ZoneInfo("Europe/Paris")
TITLE, COMMENT, MOTIVE, NOTE = 120, 2000, 500, 300
STATUS = Appointment.Status


def instant(text: str, at: str = "") -> dt.datetime:
    """Return the moment of an instant or a dateTime, in UTC; the beginning of a day, a month or a year in Paris.

    Raises Invalid, pointing to `at`, for what does not exist or is out of 1900 to 2199, as agendas are: nothing may
    leave the calendar by changing of clock, or by what it lasts.
    """
    try:
        if "T" in text:
            said = dt.datetime.fromisoformat(text)
            found = (said if said.tzinfo else said.replace(tzinfo=PARIS)).astimezone(dt.UTC)
        else:
            year, month, day = (int(part) for part in f"{text}-01-01".split("-")[:3])
            found = dt.datetime(year, month, day, tzinfo=PARIS).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        raise Invalid(Issue(ERROR, "value", "Cette date n’existe pas.", at)) from None
    if not 1900 <= found.year < 2200:
        raise Invalid(Issue(ERROR, "value", "Une date va de 1900 à 2199.", at))
    return found


def instant_or_none(text: Any) -> dt.datetime | None:
    """Return the same, None for nothing and for what is no moment."""
    try:
        return instant(text) if text else None
    except Invalid:
        return None


def times(resource: Resource, *, now: dt.datetime, minutes: int) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the beginning and the end asked for, in UTC; (None, None) for a request that leaves them open.

    Of a request without them, what `requestedPeriod` asks when it is one moment to come; its length is
    minutesDuration, else `minutes`, those of the type of appointment (GAP-77, GAP-91).
    """
    if "start" in resource and "end" in resource:
        start, end = (instant(resource[name], f"Appointment.{name}") for name in ("start", "end"))
        if end <= start:
            raise Invalid(Issue(ERROR, "invariant", "La fin doit suivre le début.", "Appointment.end"))
        said = resource.get("minutesDuration")
        if said and dt.timedelta(minutes=said) > end - start:
            what = "La durée dépasse le temps entre le début et la fin."
            raise Invalid(Issue(ERROR, "business-rule", what, "Appointment.minutesDuration"))
        return start, end
    asked = resource.get("requestedPeriod", [])
    if resource.get("status") != STATUS.PROPOSED or len(asked) != 1 or "start" not in asked[0]:
        return None, None
    start = instant(asked[0]["start"], "Appointment.requestedPeriod[0].start")
    length = dt.timedelta(minutes=min(resource.get("minutesDuration") or minutes, 24 * 60))
    end = asked[0].get("end")
    if "T" not in asked[0]["start"] or start <= now:
        return None, None
    if end and instant(end, "Appointment.requestedPeriod[0].end") != start + length:
        # A range to choose from, and not a time.
        return None, None
    return start, start + length


def words(resource: Resource) -> dict[str, Any]:
    """Return the columns that hold what is said in words; longer texts are kept whole beside them."""
    motives = resource.get("reasonCode", [])
    return {
        "service_type": codes.type_said(resource),
        "title": str(resource.get("description", ""))[:TITLE],
        "comment": str(resource.get("comment", ""))[:COMMENT],
        "reason": codes.words(motives)[:MOTIVE],
    }


# What reads, of a resource, each element that the screens know: it is given back as sent while it still says the same.
SAYS: Final[Mapping[str, Callable[[Resource], Any]]] = {
    "identifier": codes.identifier_said,
    "status": lambda said: said.get("status"),
    "cancelationReason": lambda said: codes.reason_said(said) if "cancelationReason" in said else None,
    "serviceCategory": codes.kind_said,
    "serviceType": codes.type_said,
    "reasonCode": lambda said: codes.words(said.get("reasonCode", []))[:MOTIVE],
    "description": lambda said: str(said.get("description", ""))[:TITLE],
    "comment": lambda said: str(said.get("comment", ""))[:COMMENT],
    "start": lambda said: instant_or_none(said.get("start")),
    "end": lambda said: instant_or_none(said.get("end")),
    "created": lambda said: instant_or_none(said.get("created")),
}
# They speak of a time: given back while it is the one they were sent with.
OF_A_TIME: Final = ("slot", "minutesDuration", "requestedPeriod")
