"""Time that another software took of a professional’s, about no dossier of this house: it refuses nothing."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda.actions.taking import Taken, let_go, let_go_of, take_time
from agenda.errors import AppointmentUnknown, NotYetPast
from agenda.ics.reading import joined
from agenda.models import Appointment, Occupation, ReceivedTime
from coordination.common.resending import require_same
from habilitations.traces import NOWHERE, Via, record_account

STATUS = Appointment.Status
Span = tuple[dt.datetime, dt.datetime]
# FHIR’s own states: nobody but its sender reads them.
TAKING = frozenset({*Appointment.TAKING, "arrived", "checked-in"})


@dataclass(frozen=True, slots=True)
class Time:
    """What is said taken. `status` of FHIR, instants in UTC, `keys`: whose time (agenda/models/schedules.py)."""

    status: str
    starts_at: dt.datetime | None
    ends_at: dt.datetime | None
    identifier: tuple[str, str]
    keys: tuple[UUID, ...]


@transaction.atomic
def receive_time(
    *, by: Any, sender: str, received_from: str, creation_key: UUID, wanted: Time, via: Via | None = None
) -> ReceivedTime:
    """Count as taken what a software says so; the same key twice gives the first one, if it says the same.

    Raises IntegrityError, whose sentence is told, for an identifier that this software already sent.
    """
    made = ReceivedTime.objects.filter(sender=sender, creation_key=creation_key).first()
    if made is not None:
        system, value = wanted.identifier
        said = {"starts_at": wanted.starts_at, "ends_at": wanted.ends_at, "status": wanted.status}
        require_same(made, identifier_system=system, identifier_value=value, **said)
        return made
    row = ReceivedTime(sender=sender, received_from=received_from, creation_key=creation_key, created_by=by)
    _write(row, wanted)
    _record(row, by, via)
    return row


def locked_time(sender: str, id: UUID) -> ReceivedTime:
    """Return a time that this software sent, locked. Raises AppointmentUnknown. Needs an open transaction."""
    found = ReceivedTime.objects.select_for_update(of=("self",)).filter(pk=id, sender=sender).first()
    if found is None:
        raise AppointmentUnknown
    return found


@transaction.atomic
def change_time(row: ReceivedTime, *, wanted: Time, by: Any, via: Via | None = None) -> ReceivedTime:
    """Bring a received time to what its software says now; what is cancelled gives its time back."""
    _write(row, wanted)
    _record(row, by, via)
    return row


def _write(row: ReceivedTime, wanted: Time) -> None:
    """Raises NotYetPast: nothing is done, and nobody failed to come, before it begins."""
    if wanted.status in (STATUS.FULFILLED, STATUS.NOSHOW) and wanted.starts_at and wanted.starts_at > timezone.now():
        raise NotYetPast
    row.status, row.starts_at, row.ends_at = wanted.status, wanted.starts_at, wanted.ends_at
    row.identifier_system, row.identifier_value = wanted.identifier
    row.save()
    if wanted.status in TAKING and wanted.starts_at and wanted.ends_at:
        people = [Taken(key, exclusive=False) for key in wanted.keys]
        take_time(row.pk, people, wanted.starts_at, wanted.ends_at, kind=Occupation.Kind.RECEIVED)
    else:
        let_go(row.pk)


def _record(row: ReceivedTime, by: Any, via: Via | None) -> None:
    record_account(user=by, action="écriture", object_kind="agenda", object_id=row.pk, via=via or NOWHERE)


@transaction.atomic
def replace_busy(source: UUID, key: UUID, spans: Iterable[Span]) -> int:
    """Count as taken elsewhere these times of somebody, in place of what the same source said before of him.

    `source`: the partner. `spans`: instants in UTC or with their offset, each ending after it starts. What is already
    taken by something that is known here is not counted twice: it left from here (GAP-96). Returns how many.
    """
    let_go_of(key, [source])
    wanted = sorted(set(spans))
    if not wanted:
        return 0
    there = Occupation.objects.filter(key=key, starts_at__lt=max(end for _, end in wanted), ends_at__gt=wanted[0][0])
    known = list(joined(there.exclude(kind=Occupation.Kind.ABSENCE).values_list("starts_at", "ends_at")))
    rows = [
        Occupation(
            key=key, kind=Occupation.Kind.RECEIVED, source=source,
            recurrence_id=start.astimezone(dt.UTC).strftime("%Y%m%d%H%M"), starts_at=start, ends_at=end,
        )
        for start, end in wanted
        if not _is_inside(start, end, known)
    ]  # fmt: skip
    Occupation.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _is_inside(start: dt.datetime, end: dt.datetime, known: list[Span]) -> bool:
    """Say whether a time is inside one of `known`, in order and apart from each other."""
    place = bisect_right(known, start, key=lambda one: one[0]) - 1
    return place >= 0 and end <= known[place][1]
