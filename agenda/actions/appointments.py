"""Events of a person’s agenda: entered, changed, moved, cancelled, done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from agenda import calendar_letters, letters
from agenda.actions.attending import (
    ANSWER,
    Who,
    attendees,
    me,
    participations_of,
    reminder_due,
    take,
    write_participations,
)
from agenda.actions.common import KIND, lock_agenda, locked_appointment, next_version, record, rubric_of
from agenda.actions.resending import made_before
from agenda.actions.taking import let_go
from agenda.errors import (
    CancelReasonMissing,
    EndsBeforeItStarts,
    InThePast,
    LastsTooLong,
    NotYetPast,
    TooLong,
    TooLongAgo,
)
from agenda.meeting_letters import What, tell
from agenda.models import Appointment, Participation, Room
from agenda.naming import names_of
from circle.models import Member

STATUS = Appointment.Status
# Those of the person alone, which may last.
AWAY = (Appointment.Kind.ABSENCE, Appointment.Kind.HOSPITAL)
DAY, LONGEST_AWAY, NOTED_WITHIN = dt.timedelta(days=1), dt.timedelta(days=366), dt.timedelta(days=31)
# A form filled in slowly for « now » is not in the past.
SLOWLY = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What an event says. Instants in UTC; `zone` is where its clock is read; `all_day` from midnight to midnight."""

    kind: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    zone: str
    all_day: bool = False
    service_type: str = ""
    title: str = ""
    reason: str = ""
    comment: str = ""
    modality: str = ""
    place: str = ""
    video_url: str = ""
    room: Room | None = None

    @property
    def said(self) -> dict:
        """The columns of the row."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def require_sound(facts: Facts, *, done: bool = False, moved: bool = True) -> None:
    """Require a time that makes sense. `done`: a visit already made; `moved` false: it was there before.

    Raises EndsBeforeItStarts, TooLong, LastsTooLong, InThePast, NotYetPast, TooLongAgo. Source: issue 5 §4.
    """
    away = facts.kind in AWAY
    if facts.ends_at <= facts.starts_at:
        raise EndsBeforeItStarts
    if facts.ends_at - facts.starts_at > (LONGEST_AWAY if away else DAY):
        raise LastsTooLong if away else TooLong
    now = timezone.now()
    if done:
        if facts.ends_at > now + SLOWLY:
            raise NotYetPast
        if facts.starts_at < now - NOTED_WITHIN:
            raise TooLongAgo
    elif moved and (facts.ends_at if away else facts.starts_at) < now - SLOWLY:
        raise InThePast


@transaction.atomic
def create_appointment(
    entry,
    facts: Facts,
    who: Who,
    *,
    creation_key: UUID,
    ask: bool = False,
    done: bool = False,
    on_behalf: bool = False,
) -> Appointment:
    """Enter an event in the agenda of the person; the same key twice gives the first one, if it says the same.

    `ask`: those invited are to answer, and nothing is taken until then; else it is agreed already. `done`: a visit
    already made. `on_behalf`: told by the person, for whom it is entered. Writes the history, takes the time of those
    who attend and tells those who have an account. Raises AlreadySent, LevelMissing, DossierIsReadOnly,
    NotInTheCircle, NobodyAttends, TimeTaken and what `require_sound` raises. Source: issue 5 §1, AGD-9, AGD-10,
    GAP-70, GAP-71.
    """
    lock_agenda(entry, rubric_of(facts.kind))
    who = who_attends(facts, who)
    made = made_before(entry, creation_key, who, series=None, **facts.said)
    if made is not None:
        return made
    require_sound(facts, done=done)
    people = attendees(entry, who)
    asked = ask and not done and any(one.user is None or one.user.pk != me(entry) for one in people)
    status = STATUS.FULFILLED if done else STATUS.PROPOSED if asked else STATUS.BOOKED
    appointment = Appointment.objects.create(
        dossier=entry.dossier, status=status, creation_key=creation_key, **facts.said, **source_of(entry, on_behalf)
    )
    rows = write_participations(entry, appointment, people, who, accepted=not asked)
    if not done:
        # What was done takes nobody’s time any more, even where two visits overlapped.
        take(entry, appointment, rows)
        letters.tell(letters.ASKED if asked else letters.INVITED, appointment, rows, but=entry.user.pk)
        calendar_letters.follow(appointment)
    record(entry, appointment, KIND.CREATED, after=letters.moment_of(appointment))
    return appointment


def source_of(entry, on_behalf: bool) -> dict:
    """Return where an event entered now comes from: the author, for whom, and which structure."""
    house = entry.access.through_structure or entry.access.hat.structure_id
    other = entry.access.on_behalf_of
    if other:
        house = other.structure_id
    hers = on_behalf or _is_family(entry)
    return {
        "created_by": entry.user,
        "organizer_id": me(entry),
        "structure_id": None if hers and not _is_discreet(entry, house) else house,
        # What the person or a relative enters is hers.
        "on_behalf": hers,
    }


def _is_discreet(entry, house: UUID | None) -> bool:
    """Return whether a structure is a discreet member: what its people enter stays hidden as its own (rule 7)."""
    members = Member.objects.filter(dossier_id=entry.dossier.pk, structure=house, discreet=True)
    return house is not None and members.exists()


def _is_family(entry) -> bool:
    return entry.access.profile in ("personne", "aidant")


def who_attends(facts: Facts, who: Who) -> Who:
    """Return who is to attend, of those chosen: an absence is of the person alone."""
    return Who(person=True) if facts.kind in AWAY else who


@transaction.atomic
def edit_appointment(
    entry, appointment_id: UUID, facts: Facts, who: Who, *, version: int | None = None
) -> Appointment:
    """Change what an event says, when it is and who attends; participants the reader may not see are left alone.

    A change of time is told to those invited, who answer again if answers were asked. Raises AppointmentUnknown,
    AlreadyOver, ChangedMeanwhile, and what `create_appointment` raises.
    """
    lock_agenda(entry, rubric_of(facts.kind))
    appointment = locked_appointment(entry, appointment_id, version=version)
    lock_agenda(entry, rubric_of(appointment.kind))
    moved = (facts.starts_at, facts.ends_at) != (appointment.starts_at, appointment.ends_at)
    require_sound(facts, moved=moved)
    before = letters.moment_of(appointment)
    changed = [name for name in facts.said if getattr(appointment, name) != getattr(facts, name)]
    for name in changed:
        setattr(appointment, name, getattr(facts, name))
    detach(appointment)
    joined, left = _change_people(entry, appointment, who_attends(facts, who))
    if not (changed or joined or left):
        return appointment
    return written(entry, appointment, changed, before=before, moved=moved, joined=joined, left=left)


@transaction.atomic
def move_appointment(
    entry, appointment_id: UUID, *, starts_at: dt.datetime, ends_at: dt.datetime, version: int | None = None
) -> Appointment:
    """Put an event at another time (« décaler », AGD-24). Raises as `edit_appointment`."""
    appointment = locked_appointment(entry, appointment_id, version=version)
    lock_agenda(entry, rubric_of(appointment.kind))
    before = letters.moment_of(appointment)
    moment = Facts(kind=appointment.kind, starts_at=starts_at, ends_at=ends_at, zone=appointment.zone)
    if (starts_at, ends_at) == (appointment.starts_at, appointment.ends_at):
        return appointment
    require_sound(moment)
    appointment.starts_at, appointment.ends_at = starts_at, ends_at
    detach(appointment)
    return written(entry, appointment, ["starts_at", "ends_at"], before=before, moved=True)


def written(entry, appointment, changed, *, before, moved, joined=(), left=()) -> Appointment:
    """Save a change, take the time again, and tell those whom it concerns."""
    people = participations_of(appointment)
    if moved and appointment.status in (STATUS.PROPOSED, STATUS.PENDING):
        _ask_again(entry, people)
    next_version(appointment, *changed, "detached", moved=moved or bool({"place", "video_url"} & set(changed)))
    is_another_time = moved or "only_warns" in changed
    take(entry, appointment, people, newly=None if is_another_time else {one.key for one in joined})
    after = letters.moment_of(appointment)
    if moved:
        record(entry, appointment, KIND.MOVED, before=before, after=after)
        stayed = [one for one in people if one.pk not in {new.pk for new in joined}]
        letters.tell(letters.MOVED, appointment, stayed, but=entry.user.pk, before=before)
        if appointment.kind == Appointment.Kind.MEETING and appointment.status == STATUS.BOOKED:
            # Who has no account was told of it by mail: he would come at the old time.
            tell(What.MOVED, appointment, [one for one in stayed if one.user_id is None])
            appointment.participations.update(reminded_at=reminder_due(appointment.span[0]))
    else:
        record(entry, appointment, KIND.EDITED, after=_said(changed, joined, left))
    letters.tell(letters.INVITED, appointment, joined, but=entry.user.pk)
    letters.tell(letters.CANCELLED, appointment, left, but=entry.user.pk, before=before)
    calendar_letters.follow(appointment)
    return appointment


_WORDS = {
    "kind": "nature", "service_type": "type", "title": "titre", "reason": "motif", "comment": "commentaire",
    "modality": "modalité", "place": "lieu", "video_url": "lien de visioconférence", "room_id": "salle",
    "zone": "fuseau horaire", "all_day": "toute la journée", "room": "salle",
}  # fmt: skip


def _said(changed, joined, left) -> str:
    """Which fields changed, never what they say: the history stays when the words are gone."""
    words = [_WORDS[name] for name in changed if name in _WORDS]
    if joined or left:
        words.append("participants")
    return ", ".join(words)


def _ask_again(entry, people: list[Participation]) -> None:
    waiting = [one for one in people if one.user_id != me(entry) and not one.is_the_person and not one.room_id]
    for one in waiting:
        one.status, one.answered_at = ANSWER.NEEDS_ACTION, None
    Participation.objects.bulk_update(waiting, ["status", "answered_at"])


def _change_people(entry, appointment, who: Who) -> tuple[list[Participation], list[Participation]]:
    """Write who joins, drop who leaves; whom the reader may not see stays as he is. Returns (joined, left)."""
    people = {one.key: one for one in attendees(entry, who)}
    there = {one.key: one for one in participations_of(appointment)}
    shown = names_of(entry, there.values())
    wanted = set(people) | ({appointment.dossier_id} if who.person else set())
    wanted |= {who.room.pk} if who.room else set()
    left = [one for key, one in there.items() if key not in wanted and one.pk in shown and _may_name(entry, one)]
    new = Who(person=who.person and appointment.dossier_id not in there,
              room=who.room if who.room and who.room.pk not in there else None)  # fmt: skip
    joining = [one for key, one in people.items() if key not in there]
    accepted = appointment.status not in (STATUS.PROPOSED, STATUS.PENDING)
    Participation.objects.filter(pk__in=[one.pk for one in left]).delete()
    joined = write_participations(entry, appointment, joining, new, accepted=accepted)
    return joined, left


def _may_name(entry, one: Participation) -> bool:
    """Say whether a `Who` can name him: not somebody outside the circle, whom a software sent."""
    return bool(one.member_id or one.room_id or one.is_the_person or one.user_id == entry.user.pk)


def detach(appointment: Appointment) -> None:
    """An occurrence changed by itself is left alone by its series."""
    if appointment.series_id:
        appointment.detached = True


@transaction.atomic
def cancel_appointment(
    entry, appointment_id: UUID, *, reason: str, note: str = "", version: int | None = None
) -> Appointment:
    """Cancel an event, say why, give the time back and tell those invited; it stays to be read (GAP-86).

    Raises AppointmentUnknown, AlreadyOver, ChangedMeanwhile, CancelReasonMissing, LevelMissing, DossierIsReadOnly.
    """
    if reason not in Appointment.CancelReason.values:
        raise CancelReasonMissing
    appointment = locked_appointment(entry, appointment_id, version=version)
    lock_agenda(entry, rubric_of(appointment.kind))
    people = participations_of(appointment)
    appointment.status, appointment.cancel_reason, appointment.cancel_note = STATUS.CANCELLED, reason, note[:300]
    detach(appointment)
    next_version(appointment, "status", "cancel_reason", "cancel_note", "detached", moved=True)
    # And what its proposed times hold.
    let_go(appointment.pk, *appointment.proposals.values_list("pk", flat=True))
    record(entry, appointment, KIND.CANCELLED, after=appointment.get_cancel_reason_display())
    tell_called_off(entry, appointment, people)
    calendar_letters.follow(appointment)
    return appointment


def tell_called_off(entry, appointment: Appointment, people: list[Participation]) -> None:
    """Tell those invited that an event to come is called off; of a meeting, who has no account too, fixed or not."""
    if appointment.ends_at is not None and appointment.ends_at <= timezone.now():
        return
    is_fixed = appointment.starts_at is not None
    if is_fixed:
        letters.tell(letters.CANCELLED, appointment, people, but=entry.user.pk, before=letters.moment_of(appointment))
    if appointment.kind == Appointment.Kind.MEETING:
        rest = [one for one in people if one.user_id is None or not is_fixed]
        tell(What.CANCELLED, appointment, rest, but=entry.user.pk)


@transaction.atomic
def mark_done(entry, appointment_id: UUID, *, version: int | None = None) -> Appointment:
    """Note that an event took place. Raises NotYetPast before it begins, and as `cancel_appointment`."""
    return _mark(entry, appointment_id, STATUS.FULFILLED, version)


@transaction.atomic
def mark_not_come(entry, appointment_id: UUID, *, version: int | None = None) -> Appointment:
    """Note that the person did not come: the time is given back. Raises as `mark_done`."""
    return _mark(entry, appointment_id, STATUS.NOSHOW, version)


def _mark(entry, appointment_id: UUID, status: str, version: int | None) -> Appointment:
    appointment = locked_appointment(entry, appointment_id, version=version)
    lock_agenda(entry, rubric_of(appointment.kind))
    if appointment.starts_at is None or appointment.starts_at > timezone.now():
        raise NotYetPast
    appointment.status = status
    detach(appointment)
    next_version(appointment, "status", "detached", moved=True)
    if status == STATUS.NOSHOW:
        let_go(appointment.pk)
    record(entry, appointment, KIND.DONE, after=appointment.get_status_display())
    return appointment
