"""Answers to the times proposed for a meeting, and the meeting fixed once they agree (AGD-23 to 28).

Answers come one after the other: each locks its meeting, so that the last of them fixes it, once.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda import calendar_letters, voting
from agenda.actions.appointments import Facts, require_sound
from agenda.actions.attending import ANSWER, NEED, is_exclusive, me, participations_of, reminder_due
from agenda.actions.common import (
    KIND,
    locked_appointment,
    next_version,
    record,
    require_open,
    require_open_dossier,
)
from agenda.actions.taking import Taken, clashes, hold, let_go, let_go_of, take_time
from agenda.errors import (
    AlreadyFixed,
    AlreadyOver,
    AlreadyProposed,
    LinkVoid,
    NotAMeetingToFix,
    NotInvited,
    TimesChanged,
    TimeTaken,
)
from agenda.keys import present
from agenda.letters import moment_of
from agenda.meeting_letters import What, tell, tell_organiser
from agenda.models import Answer, Appointment, Participation, Proposal
from coordination.dossiers.door import Entry
from habilitations import access
from habilitations.traces import NOWHERE, Via, record_link

STATUS = Appointment.Status
OPEN = (STATUS.PROPOSED, STATUS.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one answers: {time proposed: oui, si_besoin or non}, another time if he has one, a word."""

    choices: Mapping[UUID, str]
    other: tuple[dt.datetime, dt.datetime] | None = None
    comment: str = ""


@transaction.atomic
def answer_times(entry: Entry, appointment_id: UUID, said: Said) -> Appointment:
    """Answer the times proposed, whatever the matrix gives of the meetings (rule 6); again, the last answer counts.

    Raises AppointmentUnknown, AlreadyOver, AlreadyFixed, NotInvited, TimesChanged, AlreadyProposed,
    DossierIsReadOnly, and what `require_sound` raises of another time.
    """
    require_open(entry)
    appointment = locked_appointment(entry, appointment_id)
    mine = appointment.participations.select_related("member").filter(user=me(entry)).first()
    if mine is None:
        raise NotInvited
    _answer(appointment, mine, said, entry=entry)
    return appointment


@transaction.atomic
def answer_by_link(participation: Participation, said: Said, *, via: Via = NOWHERE) -> Appointment:
    """The same for who came by his personal link, which no longer serves once he is removed or has left the circle.

    Raises LinkVoid, AlreadyOver, AlreadyFixed, TimesChanged, AlreadyProposed, DossierIsReadOnly.
    """
    require_open_dossier(participation.dossier_id)
    appointment = Appointment.objects.select_for_update().get(pk=participation.appointment_id)
    rows = appointment.participations.select_related("member").filter(pk=participation.pk)
    mine = rows.filter(generation=participation.generation, user=None).first()
    if mine is None or mine not in present([mine]):
        raise LinkVoid
    if appointment.status not in Appointment.LIVE:
        raise AlreadyOver(state=appointment.get_status_display().lower())
    _answer(appointment, mine, said, entry=None)
    record_link(
        user=None, dossier_id=appointment.dossier_id, action="écriture", object_kind="appointment",
        object_id=appointment.pk, via=via,
        habilitation_id=mine.member.habilitation_id if mine.member else None,
    )  # fmt: skip
    return appointment


def _answer(appointment: Appointment, mine: Participation, said: Said, *, entry: Entry | None) -> None:
    if appointment.status == STATUS.BOOKED:
        raise AlreadyFixed
    times = times_of(appointment)
    if not times:
        raise NotAMeetingToFix
    if set(said.choices) != {time.pk for time in times}:
        raise TimesChanged
    if said.other:
        _propose(appointment, mine, said.other, entry)
    write_choices(mine, said.choices, entry)
    _hold_again(appointment, mine, times, said.choices)
    agrees = any(choice != voting.NO for choice in said.choices.values()) or said.other
    mine.status = ANSWER.TENTATIVE if agrees else ANSWER.DECLINED
    mine.answered_at, mine.comment = timezone.now(), said.comment[:300]
    mine.save(update_fields=["status", "answered_at", "comment"])
    yes = sum(choice != voting.NO for choice in said.choices.values())
    words = f"{yes} créneau{'x' if yes > 1 else ''} possible{'s' if yes > 1 else ''} sur {len(times)}"
    record(entry, appointment, KIND.ANSWERED, after=words, participation=mine)
    settle(appointment, entry=entry)


def times_of(appointment: Appointment) -> list[Proposal]:
    """Return the times put to the vote, the first first; other moments not put to it are left out."""
    return list(appointment.proposals.filter(withdrawn_at=None, proposed_by=None).order_by("starts_at"))


def write_choices(mine: Participation, choices: Mapping[UUID, str], entry: Entry | None) -> None:
    """Write what one answers of each time, instead of what he answered before."""
    user = entry.user if entry else None
    Answer.objects.bulk_create(
        [
            Answer(dossier_id=mine.dossier_id, proposal_id=pk, participation=mine, choice=choice, by=user)
            for pk, choice in choices.items()
        ],
        update_conflicts=True,
        unique_fields=["dossier", "proposal", "participation"],
        update_fields=["choice", "by", "at"],
    )


def _propose(appointment, mine: Participation, other: tuple[dt.datetime, dt.datetime], entry) -> None:
    """Keep another moment for the organiser, who puts it to the vote or not (AGD-26)."""
    starts_at, ends_at = other
    require_sound(Facts(kind=appointment.kind, starts_at=starts_at, ends_at=ends_at, zone=appointment.zone))
    moment = {"appointment": appointment, "starts_at": starts_at, "ends_at": ends_at}
    there = Proposal.objects.filter(**moment, withdrawn_at=None).exclude(proposed_by=mine)
    if there.exists():
        raise AlreadyProposed
    # His last word: a link without an account does not pile them up.
    Proposal.objects.filter(appointment=appointment, proposed_by=mine, withdrawn_at=None).update(
        withdrawn_at=timezone.now()
    )
    Proposal.objects.update_or_create(
        dossier_id=appointment.dossier_id, **moment, defaults={"proposed_by": mine, "withdrawn_at": None}
    )
    said = moment_of(Appointment(starts_at=starts_at, zone=appointment.zone))
    record(entry, appointment, KIND.PROPOSED, after=said, participation=mine)
    tell_organiser(What.PROPOSED, appointment, but=entry.user.pk if entry else None)


def _hold_again(appointment, mine: Participation, times: Sequence[Proposal], choices: Mapping[UUID, str]) -> None:
    """Give back what he refuses; hold what he can, while he is free."""
    let_go_of(mine.key, [time.pk for time in times if choices[time.pk] == voting.NO])
    if appointment.answer_by is None or appointment.answer_by <= timezone.now():
        return
    for time in times:
        if choices[time.pk] != voting.NO:
            who = Taken(mine.key, is_exclusive(mine))
            hold(time.pk, who, time.starts_at, time.ends_at, expires_at=appointment.answer_by)


# ---- What the answers come to --------------------------------------------------------------------


def is_voter(one: Participation) -> bool:
    """Say whether his answers count: not the person, nor a room, nor who is only told."""
    return not (one.is_the_person or one.room_id or one.need == NEED.INFORMATION)


def voters_of(appointment: Appointment, people: Sequence[Participation]) -> list[voting.Voter]:
    """Return those whose answers count, with what they answer."""
    choices: dict[UUID, dict[UUID, str]] = {}
    for answer in Answer.objects.filter(proposal__appointment=appointment):
        choices.setdefault(answer.participation_id, {})[answer.proposal_id] = answer.choice
    return [
        voting.Voter(one.pk, one.need == NEED.REQUIRED, one.status != ANSWER.NEEDS_ACTION, choices.get(one.pk, {}))
        for one in people
        if is_voter(one)
    ]


def settle(appointment: Appointment, *, entry: Entry | None) -> None:
    """Fix the meeting when the answers agree on a time, tell the organiser when they never will (AGD-27).

    Nothing is fixed by itself for an organiser to whom the dossier is closed: who may write the meetings decides.
    Needs the meeting locked.
    """
    times = {time.pk: time for time in times_of(appointment)}
    if not times or appointment.status not in OPEN:
        return
    people = present(participations_of(appointment))
    starts = {pk: time.starts_at for pk, time in times.items() if time.starts_at > timezone.now()}
    found, best = voting.outcome(starts, voters_of(appointment, people), appointment.quorum or 0)
    if found is voting.Outcome.WAITING or not _organiser_is_there(appointment):
        return
    for pk in best:
        try:
            with transaction.atomic():
                fix(appointment, times[pk], people, entry=entry)
        except TimeTaken:
            # What was being written of this time is not said of the next one.
            appointment.refresh_from_db()
            people = present(participations_of(appointment))
            continue
        return
    tell_organiser(What.NONE_SUITS, appointment)


def _organiser_is_there(appointment: Appointment) -> bool:
    user = appointment.organizer
    return user is not None and access.to_dossier(user, appointment.dossier_id) is not None


def fix(appointment: Appointment, time: Proposal, people: Sequence[Participation], *, entry: Entry | None) -> None:
    """Fix the meeting at a time: what was held becomes the appointment of each, the other times are let go.

    Needs an open transaction. Raises TimeTaken when one who said yes has been taken since.
    """
    if appointment.status not in OPEN:
        raise NotAMeetingToFix
    let_go(*appointment.proposals.values_list("pk", flat=True))
    # Other moments ask for no decision any more.
    appointment.proposals.filter(withdrawn_at=None).exclude(proposed_by=None).update(withdrawn_at=timezone.now())
    appointment.starts_at, appointment.ends_at, appointment.status = time.starts_at, time.ends_at, STATUS.BOOKED
    _say_who_comes(time, people)
    take_for(appointment, people)
    next_version(appointment, "starts_at", "ends_at", "status", moved=True)
    record(entry, appointment, KIND.CONFIRMED, after=moment_of(appointment))
    tell(What.FIXED, appointment, people, but=entry.user.pk if entry else None)
    calendar_letters.follow(appointment)


def _say_who_comes(time: Proposal, people: Sequence[Participation]) -> None:
    """Write who accepts and who declines the time that is kept; who has not answered may still."""
    choices = dict(Answer.objects.filter(proposal=time).values_list("participation_id", "choice"))
    for one in people:
        one.reminded_at = reminder_due(time.starts_at)
        if one.pk in choices:
            one.status = ANSWER.DECLINED if choices[one.pk] == voting.NO else ANSWER.ACCEPTED
        elif one.status in (ANSWER.TENTATIVE, ANSWER.DECLINED) and not (one.is_the_person or one.room_id):
            # He answered of other times.
            one.status = ANSWER.NEEDS_ACTION
    Participation.objects.bulk_update(people, ["status", "reminded_at"])


def take_for(appointment: Appointment, people: Sequence[Participation]) -> None:
    """Take the time of who comes, and of who has not answered while he is free. Raises TimeTaken."""
    wanted = [one for one in people if one.status != ANSWER.DECLINED and one.need != NEED.INFORMATION]
    unsure = {one.key for one in wanted if one.status == ANSWER.NEEDS_ACTION}
    busy = clashes(unsure, *appointment.span, but=appointment.pk).filter(exclusive=True)
    taken = set(busy.values_list("key", flat=True))
    who = [Taken(one.key, is_exclusive(one)) for one in wanted if one.key not in taken]
    take_time(appointment.pk, who, *appointment.span)
