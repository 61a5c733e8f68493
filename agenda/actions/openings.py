"""When one may be asked, and when not: openings and absences of one's own agenda (agenda.md §3.3, AGD-17)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from agenda.actions.horizon import rewrite
from agenda.actions.schedules import locked_schedule, touch
from agenda.actions.taking import let_go
from agenda.errors import AlreadyInYourAgenda, NothingToCome, NotInYourAgenda, OpeningTooLong
from agenda.models import Absence, Occupation, Opening, OpenTime, Schedule
from agenda.recurrence import Occurrence, check
from agenda.rule_formats import rule_to_text
from agenda.rules import Rule
from agenda.zones import require_hour, wall_text
from coordination.accounts.models import User
from coordination.directory.models import Structure
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.traces import NOWHERE, Via

DAY = dt.timedelta(days=1)
Range = TypeVar("Range", Opening, Absence)


@dataclass(frozen=True)
class When:
    """What the clock on the wall says of the first occurrence, and how it repeats."""

    starts: dt.datetime
    ends: dt.datetime
    rule: Rule | None = None

    @property
    def fields(self) -> dict[str, str]:
        """As a row keeps it."""
        rule = rule_to_text(self.rule) if self.rule else ""
        return {"starts": wall_text(self.starts), "ends": wall_text(self.ends), "rule": rule}


@dataclass(frozen=True)
class OpeningSaid:
    """What an opening says besides its time; `service_codes` empty: every kind of appointment of the agenda."""

    modality: str = ""
    structure: Structure | None = None
    place: str = ""
    video_url: str = ""
    service_codes: Sequence[str] = ()

    @property
    def fields(self) -> dict[str, Any]:
        return vars(self) | {"service_codes": list(self.service_codes)}


@transaction.atomic
def add_opening(
    schedule: Schedule, *, by: User, when: When, said: OpeningSaid = OpeningSaid(), via: Via = NOWHERE
) -> Opening:
    """Open one's own agenda at some time, repeated or not, and write it as rows as far as the horizon.

    Raises NotInYourAgenda, AlreadyInYourAgenda, OpeningTooLong, NoSuchHour (once only; a rule moves it forward),
    NothingToCome, and the refusals of agenda.recurrence. Source: agenda.md §3.3; issue 5 §4.
    """
    found = locked_schedule(schedule, by=by)
    _require_opening(when, found.zone)
    made = _new(Opening, found, when, by, said.fields)
    _write(found, made, by, via)
    return made


@transaction.atomic
def change_opening(
    schedule: Schedule,
    opening_id: UUID,
    *,
    by: User,
    version: int,
    when: When,
    said: OpeningSaid = OpeningSaid(),
    via: Via = NOWHERE,
) -> int:
    """Change an opening and replace its rows; return how many booked appointments it no longer covers: they stay.

    Raises ChangedMeanwhile and those of `add_opening`. Source: agenda.md, GAP-32, GAP-40.
    """
    found = locked_schedule(schedule, by=by)
    opening = _found(found.openings.all(), opening_id, version)
    _require_opening(when, found.zone)
    covered = _covered(opening)
    _change(opening, found, when, said.fields)
    _write(found, opening, by, via)
    return _left_uncovered(covered)


@transaction.atomic
def remove_opening(schedule: Schedule, opening_id: UUID, *, by: User, via: Via = NOWHERE) -> int:
    """Withdraw an opening; return how many booked appointments were under it alone: they stay booked.

    Raises NotInYourAgenda. Source: agenda.md, GAP-33, GAP-40.
    """
    found = locked_schedule(schedule, by=by)
    opening = _found(found.openings.all(), opening_id)
    covered = _covered(opening)
    opening.delete()
    touch(found, by=by, via=via)
    return _left_uncovered(covered)


@transaction.atomic
def add_absence(
    schedule: Schedule, *, by: User, when: When, label: str = "", all_day: bool = False, via: Via = NOWHERE
) -> tuple[Absence, int]:
    """Take time of one's own; return it, and how many booked appointments fall under it: they stay booked.

    Raises as `add_opening` but OpeningTooLong. Source: agenda.md §3.3, GAP-38.
    """
    found = locked_schedule(schedule, by=by)
    _require_times(when, found.zone)
    made = _new(Absence, found, when, by, {"label": label, "all_day": all_day})
    return made, _booked_within(found, _write(found, made, by, via))


@transaction.atomic
def change_absence(
    schedule: Schedule,
    absence_id: UUID,
    *,
    by: User,
    version: int,
    when: When,
    label: str = "",
    all_day: bool = False,
    via: Via = NOWHERE,
) -> int:
    """Change an absence and what it takes; return how many booked appointments fall under it. As `add_absence`.

    Raises ChangedMeanwhile besides.
    """
    found = locked_schedule(schedule, by=by)
    absence = _found(found.absences.all(), absence_id, version)
    _require_times(when, found.zone)
    _change(absence, found, when, {"label": label, "all_day": all_day})
    return _booked_within(found, _write(found, absence, by, via))


@transaction.atomic
def remove_absence(schedule: Schedule, absence_id: UUID, *, by: User, via: Via = NOWHERE) -> None:
    """Give back the time of an absence. Raises NotInYourAgenda."""
    found = locked_schedule(schedule, by=by)
    absence = _found(found.absences.all(), absence_id)
    let_go(absence.pk)
    absence.delete()
    touch(found, by=by, via=via)


def _require_opening(when: When, zone: str) -> None:
    _require_times(when, zone)
    if when.ends - when.starts > DAY:
        raise OpeningTooLong


def _require_times(when: When, zone: str) -> None:
    check(when.starts, ZoneInfo(zone), when.ends - when.starts, when.rule)
    if when.rule is None:
        require_hour(when.starts, zone)
        require_hour(when.ends, zone)


def _found(rows: QuerySet[Range], pk: UUID, version: int | None = None) -> Range:
    row = rows.filter(pk=pk).first()
    if row is None:
        raise NotInYourAgenda
    if version is not None and row.version != version:
        raise ChangedMeanwhile(who="Une autre session")
    return row


def _new(model: type[Range], schedule: Schedule, when: When, by: User, fields: dict[str, Any]) -> Range:
    if model._default_manager.filter(schedule=schedule, **when.fields).exists():
        raise AlreadyInYourAgenda
    return model._default_manager.create(schedule=schedule, zone=schedule.zone, created_by=by, **when.fields, **fields)


def _change(row: Opening | Absence, schedule: Schedule, when: When, fields: dict[str, Any]) -> None:
    same = type(row)._default_manager.filter(schedule=schedule, **when.fields).exclude(pk=row.pk)
    if same.exists():
        raise AlreadyInYourAgenda
    for name, value in (when.fields | fields | {"zone": schedule.zone, "version": row.version + 1}).items():
        setattr(row, name, value)
    row.save()


def _write(schedule: Schedule, row: Opening | Absence, by: User, via: Via) -> list[Occurrence]:
    times = rewrite(schedule, row)
    if not any(time.end > timezone.now() for time in times) and not _falls_later(row):
        raise NothingToCome
    touch(schedule, by=by, via=via)
    return times


def _falls_later(row: Opening | Absence) -> bool:
    """Whether it begins beyond the horizon: the daily task will write it."""
    today = timezone.localdate(timezone=ZoneInfo(row.zone))
    return row.starts[:10] > today.isoformat()


def _booked(key: UUID) -> QuerySet[Occupation]:
    return Occupation.objects.filter(key=key, kind=Occupation.Kind.APPOINTMENT, ends_at__gt=timezone.now())


def _covered(opening: Opening) -> list[UUID]:
    """Return the appointments to come that stand within this opening."""
    around = OpenTime.objects.filter(
        opening=opening, starts_at__lte=OuterRef("starts_at"), ends_at__gte=OuterRef("ends_at")
    )
    return list(_booked(opening.schedule.key).filter(Exists(around)).values_list("pk", flat=True))


def _left_uncovered(covered: list[UUID]) -> int:
    """Return how many of these no opening covers any more."""
    around = OpenTime.objects.filter(
        key=OuterRef("key"), starts_at__lte=OuterRef("starts_at"), ends_at__gte=OuterRef("ends_at")
    )
    return Occupation.objects.filter(~Exists(around), pk__in=covered).count() if covered else 0


def _booked_within(schedule: Schedule, times: list[Occurrence]) -> int:
    """Return how many appointments to come fall under these times."""
    if not times:
        return 0
    booked = _booked(schedule.key).filter(starts_at__lt=times[-1].end, ends_at__gt=times[0].start)
    spans = list(booked.values_list("starts_at", "ends_at"))
    return sum(any(time.start < end and time.end > start for time in times) for start, end in spans)
