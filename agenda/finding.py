"""Whose agendas are read to find a time, and what they say: free, busy or unknown, never why (AGD-20 to 22).

Of professionals, what their own agenda says. Of the person and her relatives, what the reader sees of this dossier
and nothing else: what is hidden from him is not told by a busy hour (AGD-12).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

from django.utils import timezone

from agenda import spans
from agenda.actions.attending import Who, attendees, me
from agenda.common_slots import Band, Person, State, people_from_rows, side_by_side
from agenda.keys import Attendee
from agenda.models import Appointment, Participation, Room
from agenda.naming import PERSON, YOU
from circle.models import Member
from coordination.common.statements import rows as run

# Holds are « tentative »: they let go by themselves, and their term may have come.
DECLARED = "declared"
STATEMENT = f"""
SELECT key, '{DECLARED}', 0::bigint, 0::bigint FROM agenda_schedule schedule
WHERE key = ANY(%(keys)s) AND active
    AND EXISTS (SELECT 1 FROM agenda_opening opening WHERE opening.schedule_id = schedule.id)
UNION ALL
SELECT key, 'open', ceil(extract(epoch FROM greatest(starts_at, %(start)s)) / 60)::bigint,
    floor(extract(epoch FROM least(ends_at, %(end)s)) / 60)::bigint
FROM agenda_opentime WHERE key = ANY(%(keys)s) AND starts_at < %(end)s AND ends_at > %(start)s
UNION ALL
SELECT key, CASE kind WHEN 'option' THEN 'tentative' ELSE 'busy' END,
    floor(extract(epoch FROM greatest(starts_at, %(start)s)) / 60)::bigint,
    ceil(extract(epoch FROM least(ends_at, %(end)s)) / 60)::bigint
FROM agenda_occupation
WHERE key = ANY(%(keys)s) AND starts_at < %(end)s AND ends_at > %(start)s
    AND (expires_at IS NULL OR expires_at > %(now)s)
    AND (NOT key = ANY(%(watched)s) OR kind IN ('absence', 'importe'))
"""  # noqa: S608 - our own words
Window = tuple[dt.datetime, dt.datetime]


class Invited(NamedTuple):
    """One whose agenda is read, as the reader calls him."""

    key: UUID
    name: str
    required: bool
    # The person, or a relative: known by what the reader sees of the dossier.
    watched: bool
    # Open at any hour: only what is planned in it takes it.
    is_room: bool = False


def invited(
    entry,
    members: dict[UUID, bool],
    *,
    person: bool,
    room: Room | None = None,
    names: dict[UUID, str] | None = None,
) -> list[Invited]:
    """Return who is invited, the organiser first: {member: indispensable}, the person when she attends, the room.

    `names`: of the members that the reader sees, when they have just been read. Three SQL statements whatever their
    number, four else. Raises NotInTheCircle.
    """
    if names is None:
        names = {row.id: row.name for row in Member.objects.rows(entry)}
    people = attendees(entry, Who(members, me=True, person=person), shown=names)
    found = [_invited(entry, one, members, names) for one in people]
    found.sort(key=lambda one: (one.name != YOU, not one.required, one.name))
    if person:
        found.append(Invited(entry.dossier.pk, PERSON, False, True))
    if room:
        found.append(Invited(room.pk, room.name, True, False, is_room=True))
    return found


def _invited(entry, one: Attendee, members: dict[UUID, bool], names: dict[UUID, str]) -> Invited:
    mine = one.user is not None and one.user.pk == me(entry)
    name = YOU if mine else names.get(one.member.pk, "") if one.member else ""
    required = mine or bool(one.member and members.get(one.member.pk))
    return Invited(one.key, name, required, not one.exclusive)


def agendas(entry, people: Sequence[Invited], window: Window) -> list[Person]:
    """Return what their agendas say of a window. One SQL statement, two when the person or a relative attends."""
    keys = [one.key for one in people]
    watched = [one.key for one in people if one.watched]
    asked = {"keys": keys, "watched": watched, "start": window[0], "end": window[1], "now": timezone.now()}
    rows = run(STATEMENT, asked)
    declared = {key for key, kind, *_ in rows if kind == DECLARED}
    if watched:
        rows = [*rows, *_seen_of(entry, watched, window)]
    whole = spans.minute_after(window[0]), spans.minute(window[1])
    rooms = [(one.key, "open", *whole) for one in people if one.is_room]
    known = ((one.key, one.required, one.is_room or one.key in declared) for one in people)
    return people_from_rows(known, [*rows, *rooms])


def _seen_of(entry, keys: Iterable[UUID], window: Window):
    """Yield the busy minutes of the person and her relatives, from the events that the reader sees."""
    events = Appointment.objects.visible_to(entry).between(*window).filter(status__in=Appointment.TAKING)
    found = Participation.objects.filter(appointment__in=events, key__in=list(keys))
    found = found.exclude(status=Participation.Status.DECLINED)
    for key, start, end in found.values_list("key", "appointment__starts_at", "appointment__ends_at"):
        yield key, "busy", spans.minute(start), spans.minute_after(end)


# What is said of an hour that holds several things, the worst first.
_WORST = (State.BUSY, State.CLOSED, State.TENTATIVE, State.UNKNOWN, State.FREE)


def by_hand(people: Sequence[Person], starts: Sequence[dt.datetime], length: dt.timedelta) -> list[list[State]]:
    """Return, for each start, what the agenda of each one says of the whole slot."""
    if not starts:
        return []
    bands = side_by_side(people, (min(starts), max(starts) + length))
    return [[_worst(bands[one.key], start, start + length) for one in people] for start in starts]


def _worst(bands: Iterable[Band], start: dt.datetime, end: dt.datetime) -> State:
    said = {band.state for band in bands if band.span.start < end and band.span.end > start}
    return next((state for state in _WORST if state in said), State.UNKNOWN)
