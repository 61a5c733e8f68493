"""What another software says of a person’s agenda, done by the acts of the screens (GAP-69 to 86).

A time taken elsewhere is counted and refuses nothing (GAP-71); one that books a free slot of ours is booked like any
other, and the database has the last word (GAP-81).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda import calendar_letters, letters
from agenda.actions import answering
from agenda.actions.appointments import (
    cancel_appointment,
    detach,
    mark_done,
    mark_not_come,
    source_of,
    tell_called_off,
    written,
)
from agenda.actions.attending import ANSWER, NEED, me, participations_of, take
from agenda.actions.common import (
    KIND,
    lock_agenda,
    locked_appointment,
    made_by,
    next_version,
    record,
    require_open,
    rubric_of,
    touch,
)
from agenda.actions.taking import let_go
from agenda.errors import (
    AlreadyOver,
    AnswersForHimself,
    EndsBeforeItStarts,
    InThePast,
    NobodyAttends,
    NotAllAgreed,
    NotARequestAnyMore,
    NotYetPast,
    TooLong,
)
from agenda.models import Appointment, Participation, Room
from agenda.naming import names_of
from circle.models import Member
from coordination.common.resending import require_same

STATUS = Appointment.Status
ASKED = (STATUS.PROPOSED, STATUS.PENDING)
AWAY = (Appointment.Kind.ABSENCE, Appointment.Kind.HOSPITAL)
DAY, LONGEST_AWAY = dt.timedelta(days=1), dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which software sends: `sender` owns what it sent, `name` is what screens show, `structure_id` its structure.

    `is_elsewhere`: nobody of this house planned it, it was fetched from a partner.
    """

    sender: str
    name: str
    structure_id: UUID | None = None
    is_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attending:
    """One who attends, and what he is said to answer. `key`: whose time; see agenda/models/schedules.py."""

    key: UUID
    status: str = ANSWER.ACCEPTED
    need: str = NEED.REQUIRED
    member: Member | None = None
    user: Any = None
    email: str = ""
    room: Room | None = None
    actor: str = ""
    label: str = ""


@dataclass(kw_only=True)
class Wanted:
    """What is asked of an event. `said`: columns of the row, instants in UTC, absent ones left as they are.

    `finer`: the FHIR state that screens have no word for. `books`: it takes free slots of ours.
    """

    said: dict[str, Any]
    status: str
    people: Sequence[Attending]
    finer: str = ""
    cancel_reason: str = ""
    cancel_note: str = ""
    declared_at: dt.datetime | None = None
    identifier: tuple[str, str] = ("", "")
    books: bool = False
    kind: str = field(default=Appointment.Kind.APPOINTMENT)


@transaction.atomic
def receive_appointment(entry, wanted: Wanted, *, origin: Origin, creation_key: UUID) -> Appointment:
    """Enter in the agenda of the person what another software sends; the same key twice gives the first one.

    Proposed: those who have not answered are asked (GAP-70). Booked: it is taken, without further answer (GAP-71).
    Raises AlreadySent, LevelMissing, DossierIsReadOnly, NobodyAttends, TimeTaken (a free slot of ours taken meanwhile)
    and what `require_time` raises.
    """
    lock_agenda(entry, rubric_of(wanted.kind))
    system, value = wanted.identifier
    made = made_by(entry, creation_key)
    if made is not None:
        require_same(made, identifier_system=system, identifier_value=value, **wanted.said)
        return made
    if not wanted.people:
        raise NobodyAttends
    starts_at, ends_at = wanted.said.get("starts_at"), wanted.said.get("ends_at")
    require_time(wanted, wanted.kind, starts_at, ends_at)
    source = source_of(entry, on_behalf=False)
    if origin.is_elsewhere:
        # It was planned there: who asked for it reads it, the others with the person’s consent (AGD-11).
        source |= {"structure_id": None, "organizer_id": None, "on_behalf": False}
    elif not source["on_behalf"]:
        source["structure_id"] = source["structure_id"] or origin.structure_id
    appointment = Appointment.objects.create(
        dossier=entry.dossier, creation_key=creation_key, kind=wanted.kind, status=wanted.status,
        finer_status=wanted.finer, cancel_reason=wanted.cancel_reason, cancel_note=wanted.cancel_note,
        identifier_system=system, identifier_value=value, declared_at=wanted.declared_at,
        only_warns=wanted.status != STATUS.PROPOSED and not wanted.books, sender=origin.sender,
        received_from=origin.name, **wanted.said, **source,
    )  # fmt: skip
    rows = Participation.objects.bulk_create(_row(appointment, one) for one in wanted.people)
    if wanted.status in (STATUS.PENDING, STATUS.BOOKED):
        take(entry, appointment, rows)
    record(entry, appointment, KIND.CREATED, after=letters.moment_of(appointment))
    if ends_at and ends_at > timezone.now() and wanted.status in Appointment.LIVE:
        _tell_new(entry, appointment, rows)
        calendar_letters.follow(appointment)
    return appointment


def require_time(wanted: Wanted, kind: str, starts_at: dt.datetime | None, ends_at: dt.datetime | None) -> None:
    """Require a time that makes sense. What was taken elsewhere may be past: a partner synchronises its history.

    `kind`: of the event as it is, which no update changes. Raises EndsBeforeItStarts, TooLong, InThePast (a request,
    or a slot of ours, that is past), NotYetPast (done, or not come to, before it begins).
    """
    if starts_at is None or ends_at is None:
        return
    if ends_at <= starts_at:
        raise EndsBeforeItStarts
    if ends_at - starts_at > (LONGEST_AWAY if kind in AWAY else DAY):
        raise TooLong
    if (wanted.status in ASKED or wanted.books) and starts_at < timezone.now():
        raise InThePast
    if wanted.status in (STATUS.FULFILLED, STATUS.NOSHOW) and starts_at > timezone.now():
        raise NotYetPast


def _row(appointment: Appointment, one: Attending) -> Participation:
    return Participation(
        dossier_id=appointment.dossier_id, appointment=appointment, key=one.key, member=one.member, user=one.user,
        email=one.email, room=one.room, need=one.need, status=one.status, actor=one.actor, label=one.label,
        answered_at=None if one.status == ANSWER.NEEDS_ACTION else timezone.now(),
    )  # fmt: skip


def _tell_new(entry, appointment: Appointment, rows: Sequence[Participation]) -> None:
    asked = [one for one in rows if one.status == ANSWER.NEEDS_ACTION]
    others = [one for one in rows if one.status != ANSWER.NEEDS_ACTION and appointment.status == STATUS.BOOKED]
    letters.tell(letters.ASKED, appointment, asked, but=entry.user.pk)
    letters.tell(letters.INVITED, appointment, others, but=entry.user.pk)


@transaction.atomic
def update_received(
    entry, appointment_id: UUID, wanted: Wanted, *, origin: Origin, changes: Sequence[str] = ()
) -> Appointment:
    """Bring an event to what another software says of it now: time, words, who attends, answers, state (GAP-84).

    `changes`: the columns of `wanted.said` that it says otherwise than what it had read. Each change is the act that
    a screen would do, with its rights, its letters and its line of history. Raises AppointmentUnknown, AlreadyOver,
    AnswersForHimself, NotARequestAnyMore, NotAllAgreed, TimeTaken, NotYetPast, LevelMissing, DossierIsReadOnly.
    """
    appointment = locked_appointment(entry, appointment_id, live=False)
    people = participations_of(appointment)
    answers, needs = _answers(entry, appointment, people, wanted, origin), _needs(people, wanted)
    joined, left = _moves(entry, people, wanted)
    changed = [name for name in changes if getattr(appointment, name) != wanted.said[name]]
    if appointment.status not in Appointment.LIVE:
        if changed or answers or needs or joined or left or wanted.status != appointment.status:
            raise AlreadyOver(state=appointment.get_status_display().lower())
        return appointment
    if wanted.status == STATUS.PROPOSED and appointment.status != STATUS.PROPOSED:
        raise NotARequestAnyMore
    _edit(entry, appointment, wanted, changed, joined, left)
    _say_needs(entry, appointment, needs)
    for row, status in answers:
        _answer(entry, appointment, row, status)
    changed_now = _to_state(entry, appointment_id, wanted, origin)
    calendar_letters.follow(changed_now)
    return changed_now


def _answers(
    entry, appointment: Appointment, people: Sequence[Participation], wanted: Wanted, origin: Origin
) -> list[tuple[Participation, str]]:
    """Return whose answer is said otherwise. Who has an account here answers himself, unless the software that sent
    the event keeps its answers (delegation)."""
    found = []
    ranks = {one.key: rank for rank, one in enumerate(wanted.people)}
    for row in people:
        if row.key not in ranks or wanted.people[ranks[row.key]].status == row.status:
            continue
        himself = row.user_id is None or row.user_id == me(entry)
        if not himself and appointment.sender != origin.sender:
            raise AnswersForHimself(ranks[row.key])
        found.append((row, wanted.people[ranks[row.key]].status))
    return found


def _needs(people: Sequence[Participation], wanted: Wanted) -> list[tuple[Participation, Attending]]:
    said = {one.key: one for one in wanted.people}
    return [(row, said[row.key]) for row in people if row.key in said and said[row.key].need != row.need]


def _say_needs(entry, appointment: Appointment, needs: Sequence[tuple[Participation, Attending]]) -> None:
    """Write who must come, who is wished and who is only told: for who writes the agenda, not for who is invited."""
    if not needs:
        return
    lock_agenda(entry, rubric_of(appointment.kind))
    for row, one in needs:
        row.need = one.need
        row.save(update_fields=["need"])
    next_version(appointment)
    take(entry, appointment, newly={row.key for row, _ in needs})
    record(entry, appointment, KIND.EDITED, after="participants")


def _moves(entry, people: Sequence[Participation], wanted: Wanted) -> tuple[list[Attending], list[Participation]]:
    """Return who joins and who leaves; whom this author may not see stays."""
    there, said = {row.key for row in people}, {one.key for one in wanted.people}
    shown = names_of(entry, people)
    return (
        [one for one in wanted.people if one.key not in there],
        # A room is told in words: who sends the event again does not give it back.
        [row for row in people if row.key not in said and row.pk in shown and not row.room_id],
    )


def _edit(entry, appointment: Appointment, wanted: Wanted, changed, joined, left) -> None:
    books = wanted.books and appointment.only_warns
    if not (changed or joined or left or books):
        return
    lock_agenda(entry, rubric_of(appointment.kind))
    moved = bool({"starts_at", "ends_at"} & set(changed))
    before = letters.moment_of(appointment)
    for name in changed:
        setattr(appointment, name, wanted.said[name])
    if moved or wanted.books:
        require_time(wanted, appointment.kind, appointment.starts_at, appointment.ends_at)
    if wanted.books:
        # Booked here from now on, at another time or at the same one.
        appointment.only_warns = False
        changed = [*changed, "only_warns"]
    detach(appointment)
    Participation.objects.filter(pk__in=[row.pk for row in left]).delete()
    rows = Participation.objects.bulk_create(_row(appointment, one) for one in joined)
    written(entry, appointment, changed, before=before, moved=moved, joined=rows, left=left)


def _answer(entry, appointment: Appointment, row: Participation, status: str) -> None:
    if row.user_id is not None and row.user_id == me(entry):
        # His own: told to the organiser, and settled, as from his page.
        if status == ANSWER.ACCEPTED:
            answering.accept_appointment(entry, appointment.pk)
            return
        if status == ANSWER.DECLINED:
            answering.decline_appointment(entry, appointment.pk)
            return
        if status == ANSWER.TENTATIVE:
            answering.doubt_appointment(entry, appointment.pk)
            return
        require_open(entry)
    else:
        lock_agenda(entry, rubric_of(appointment.kind))
    row.status, row.answered_at = status, None if status == ANSWER.NEEDS_ACTION else timezone.now()
    row.save(update_fields=["status", "answered_at"])
    take(entry, appointment, newly={row.key})
    record(entry, appointment, KIND.ANSWERED, after=row.get_status_display(), participation=row)
    touch(appointment)


def _to_state(entry, appointment_id: UUID, wanted: Wanted, origin: Origin) -> Appointment:
    appointment = locked_appointment(entry, appointment_id, live=False)
    if appointment.finer_status != wanted.finer:
        lock_agenda(entry, rubric_of(appointment.kind))
        appointment.finer_status = wanted.finer
        next_version(appointment, "finer_status")
    if wanted.status == appointment.status:
        return appointment
    match wanted.status:
        case STATUS.CANCELLED:
            return cancel_appointment(entry, appointment_id, reason=wanted.cancel_reason, note=wanted.cancel_note)
        case STATUS.FULFILLED:
            return mark_done(entry, appointment_id)
        case STATUS.NOSHOW:
            return mark_not_come(entry, appointment_id)
        case STATUS.ERROR:
            return mark_wrong(entry, appointment_id)
        case STATUS.PROPOSED:
            # Confirmed meanwhile by the answers just given: what the circle decided stands.
            return appointment
    return _settled(entry, appointment, wanted, origin)


def _settled(entry, appointment: Appointment, wanted: Wanted, origin: Origin) -> Appointment:
    """Confirm, or put to the answers, what was asked (GAP-85)."""
    lock_agenda(entry, rubric_of(appointment.kind))
    if appointment.starts_at is None:
        return appointment
    people = participations_of(appointment)
    if wanted.status == STATUS.PENDING and appointment.status == STATUS.BOOKED:
        raise NotARequestAnyMore
    if wanted.status == STATUS.BOOKED and appointment.sender != origin.sender:
        if not answering.is_agreed(appointment, people):
            raise NotAllAgreed
    elif not wanted.books:
        # Decided where it comes from.
        appointment.only_warns = True
    appointment.status = wanted.status
    next_version(appointment, "status", "only_warns", moved=True)
    take(entry, appointment, people)
    if wanted.status == STATUS.BOOKED:
        record(entry, appointment, KIND.CONFIRMED, after=letters.moment_of(appointment))
        letters.tell(letters.CONFIRMED, appointment, people, but=entry.user.pk)
    return appointment


@transaction.atomic
def mark_wrong(entry, appointment_id: UUID) -> Appointment:
    """Note that an event should never have been entered: no list shows it any more, its time is given back.

    Raises as `cancel_appointment`.
    """
    appointment = locked_appointment(entry, appointment_id)
    lock_agenda(entry, rubric_of(appointment.kind))
    if appointment.starts_at is None:
        # An event entered by mistake has a time (app-3): without one, it was a request.
        return cancel_appointment(entry, appointment_id, reason=Appointment.CancelReason.OTHER)
    people = participations_of(appointment)
    appointment.status = STATUS.ERROR
    detach(appointment)
    next_version(appointment, "status", "detached", moved=True)
    let_go(appointment.pk, *appointment.proposals.values_list("pk", flat=True))
    record(entry, appointment, KIND.CANCELLED, after=appointment.get_status_display())
    tell_called_off(entry, appointment, people)
    return appointment
