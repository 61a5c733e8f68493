"""What one who is invited answers: yes, no, another time; and what the organiser makes of another time.

Whoever is invited answers, whatever the matrix gives him of the agenda (peers-and-default-matrix.md, rule 6).
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda import calendar_letters, letters
from agenda.actions.appointments import Facts, move_appointment, require_sound
from agenda.actions.attending import ANSWER, NEED, me, participations_of, take
from agenda.actions.common import (
    KIND,
    lock_agenda,
    locked_appointment,
    next_version,
    record,
    require_open,
    rubric_of,
    touch,
)
from agenda.actions.taking import let_go_of
from agenda.errors import AlreadyProposed, InThePast, NotInvited, ProposalUnknown, SameMoment
from agenda.models import Appointment, Participation, Proposal
from coordination.dossiers.door import Entry

STATUS = Appointment.Status
ASKED = (STATUS.PROPOSED, STATUS.PENDING)


@transaction.atomic
def accept_appointment(
    entry: Entry, appointment_id: UUID, *, comment: str = "", by_mail: bool = False, seen: str | None = None
) -> Appointment:
    """Say yes, on the page or `by_mail`, to what was read (`seen`, as `read_as` marks it).

    When the last indispensable one has, the event is confirmed and takes the time of all (AGD-23, AGD-27).

    Raises AppointmentUnknown, AlreadyOver, ChangedMeanwhile, NotInvited, InThePast, TimeTaken, DossierIsReadOnly.
    """
    appointment = _locked(entry, appointment_id, seen)
    if appointment.ends_at and appointment.ends_at <= timezone.now():
        raise InThePast
    mine = _answer(entry, appointment, ANSWER.ACCEPTED, comment)
    record(entry, appointment, KIND.ANSWERED, after=mine.get_status_display(), participation=mine)
    settle(entry, appointment, mine)
    _follow(appointment, mine, by_mail)
    return appointment


@transaction.atomic
def doubt_appointment(entry: Entry, appointment_id: UUID, *, comment: str = "", by_mail: bool = False) -> Appointment:
    """Say perhaps: nothing is confirmed nor given back, and the organiser reads it (PARTSTAT tentative).

    Raises AppointmentUnknown, AlreadyOver, NotInvited, DossierIsReadOnly.
    """
    appointment = _locked(entry, appointment_id)
    mine = _answer(entry, appointment, ANSWER.TENTATIVE, comment)
    record(entry, appointment, KIND.ANSWERED, after=mine.get_status_display(), participation=mine)
    _follow(appointment, mine, by_mail)
    return appointment


@transaction.atomic
def decline_appointment(
    entry: Entry, appointment_id: UUID, *, comment: str = "", by_mail: bool = False, seen: str | None = None
) -> Appointment:
    """Say no, or no longer: one’s time is given back and the organiser told, who decides what becomes of it (AGD-25).

    Raises AppointmentUnknown, AlreadyOver, ChangedMeanwhile, NotInvited, DossierIsReadOnly.
    """
    appointment = _locked(entry, appointment_id, seen)
    mine = _answer(entry, appointment, ANSWER.DECLINED, comment)
    Proposal.objects.filter(appointment=appointment, proposed_by=mine, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    let_go_of(mine.key, [appointment.pk])
    record(entry, appointment, KIND.ANSWERED, after=mine.get_status_display(), participation=mine)
    _tell_organiser(letters.DECLINED, appointment, entry)
    _follow(appointment, mine, by_mail)
    return appointment


@transaction.atomic
def propose_time(
    entry: Entry,
    appointment_id: UUID,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    comment: str = "",
    by_mail: bool = False,
    seen: str | None = None,
) -> Proposal:
    """Propose another time to the organiser; the event stays where it is until he takes it (AGD-26).

    Instead of the one he proposed before: a mail program that answers again does not pile them up.
    Raises AppointmentUnknown, AlreadyOver, ChangedMeanwhile, NotInvited, SameMoment, AlreadyProposed,
    DossierIsReadOnly, and what `require_sound` raises.
    """
    appointment = _locked(entry, appointment_id, seen)
    require_sound(Facts(kind=appointment.kind, starts_at=starts_at, ends_at=ends_at, zone=appointment.zone))
    if (starts_at, ends_at) == (appointment.starts_at, appointment.ends_at):
        raise SameMoment
    said: dict[str, Any] = {"appointment": appointment, "starts_at": starts_at, "ends_at": ends_at}
    if Proposal.objects.filter(**said, withdrawn_at=None).exists():
        raise AlreadyProposed
    mine = _answer(entry, appointment, ANSWER.TENTATIVE, comment)
    Proposal.objects.filter(appointment=appointment, proposed_by=mine, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    # One that was set aside may be proposed again.
    proposal, _ = Proposal.objects.update_or_create(
        dossier_id=appointment.dossier_id, **said, defaults={"proposed_by": mine, "withdrawn_at": None}
    )
    record(entry, appointment, KIND.PROPOSED, after=moment_of_proposal(appointment, proposal), participation=mine)
    _tell_organiser(letters.PROPOSED, appointment, entry)
    _follow(appointment, mine, by_mail)
    return proposal


@transaction.atomic
def take_proposal(
    entry: Entry, appointment_id: UUID, proposal_id: UUID, *, seen: str | None = None
) -> Appointment:  # fmt: skip
    """Put the event at the time somebody proposed: he has accepted it, the others answer again if answers were asked.

    `seen`: from when it is moved, as `read_as` marks it. Raises ProposalUnknown, and what `move_appointment` raises.
    """
    locked_appointment(entry, appointment_id, seen=seen)
    proposal, asker = _proposal(entry, appointment_id, proposal_id)
    appointment = move_appointment(entry, appointment_id, starts_at=proposal.starts_at, ends_at=proposal.ends_at)
    Participation.objects.filter(pk=asker.pk).update(status=ANSWER.ACCEPTED, answered_at=timezone.now())
    _set_aside(appointment)
    settle(entry, appointment, asker)
    calendar_letters.follow(appointment)
    return appointment


@transaction.atomic
def refuse_proposal(
    entry: Entry, appointment_id: UUID, proposal_id: UUID, *, seen: str | None = None
) -> Appointment:  # fmt: skip
    """Leave the event where it is, and was read to be (`seen`); who proposed another time is told, and answers again.

    Raises AppointmentUnknown, AlreadyOver, ChangedMeanwhile, ProposalUnknown, LevelMissing, DossierIsReadOnly.
    """
    appointment = locked_appointment(entry, appointment_id, seen=seen)
    lock_agenda(entry, rubric_of(appointment.kind))
    proposal, asker = _proposal(entry, appointment_id, proposal_id)
    proposal.withdrawn_at = timezone.now()
    proposal.save(update_fields=["withdrawn_at"])
    Participation.objects.filter(pk=asker.pk).update(status=ANSWER.NEEDS_ACTION, answered_at=None)
    record(entry, appointment, KIND.ANSWERED, after="Moment non retenu", participation=asker)
    letters.tell(letters.KEPT, appointment, [asker], but=entry.user.pk)
    return appointment


def moment_of_proposal(appointment: Appointment, proposal: Proposal) -> str:
    """Return when a proposal is, on the clock of its appointment."""
    return letters.moment_of(
        Appointment(starts_at=proposal.starts_at, zone=appointment.zone, all_day=appointment.all_day)
    )


def _locked(entry: Entry, appointment_id: UUID, seen: str | None = None) -> Appointment:
    require_open(entry)
    return locked_appointment(entry, appointment_id, seen=seen)


def _answer(entry: Entry, appointment: Appointment, status: str, comment: str) -> Participation:
    mine = appointment.participations.filter(user=me(entry)).first()
    if mine is None:
        raise NotInvited
    mine.status, mine.answered_at, mine.comment = status, timezone.now(), comment[:300]
    mine.save(update_fields=["status", "answered_at", "comment"])
    touch(appointment)
    return mine


def _follow(appointment: Appointment, mine: Participation, by_mail: bool) -> None:
    """Tell the calendars; that of who answers by mail knows his own answer."""
    calendar_letters.follow(appointment, knows_it=mine.user_id if by_mail else None)


def settle(entry: Entry, appointment: Appointment, mine: Participation) -> None:
    """Confirm what all the indispensable ones agreed to, else take the time of the one who has just said yes."""
    people = participations_of(appointment)
    if appointment.status not in ASKED or not is_agreed(appointment, people):
        take(entry, appointment, people, newly={mine.key})
        return
    appointment.status = STATUS.BOOKED
    next_version(appointment, "status", moved=True)
    take(entry, appointment, people)
    record(entry, appointment, KIND.CONFIRMED, after=letters.moment_of(appointment))
    letters.tell(letters.CONFIRMED, appointment, _with_organiser(appointment, people), but=entry.user.pk)


def is_agreed(appointment: Appointment, people: list[Participation]) -> bool:
    """Say whether the indispensable ones have all said yes, and enough of all."""
    if appointment.starts_at is None:
        return False
    invited = [one for one in people if not one.is_the_person and not one.room_id]
    needed = [one for one in invited if one.need == NEED.REQUIRED]
    yes = sum(one.status == ANSWER.ACCEPTED for one in invited)
    return all(one.status == ANSWER.ACCEPTED for one in needed) and yes >= (appointment.quorum or 0)


def _proposal(entry: Entry, appointment_id: UUID, proposal_id: UUID) -> tuple[Proposal, Participation]:
    """Return a proposal that nobody took nor set aside, and who made it; one of a vote is decided there."""
    found = Proposal.objects.filter(
        pk=proposal_id, appointment=appointment_id, dossier_id=entry.dossier.pk, withdrawn_at=None,
        appointment__starts_at__isnull=False,
    )  # fmt: skip
    proposal = found.exclude(proposed_by=None).select_related("proposed_by__user").first()
    if proposal is None or proposal.proposed_by is None:
        raise ProposalUnknown
    return proposal, proposal.proposed_by


def _set_aside(appointment: Appointment) -> None:
    standing = Proposal.objects.filter(appointment=appointment, withdrawn_at=None).exclude(proposed_by=None)
    standing.update(withdrawn_at=timezone.now())


def _with_organiser(appointment: Appointment, people: list[Participation]) -> list[Participation]:
    if any(one.user_id == appointment.organizer_id for one in people):
        return people
    return [*people, Participation(user=appointment.organizer)]


def _tell_organiser(what: str, appointment: Appointment, entry: Entry) -> None:
    if appointment.organizer_id:
        letters.tell(what, appointment, [Participation(user=appointment.organizer)], but=entry.user.pk)
