"""One’s own agenda as files of iCalendar: availabilities, what is free and taken, appointments (GAP-99)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

from agenda import feeds, spans
from agenda.actions.schedules import shown_schedule
from agenda.ics.feed import feed
from agenda.ics.freebusy import Band, Told, availability, free_busy
from agenda.ics.freebusy import Opening as Available
from agenda.models import Occupation, Opening, OpenTime, Schedule
from agenda.rule_formats import rule_from_text
from agenda.uids import uid_of
from agenda.zones import wall
from coordination.accounts.models import User
from habilitations import traces

KIND = Occupation.Kind
# Of when one is free or taken: as far as a meeting is looked for.
WEEKS_AHEAD = dt.timedelta(weeks=8)
_TOLD = {KIND.ABSENCE: Told.UNAVAILABLE, KIND.HOLD: Told.TENTATIVE}


def availabilities(user: User) -> bytes:
    """Return one’s openings as their rules say them (VAVAILABILITY), absences laid over. Three SQL statements.

    As `actions.horizon` writes them: none of an agenda that is set aside, and within its validity (GAP-30).
    """
    schedule = shown_schedule(user)
    openings = Opening.objects.filter(schedule=schedule.pk, schedule__active=True).order_by("starts", "pk")
    absent = Occupation.objects.filter(key=schedule.key, kind=KIND.ABSENCE, ends_at__gt=timezone.now())
    closed = list(absent.order_by("starts_at", "pk").values_list("starts_at", "ends_at"))
    ranges = [_available(row, schedule) for row in openings]
    return availability(
        ranges, closed, uid=uid_of(schedule.pk), stamp=_stamp(schedule), name="Disponibilités", refresh=None,
        valid=(schedule.valid_from, schedule.valid_until),
    )  # fmt: skip


def free_and_busy(user: User) -> bytes:
    """Return when one is free, taken, absent or held in the next eight weeks (VFREEBUSY). Three SQL statements.

    Outside of an opening nothing is said: one has declared nothing.
    """
    schedule, now = shown_schedule(user), timezone.now().replace(second=0, microsecond=0)
    window = {"key": schedule.key, "starts_at__lt": now + WEEKS_AHEAD, "ends_at__gt": now}
    taken = Occupation.objects.filter(**window).exclude(kind=KIND.HOLD, expires_at__lte=now)
    rows = list(taken.order_by("starts_at", "pk").values_list("starts_at", "ends_at", "kind"))
    opened = OpenTime.objects.filter(**window).values_list("starts_at", "ends_at")
    busy = spans.merge(spans.outward((start, end) for start, end, _ in rows))
    left = spans.subtract(spans.merge(spans.inward(opened)), busy)
    bands = [Band(start, end, _TOLD.get(KIND(kind), Told.BUSY)) for start, end, kind in rows]
    bands += [Band(spans.at(start), spans.at(end), Told.FREE) for start, end in left]
    return free_busy(bands, uid=f"occupation-{uid_of(schedule.pk)}", window=(now, now + WEEKS_AHEAD), stamp=now)


def appointments(user: User, via: traces.Via = traces.NOWHERE) -> bytes:
    """Return one’s appointments, as far as each dossier is open now; one trace in each. Three SQL statements."""
    now = timezone.now()
    window = (now - feeds.BEFORE, now + feeds.AHEAD)
    return feed(feeds.told_in_full(user, window, object_kind="agenda", action="export", via=via), name=feeds.NAME)


def _available(row: Opening, schedule: Schedule) -> Available:
    zone = ZoneInfo(row.zone)
    return Available(
        uid=uid_of(row.pk),
        start=wall(row.starts).replace(tzinfo=zone),
        end=wall(row.ends).replace(tzinfo=zone),
        zone=row.zone,
        last_modified=_stamp(schedule),
        created=row.created_at,
        rule=rule_from_text(row.rule) if row.rule else None,
        location=row.place,
    )


def _stamp(schedule: Schedule) -> dt.datetime:
    """When it was last changed; of an agenda that nobody has written yet, now."""
    return schedule.changed_at or timezone.now()
