"""One event told by two sources: joined, or said to be two (AGD-2); told apart again when she no longer agrees."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from agenda import calendar_letters, letters
from agenda.actions.attending import participations_of, take
from agenda.actions.common import KIND, lock_agenda, locked_appointment, next_version, record, rubric_of
from agenda.actions.taking import let_go
from agenda.doubles import Told, pairs
from agenda.errors import NotDoubles, TimeTaken
from agenda.models import Appointment, KeptApart, Participation


def told_of(appointment: Appointment, participations) -> Told:
    """Return what `doubles.pairs` compares of an event."""
    keys = frozenset(one.key for one in participations if not one.is_the_person)
    # What a software sent is told by it, whoever it acted for.
    source = appointment.sender or appointment.structure_id or appointment.created_by_id
    return Told(appointment.pk, source, appointment.kind, appointment.span[0], appointment.place, keys)


@transaction.atomic
def merge_appointments(entry, kept_id: UUID, other_id: UUID) -> Appointment:
    """Join two events: the first stays, with who attends either; the other is no longer shown, its history stays.

    Raises AppointmentUnknown, AlreadyOver, NotDoubles (they no longer look alike), TimeTaken, LevelMissing,
    DossierIsReadOnly.
    """
    kept, other = _both(entry, kept_id, other_id)
    people, others = participations_of(kept), participations_of(other)
    if not pairs([told_of(kept, people), told_of(other, others)]):
        raise NotDoubles
    known = {one.key for one in people}
    Participation.objects.bulk_create(_copy(kept, one, other) for one in others if one.key not in known)
    let_go(other.pk)
    other.merged_into = kept
    next_version(other, "merged_into", moved=True)
    next_version(kept, moved=True)
    take(entry, kept)
    moment = letters.moment_of(kept)
    record(entry, kept, KIND.MERGED, after=moment)
    record(entry, other, KIND.MERGED, before=moment)
    calendar_letters.follow(kept)
    calendar_letters.follow(other)
    return kept


def _copy(kept: Appointment, one: Participation, other: Appointment) -> Participation:
    return Participation(
        dossier_id=kept.dossier_id, appointment=kept, key=one.key, member=one.member, user=one.user, room=one.room,
        need=one.need, status=one.status, answered_at=one.answered_at, comment=one.comment, email=one.email,
        actor=one.actor, label=one.label, copied_from=other,
    )  # fmt: skip


def part_joined(entry) -> int:
    """Tell apart the events of different sources that were joined in a dossier: each is what its own source told.

    Called when the person takes back her consent, which is what let one source be seen beside the other (AGD-12).
    Needs an open transaction and the agenda locked. Returns how many.
    """
    joined = Appointment.objects.select_for_update(of=("self",)).filter(
        dossier_id=entry.dossier.pk, merged_into__isnull=False
    )
    found = [(one, one.merged_into) for one in joined.select_related("merged_into").order_by("pk")]
    apart = [(one, kept) for one, kept in found if kept and _differ(one, kept)]
    Participation.objects.filter(copied_from__in=[one for one, _ in apart]).delete()
    for one, kept in apart:
        one.merged_into = None
        next_version(one, "merged_into", moved=True)
        next_version(kept, moved=True)
        # Nobody new: who was only in the copy leaves, and a consent is withdrawn whatever the agendas say.
        take(entry, kept, newly=())
        _take_back(entry, one)
        record(entry, one, KIND.MERGED)
        calendar_letters.follow(kept)
        calendar_letters.follow(one)
    return len(apart)


def _differ(one: Appointment, kept: Appointment) -> bool:
    return (one.structure_id, one.created_by_id) != (kept.structure_id, kept.created_by_id)


def _take_back(entry, one: Appointment) -> None:
    try:
        take(entry, one)
    except TimeTaken:
        # Taken by something else meanwhile.
        let_go(one.pk)


@transaction.atomic
def keep_apart(entry, one_id: UUID, other_id: UUID) -> None:
    """Say that two events are two: they are proposed no longer. Twice says it once. Raises as `merge_appointments`."""
    one, other = _both(entry, one_id, other_id)
    first, second = sorted((one, other), key=lambda appointment: appointment.pk)
    KeptApart.objects.get_or_create(dossier=entry.dossier, first=first, second=second, defaults={"by": entry.user})


def _both(entry, one_id: UUID, other_id: UUID) -> tuple[Appointment, Appointment]:
    if one_id == other_id:
        raise NotDoubles
    # In the order of ids: two people who join the same two wait for each other.
    found = {pk: locked_appointment(entry, pk) for pk in sorted((one_id, other_id))}
    for appointment in found.values():
        lock_agenda(entry, rubric_of(appointment.kind))
    if any(appointment.starts_at is None for appointment in found.values()):
        raise NotDoubles
    return found[one_id], found[other_id]
