"""Taking somebody's time and letting it go: the one place that writes `Occupation`.

The database has the last word (constraint `nobody_booked_twice`): two bookings at once give one booking and one
sentence. What is agreed goes before what is only proposed: a hold gives way to an appointment and says so, two holds
do not stand together (docs/decisions/2026-11-29-meetings.md).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from agenda.errors import TimeTaken
from agenda.models import Occupation
from agenda.recurrence import Occurrence
from agenda.zones import wall_text

KIND = Occupation.Kind
DEADLOCK = "40P01"


class Taken(NamedTuple):
    """One whose time is taken: `exclusive` when he must not be in two places."""

    key: UUID
    exclusive: bool


def take_time(
    source: UUID,
    people: Iterable[Taken],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    kind: str = KIND.APPOINTMENT,
    expires_at: dt.datetime | None = None,
) -> None:
    """Count this time as taken for these people, instead of what the same source took of them before.

    `source`: the appointment or the proposal. `expires_at` for a hold only. Needs an open transaction, which stays
    usable when this is refused. Raises TimeTaken, naming nobody: the caller knows who may be told what.
    Source: issue 5 §1, double booking; AGD-16.
    """
    take_many([(source, people, starts_at, ends_at)], kind=kind, expires_at=expires_at)


def take_many(
    wanted: Iterable[tuple[UUID, Iterable[Taken], dt.datetime, dt.datetime]],
    *,
    kind: str = KIND.APPOINTMENT,
    expires_at: dt.datetime | None = None,
) -> None:
    """Count several times as taken, all or none, as `take_time` does of one: (source, people, start, end).

    Five SQL statements whatever their number. Raises TimeTaken.
    """
    wanted = list(wanted)
    rows = [
        Occupation(
            key=person.key, kind=kind, source=source, starts_at=starts_at, ends_at=ends_at,
            exclusive=person.exclusive, expires_at=expires_at,
        )
        for source, people, starts_at, ends_at in wanted
        for person in set(people)
    ]  # fmt: skip
    # In the order of keys: two bookings of the same people wait for each other, never for ever.
    rows.sort(key=lambda row: (row.key, row.starts_at))
    let_go(*{source for source, *_ in wanted})
    let_go_expired({row.key for row in rows})
    try:
        with transaction.atomic():
            if kind == KIND.APPOINTMENT:
                _give_way(rows)
            Occupation.objects.bulk_create(rows)
    except (IntegrityError, OperationalError) as error:
        if _is_taken(error):
            raise TimeTaken from None
        raise


def _give_way(rows: list[Occupation]) -> None:
    """Make the holds that these rows meet say no more than « retenu »: they refuse nobody, and are still read."""
    firm = [row for row in rows if row.exclusive]
    if not firm:
        return
    held = Occupation.objects.filter(
        kind=KIND.HOLD, exclusive=True, key__in={row.key for row in firm},
        starts_at__lt=max(row.ends_at for row in firm), ends_at__gt=min(row.starts_at for row in firm),
    )  # fmt: skip
    met = [
        one.pk
        for one in held
        if any(one.key == row.key and one.starts_at < row.ends_at and one.ends_at > row.starts_at for row in firm)
    ]
    if met:
        Occupation.objects.filter(pk__in=met, kind=KIND.HOLD).update(exclusive=False)


def _is_taken(error: IntegrityError | OperationalError) -> bool:
    """Say whether somebody else has this time: he has it, or each of two waits for the other’s (a deadlock)."""
    return "nobody_booked_twice" in str(error) or getattr(error.__cause__, "sqlstate", "") == DEADLOCK


def let_go(*sources: UUID) -> int:
    """Give back the time that these sources took. Returns how many rows."""
    return Occupation.objects.filter(source__in=sources).delete()[0]


def let_go_of(key: UUID, sources: Iterable[UUID]) -> int:
    """Give back the time that these sources took of one person only. Returns how many rows."""
    return Occupation.objects.filter(key=key, source__in=list(sources)).delete()[0]


def hold(
    source: UUID, person: Taken, starts_at: dt.datetime, ends_at: dt.datetime, *, expires_at: dt.datetime
) -> bool:
    """Hold this time for one more person, when he is free; return whether it is held. Needs an open transaction."""
    if Occupation.objects.filter(source=source, key=person.key).exists():
        return True
    row = Occupation(
        key=person.key, kind=KIND.HOLD, source=source, starts_at=starts_at, ends_at=ends_at,
        exclusive=person.exclusive, expires_at=expires_at,
    )  # fmt: skip
    let_go_expired([person.key])
    return _written_if_free(row)


def prolong(sources: Iterable[UUID], *, expires_at: dt.datetime) -> int:
    """Hold for longer what these proposals still hold; what has let go stays free. Returns how many rows."""
    held = Occupation.objects.filter(kind=KIND.HOLD, source__in=list(sources), expires_at__gt=timezone.now())
    return held.filter(expires_at__lt=expires_at).update(expires_at=expires_at)


def take_again_where_free(
    source: UUID, person: Taken, starts_at: dt.datetime, ends_at: dt.datetime, *, kind: str = KIND.APPOINTMENT
) -> bool:
    """Count this time as taken for one more person of an appointment, when he is free; return whether it is.

    Holds give way to it, as in `take_many`.
    """
    row = Occupation(
        key=person.key, kind=kind, source=source, starts_at=starts_at, ends_at=ends_at, exclusive=person.exclusive
    )
    return _written_if_free(row)


def _written_if_free(row: Occupation) -> bool:
    try:
        with transaction.atomic():
            if row.kind == KIND.APPOINTMENT:
                _give_way([row])
            row.save(force_insert=True)
    except (IntegrityError, OperationalError) as error:
        if _is_taken(error):
            return False
        raise
    return True


def let_go_expired(keys: Iterable[UUID] | None = None) -> int:
    """Drop the holds whose term has come, of these people or of everybody (hourly task). Returns how many."""
    held = Occupation.objects.filter(kind=KIND.HOLD, expires_at__lte=timezone.now())
    if keys is not None:
        held = held.filter(key__in=list(keys))
    return held.delete()[0]


def clashes(keys: Iterable[UUID], starts_at: dt.datetime, ends_at: dt.datetime, *, but: UUID | None = None):
    """Return what takes the time of these people then, holds whose term has come left out, as a queryset."""
    found = Occupation.objects.filter(key__in=list(keys), starts_at__lt=ends_at, ends_at__gt=starts_at)
    found = found.exclude(kind=KIND.HOLD, expires_at__lte=timezone.now())
    return found if but is None else found.exclude(source=but)


def take_absence(source: UUID, key: UUID, times: Iterable[Occurrence]) -> None:
    """Count the occurrences of an absence as taken; those already counted stay as they are.

    Never exclusive: an absence leaves what is booked under it (agenda.md, GAP-38). Needs an open transaction.
    """
    rows = [
        Occupation(
            key=key, kind=KIND.ABSENCE, source=source, recurrence_id=wall_text(time.recurrence_id),
            starts_at=time.start, ends_at=time.end,
        )
        for time in times
    ]  # fmt: skip
    Occupation.objects.bulk_create(rows, ignore_conflicts=True)


def take_imported(source: UUID, key: UUID, times: Iterable[tuple[dt.datetime, dt.datetime]]) -> int:
    """Count what a calendar of one’s own says as taken, instead of what it said before: when, and nothing of why.

    Never exclusive: somebody else’s program does not refuse a booking here. `times`: joined spans, in UTC. Needs an
    open transaction. Returns how many.
    """
    let_go(source)
    rows = [
        Occupation(
            key=key, kind=KIND.IMPORTED, source=source, recurrence_id=f"{start:%Y%m%dT%H%M%SZ}", starts_at=start,
            ends_at=end,
        )
        for start, end in times
        if end > start
    ]  # fmt: skip
    Occupation.objects.bulk_create(rows, batch_size=2000)
    return len(rows)
