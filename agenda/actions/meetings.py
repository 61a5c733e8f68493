"""A meeting to be fixed: proposed to members of the circle, voted, chosen, changed (AGD-19 to 28).

The times proposed are held in the agendas of those who are free, until the answers are due: they let go by themselves.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from agenda import calendar_letters, voting
from agenda.actions import clashing, votes
from agenda.actions.appointments import Facts, require_sound, source_of
from agenda.actions.attending import ANSWER, NEED, Who, attendees, is_exclusive, me, participations_of
from agenda.actions.common import KIND, lock_agenda, locked_appointment, next_version, record
from agenda.actions.resending import made_before
from agenda.actions.taking import Taken, clashes, let_go_of, prolong, take_many
from agenda.errors import (
    AnswerByNotPossible,
    MomentHeld,
    NobodyElse,
    NobodyLeft,
    NobodyToRemind,
    NotAMeetingToFix,
    NoTimeChosen,
    NotYetFixed,
    OrganiserStays,
    ProposalUnknown,
    TimesOverlap,
    TimeTaken,
    TooManyTimes,
)
from agenda.keys import Attendee, address_of, present
from agenda.letters import moment_of
from agenda.meeting_letters import What, tell
from agenda.models import Appointment, Occupation, Participation, Proposal, Room
from agenda.naming import names_of
from coordination.common.resending import other_answers
from coordination.dossiers.door import Entry
from habilitations.rubriques import Rubrique

STATUS = Appointment.Status
MOST_TIMES = 3
# The columns of a meeting that its plan says.
_SAID = ("zone", "title", "reason", "modality", "place", "video_url", "quorum", "room", "answer_by")
LONGEST_HOLD, DAY = dt.timedelta(days=7), dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a meeting is to be: {member: indispensable}, up to three starts, how long, what it is about, where."""

    members: Mapping[UUID, bool]
    starts: Sequence[dt.datetime]
    minutes: int
    zone: str
    answer_by: dt.datetime
    person: bool = False
    title: str = ""
    reason: str = ""
    modality: str = ""
    place: str = ""
    video_url: str = ""
    quorum: int | None = None
    room: Room | None = None

    @property
    def times(self) -> list[tuple[dt.datetime, dt.datetime]]:
        length = dt.timedelta(minutes=self.minutes)
        return [(start, start + length) for start in sorted(set(self.starts))]


@transaction.atomic
def propose_meeting(entry: Entry, plan: Plan, *, creation_key: UUID) -> Appointment:
    """Ask members of the circle for a meeting at one to three times; the same key twice gives the first one.

    Holds each time for those who are free then, asks each one by mail, and fixes the meeting at once when nobody else
    is indispensable. Raises LevelMissing, DossierIsReadOnly, NotInTheCircle, NobodyElse, NoTimeChosen, TooManyTimes,
    TimesOverlap, AnswerByNotPossible, MomentHeld, TimeTaken and what `require_sound` raises. Source: issue 5 §1.
    """
    lock_agenda(entry, Rubrique.REUNIONS)
    who = Who(plan.members, me=True, person=plan.person)
    said = {name: getattr(plan, name) for name in _SAID}
    made = made_before(entry, creation_key, who, kind=Appointment.Kind.MEETING, **said)
    if made is not None:
        _require_same_times(made, plan)
        return made
    _require_sound(plan)
    people = attendees(entry, who)
    if len(people) < 2 and not plan.person:
        raise NobodyElse
    meeting = Appointment.objects.create(
        dossier=entry.dossier, kind=Appointment.Kind.MEETING, status=STATUS.PROPOSED, creation_key=creation_key,
        **said, **source_of(entry, False),
    )  # fmt: skip
    rows = _write_people(entry, meeting, people, plan)
    times = Proposal.objects.bulk_create(
        Proposal(dossier=entry.dossier, appointment=meeting, starts_at=start, ends_at=end) for start, end in plan.times
    )
    _hold(entry, meeting, times, rows)
    mine = next(one for one in rows if one.user_id == me(entry))
    votes.write_choices(mine, {time.pk: voting.YES for time in times}, entry)
    record(entry, meeting, KIND.CREATED)
    tell(What.ASKED, meeting, rows, but=entry.user.pk)
    votes.settle(meeting, entry=entry)
    return meeting


def _require_sound(plan: Plan) -> None:
    if not plan.starts:
        raise NoTimeChosen
    if len(plan.times) > MOST_TIMES:
        raise TooManyTimes
    if any(one[1] > other[0] for one, other in pairwise(plan.times)):
        raise TimesOverlap
    for start, end in plan.times:
        require_sound(Facts(kind=Appointment.Kind.MEETING, starts_at=start, ends_at=end, zone=plan.zone))
    now = timezone.now()
    if not now < plan.answer_by <= min(now + LONGEST_HOLD, plan.times[0][0]):
        raise AnswerByNotPossible


def _require_same_times(made: Appointment, plan: Plan) -> None:
    """Require the times that were proposed, while they are there. Raises AlreadySent."""
    there = list(made.proposals.filter(proposed_by=None).order_by("starts_at").values_list("starts_at", "ends_at"))
    if there and there != plan.times:
        raise other_answers(made)


def _write_people(entry: Entry, meeting: Appointment, people: Sequence[Attendee], plan: Plan) -> list[Participation]:
    now, mine = timezone.now(), me(entry)
    rows = []
    for one in people:
        is_mine = one.user is not None and one.user.pk == mine
        required = is_mine or bool(one.member and plan.members.get(one.member.pk))
        rows.append(
            Participation(
                dossier=entry.dossier, appointment=meeting, key=one.key, member=one.member, user=one.user,
                email=one.email, need=NEED.REQUIRED if required else NEED.OPTIONAL,
                status=ANSWER.ACCEPTED if is_mine else ANSWER.NEEDS_ACTION, answered_at=now if is_mine else None,
            )
        )  # fmt: skip
    if plan.person:
        rows.append(
            Participation(
                dossier=entry.dossier, appointment=meeting, key=entry.dossier.pk, need=NEED.OPTIONAL,
                status=ANSWER.ACCEPTED, answered_at=now,
            )
        )  # fmt: skip
    if plan.room:
        rows.append(
            Participation(
                dossier=entry.dossier, appointment=meeting, key=plan.room.pk, room=plan.room,
                status=ANSWER.ACCEPTED, answered_at=now,
            )
        )  # fmt: skip
    return Participation.objects.bulk_create(rows)


def _hold(entry: Entry, meeting: Appointment, times: Sequence[Proposal], people: Sequence[Participation]) -> None:
    """Hold these times for those who are free then.

    An indispensable one whom another meeting holds is a refusal, said to the second of two organisers; so is a room
    that is not free, which answers nothing. Who has an appointment is not held: the organiser chose that time knowing
    it. Raises MomentHeld, TimeTaken.
    """
    wanted = [(time.pk, _free_at(entry, meeting, time, people), time.starts_at, time.ends_at) for time in times]
    take_many(wanted, kind=Occupation.Kind.HOLD, expires_at=meeting.answer_by)


def _free_at(entry: Entry, meeting: Appointment, time: Proposal, people: Sequence[Participation]) -> list[Taken]:
    others = clashes([one.key for one in people], time.starts_at, time.ends_at).filter(exclusive=True)
    taken = dict(others.values_list("key", "kind"))
    held = [
        one
        for one in people
        if one.key in taken and (one.room_id or (taken[one.key] == Occupation.Kind.HOLD and one.need == NEED.REQUIRED))
    ]
    if held:
        names = names_of(entry, held)
        moment = moment_of(Appointment(starts_at=time.starts_at, zone=meeting.zone))
        raise MomentHeld(who=min(names.values(), default="Un participant"), moment=moment)
    return [Taken(one.key, is_exclusive(one)) for one in people if one.key not in taken]


# ---- What the organiser does next ----------------------------------------------------------------


@transaction.atomic
def choose_time(entry: Entry, appointment_id: UUID, proposal_id: UUID) -> Appointment:
    """« Retenir ce créneau » without waiting for the answers, at a time proposed by the organiser or another.

    Raises AppointmentUnknown, AlreadyOver, NotAMeetingToFix, ProposalUnknown, TimeTaken, LevelMissing,
    DossierIsReadOnly.
    """
    meeting = _to_fix(entry, appointment_id)
    time = _standing(meeting, proposal_id)
    require_sound(Facts(kind=meeting.kind, starts_at=time.starts_at, ends_at=time.ends_at, zone=meeting.zone))
    if time.proposed_by:
        votes.write_choices(time.proposed_by, {time.pk: voting.YES}, None)
    people = present(participations_of(meeting))
    try:
        votes.fix(meeting, time, people, entry=entry)
    except TimeTaken:
        raise clashing.explained(entry, meeting, people) from None
    return meeting


@transaction.atomic
def add_to_vote(entry: Entry, appointment_id: UUID, proposal_id: UUID) -> Appointment:
    """Put to the vote the other moment somebody proposes: all those invited answer again.

    Raises as `choose_time`, and MomentHeld.
    """
    meeting = _to_fix(entry, appointment_id)
    time = _standing(meeting, proposal_id)
    if time.proposed_by_id is None:
        raise ProposalUnknown
    require_sound(Facts(kind=meeting.kind, starts_at=time.starts_at, ends_at=time.ends_at, zone=meeting.zone))
    people = present(participations_of(meeting))
    proposer = time.proposed_by_id
    for one in people:
        if one.pk == proposer or one.user_id == me(entry):
            votes.write_choices(one, {time.pk: voting.YES}, entry if one.user_id == me(entry) else None)
    time.proposed_by = None
    time.save(update_fields=["proposed_by"])
    now = timezone.now()
    longer = min(now + 3 * DAY, time.starts_at)
    if meeting.answer_by is None or meeting.answer_by < min(now + DAY, longer):
        # Never earlier than what they were told: a moment that comes sooner hastens nobody.
        meeting.answer_by = longer
        prolong((one.pk for one in votes.times_of(meeting)), expires_at=meeting.answer_by)
    next_version(meeting, "answer_by")
    _hold(entry, meeting, [time], people)
    answered = {proposer, *(one.pk for one in people if one.user_id == me(entry) or one.is_the_person or one.room_id)}
    asked = [one for one in people if one.pk not in answered]
    for one in asked:
        one.status, one.reminded_at = ANSWER.NEEDS_ACTION, None
    Participation.objects.bulk_update(asked, ["status", "reminded_at"])
    record(entry, meeting, KIND.EDITED, after="un créneau de plus")
    tell(What.ASKED, meeting, asked, but=entry.user.pk)
    return meeting


@transaction.atomic
def remind_participants(entry: Entry, appointment_id: UUID) -> int:
    """« Relancer » those who have not answered, once a day at most; return how many. Raises NobodyToRemind."""
    meeting = _to_fix(entry, appointment_id)
    lately = timezone.now() - DAY
    rows = meeting.participations.select_related("user", "member__professional").filter(status=ANSWER.NEEDS_ACTION)
    rows = rows.filter(Q(reminded_at=None) | Q(reminded_at__lt=lately))
    people = [one for one in present(rows.order_by("pk")) if one.user_id or address_of(one)]
    if not people:
        raise NobodyToRemind
    Participation.objects.filter(pk__in=[one.pk for one in people]).update(reminded_at=timezone.now())
    return tell(What.REMINDED, meeting, people, but=entry.user.pk)


@transaction.atomic
def remove_participant(entry: Entry, appointment_id: UUID, participation_id: UUID) -> Appointment:
    """Take somebody out of a meeting: his time is given back, his link serves no longer, he is told.

    Without him the answers may agree. Raises AppointmentUnknown, AlreadyOver, OrganiserStays, NobodyLeft (nobody else
    is invited: a meeting of one is not one), LevelMissing, DossierIsReadOnly.
    """
    meeting = locked_appointment(entry, appointment_id)
    lock_agenda(entry, Rubrique.REUNIONS)
    rows = meeting.participations.select_related("member__professional", "room", "user").filter(pk=participation_id)
    one = rows.first()
    if one is None or one.pk not in names_of(entry, [one]):
        return meeting
    if one.user_id is not None and one.user_id == meeting.organizer_id:
        raise OrganiserStays
    rest = [other for other in participations_of(meeting) if other.pk != one.pk and not other.room_id]
    if all(other.user_id == meeting.organizer_id for other in rest):
        raise NobodyLeft
    let_go_of(one.key, [meeting.pk, *meeting.proposals.values_list("pk", flat=True)])
    tell(What.REMOVED, meeting, [one], but=entry.user.pk)
    one.delete()
    if one.room_id:
        meeting.room = None
    next_version(meeting, "room", moved=meeting.status == STATUS.BOOKED)
    record(entry, meeting, KIND.EDITED, after="participants")
    calendar_letters.follow(meeting)
    if any(other.user_id != meeting.organizer_id and not other.is_the_person for other in rest):
        # With the person alone, nobody’s answer is awaited any more: who organises chooses.
        votes.settle(meeting, entry=entry)
    return meeting


@transaction.atomic
def write_minutes(entry: Entry, appointment_id: UUID, text: str, *, version: int | None = None) -> Appointment:
    """Write or change the minutes of a meeting that is fixed; those who attend are told the first time.

    Raises AppointmentUnknown, NotYetFixed, ChangedMeanwhile, LevelMissing, DossierIsReadOnly.
    """
    meeting = locked_appointment(entry, appointment_id, version=version, live=False)
    lock_agenda(entry, Rubrique.REUNIONS)
    if meeting.kind != Appointment.Kind.MEETING or meeting.status not in (STATUS.BOOKED, STATUS.FULFILLED):
        raise NotYetFixed
    is_first = not meeting.minutes
    if text == meeting.minutes:
        return meeting
    meeting.minutes, meeting.minutes_by = text, entry.user
    next_version(meeting, "minutes", "minutes_by")
    record(entry, meeting, KIND.MINUTES)
    if is_first:
        tell(What.MINUTES, meeting, participations_of(meeting), but=entry.user.pk)
    return meeting


def remind_due() -> int:
    """Hourly: remind those who have not answered, the day before answers are due; and all those who come, the day
    before the meeting. Never twice: each is marked in the transaction of his letter. Returns how many letters.
    """
    now = timezone.now()
    unanswered = Q(status=ANSWER.NEEDS_ACTION, appointment__status__in=votes.OPEN)
    unanswered &= Q(appointment__answer_by__gt=now, appointment__answer_by__lte=now + DAY)
    # Not those who have just been asked.
    unanswered &= Q(appointment__created_at__lt=now - dt.timedelta(hours=12))
    tomorrow = Q(appointment__status=STATUS.BOOKED, appointment__starts_at__gt=now)
    tomorrow &= Q(appointment__starts_at__lte=now + DAY) & ~Q(status=ANSWER.DECLINED)
    # Only those fixed by a vote: the others have no step before.
    tomorrow &= Q(appointment__answer_by__isnull=False)
    return _remind(What.REMINDED, unanswered) + _remind(What.TOMORROW, tomorrow)


@transaction.atomic
def _remind(what: What, due: Q) -> int:
    rows = Participation.objects.select_related("appointment__organizer", "user", "member__professional").filter(
        due, reminded_at=None, appointment__kind=Appointment.Kind.MEETING
    )
    rows = rows.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    found = list(rows)
    Participation.objects.filter(pk__in=[one.pk for one in found]).update(reminded_at=timezone.now())
    return sum(tell(what, one.appointment, [one]) for one in found)


def _to_fix(entry: Entry, appointment_id: UUID) -> Appointment:
    """Return a meeting still to be fixed, locked, for who may write the meetings."""
    meeting = locked_appointment(entry, appointment_id)
    lock_agenda(entry, Rubrique.REUNIONS)
    if meeting.kind != Appointment.Kind.MEETING or meeting.status not in votes.OPEN:
        raise NotAMeetingToFix
    return meeting


def _standing(meeting: Appointment, proposal_id: UUID) -> Proposal:
    rows = meeting.proposals.filter(pk=proposal_id, withdrawn_at=None).select_related("proposed_by__member")
    time = rows.first()
    if time is None:
        raise ProposalUnknown
    return time
