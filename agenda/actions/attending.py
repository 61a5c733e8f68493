"""Who attends an event, and whose time it takes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agenda.actions import clashing
from agenda.actions.taking import Taken, let_go, take_time
from agenda.errors import NobodyAttends, NotInTheCircle, TimeTaken
from agenda.keys import Attendee, attendees_of, present
from agenda.models import Appointment, Occupation, Participation, Room
from circle.models import Member, Period
from coordination.accounts.models import User

NEED, ANSWER, TIME = Participation.Need, Participation.Status, Occupation.Kind
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Who:
    """Who is to attend: members by their ids, who asks, the person herself, a room."""

    members: Collection[UUID] = ()
    me: bool = False
    person: bool = True
    room: Room | None = None


def attendees(entry, who: Who, *, shown: Collection[UUID] | None = None) -> list[Attendee]:
    """Return those who are to attend, the person and the room left out. Raises NotInTheCircle, NobodyAttends.

    Only members of today whom the reader may see can be chosen (rule 7); who may not read the circle chooses himself.
    `shown`: those members, when they have just been read. Four SQL statements, three then.
    """
    if shown is None:
        shown = {row.id for row in Member.objects.rows(entry)}
    wanted = set(who.members)
    if not wanted <= set(shown):
        raise NotInTheCircle
    members = Member.objects.select_related("professional").filter(dossier_id=entry.dossier.pk)
    members = members.filter(Q(pk__in=wanted) | _own(entry)) if who.me else members.filter(pk__in=wanted)
    rows = list(members.order_by("pk"))
    user = None
    if who.me:
        user = User.objects.get(pk=me(entry)) if entry.access.on_behalf_of else entry.user
    own = next((member for member in rows if member.pk not in wanted), None)
    chosen = [member for member in rows if member.pk in wanted]
    found = {one.key: one for one in attendees_of(chosen, me=user, own_member=own)}
    if not found and not who.person:
        raise NobodyAttends
    return list(found.values())


def me(entry) -> UUID:
    """Return the account whose time « me » is: of whom one acts for (SEC-15)."""
    other = entry.access.on_behalf_of
    return other.id if other else entry.user.pk


def _own(entry) -> Q:
    """The member that one is oneself, when he is there and all may see him."""
    there = Period.objects.current().filter(dossier_id=entry.dossier.pk).values("member")
    return Q(pk__in=there, professional__attachment__user=me(entry), discreet=False)


def write_participations(
    entry, appointment: Appointment, people: Iterable[Attendee], who: Who, *, accepted: bool
) -> list[Participation]:
    """Write who attends. `accepted`: agreed between them already; who asks has always accepted, and the person."""
    now, mine = timezone.now(), me(entry)
    rows = []
    for one in people:
        says_yes = accepted or (one.user is not None and one.user.pk == mine)
        rows.append(
            Participation(
                dossier_id=appointment.dossier_id, appointment=appointment, key=one.key, member=one.member,
                user=one.user, email=one.email, status=ANSWER.ACCEPTED if says_yes else ANSWER.NEEDS_ACTION,
                answered_at=now if says_yes else None,
            )
        )  # fmt: skip
    if who.person:
        rows.append(_yes(appointment, now, key=appointment.dossier_id))
    if who.room:
        rows.append(_yes(appointment, now, key=who.room.pk, room=who.room))
    return Participation.objects.bulk_create(rows)


def _yes(appointment: Appointment, now, **said) -> Participation:
    return Participation(
        dossier_id=appointment.dossier_id, appointment=appointment, status=ANSWER.ACCEPTED, answered_at=now, **said
    )


def reminder_due(starts_at: dt.datetime) -> dt.datetime | None:
    """Return `reminded_at` for a time that is just told: none yet, or now when the day before has already come."""
    now = timezone.now()
    return now if starts_at - now <= DAY else None


def taken_by(participations: Iterable[Participation], *, only_warns: bool = False) -> list[Taken]:
    """Return whose time an event takes: not of who declined, nor of who is only told.

    `only_warns`: taken elsewhere, it refuses nothing (GAP-71).
    """
    return [
        Taken(one.key, exclusive=is_exclusive(one) and not only_warns)
        for one in participations
        if one.status != ANSWER.DECLINED and one.need != NEED.INFORMATION
    ]


def is_exclusive(participation: Participation) -> bool:
    """Return whether he must not be in two places: not the person, nor a relative (GAP-71)."""
    member = participation.member
    return not participation.is_the_person and not (member and member.kind == Member.Kind.AIDANT)


def participations_of(appointment: Appointment) -> list[Participation]:
    """Return those who attend, with what their names and their time are read from. One SQL statement."""
    return list(appointment.participations.select_related("member__professional", "room", "user").order_by("pk"))


def take(
    entry,
    appointment: Appointment,
    participations: list[Participation] | None = None,
    *,
    newly: Collection[UUID] | None = None,
) -> None:
    """Take the time of those who attend and are still there when the state of the event does, else let it go.

    `newly`: the keys of those whose time this act takes, the others keeping what they have, were it nothing (who was
    taken elsewhere when a vote fixed the meeting stands in nobody else’s way); None takes that of all. Raises
    TimeTaken, which says as much as the reader may know. Needs an open transaction.
    """
    if appointment.status not in Appointment.TAKING or appointment.starts_at is None:
        let_go(appointment.pk)
        return
    people = present(participations_of(appointment) if participations is None else participations)
    if newly is not None:
        wanted = {*newly, *Occupation.objects.filter(source=appointment.pk).values_list("key", flat=True)}
        people = [one for one in people if one.key in wanted]
    try:
        take_time(
            appointment.pk, taken_by(people, only_warns=appointment.only_warns), *appointment.span,
            kind=TIME.RECEIVED if appointment.only_warns else TIME.APPOINTMENT,
        )  # fmt: skip
    except TimeTaken:
        raise clashing.explained(entry, appointment, people) from None
