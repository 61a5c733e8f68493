"""What takes the time of some agendas, as a caller may know it: that it is taken, never why nor by whom (GAP-60)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

from django.utils import timezone

from agenda.fhir.entries import entered
from agenda.fhir.seeking import keys_of
from agenda.models import Appointment, Occupation, Participation, Reader, Schedule, ScheduleActor
from agenda.relays.senders import heard_from
from coordination.common.prepared import among
from coordination.fhir.callers import Caller

KIND = Occupation.Kind
# Told as no slot at all: somebody’s own calendar is no appointment that one might hear of.
_CLOSED = frozenset({KIND.ABSENCE, KIND.IMPORTED})
Span = tuple[dt.datetime, dt.datetime]


class Busy:
    """Read once for some agendas and a window: two SQL statements, four more when they are of persons.

    One more once there are partners: none is told the time that it told us.
    """

    def __init__(self, caller: Caller, schedules: Iterable[Schedule], start: dt.datetime, end: dt.datetime) -> None:
        rows = list(schedules)
        others = keys_of(row.pk for row in rows)
        self.keys = {row.pk: {row.key, *others.get(row.pk, ())} for row in rows}
        # What a person, or somebody around her, does is told by the events that the caller sees (AGD-12).
        self.people = {row.person for row in rows if row.person}
        self.relatives = self._relatives(rows)
        self.around: dict[UUID, frozenset[UUID]] = {}
        self.booked: dict[UUID, list[Span]] = {}
        self.closed: dict[UUID, list[Span]] = {}
        self.seen: dict[UUID, list[Span]] = {}
        every = {key for keys in self.keys.values() for key in keys}
        found = Occupation.objects.filter(key__in=among(every), starts_at__lt=end, ends_at__gt=start)
        found = found.exclude(kind=KIND.HOLD, expires_at__lte=timezone.now())
        if (theirs := heard_from(caller)) is not None:
            found = found.exclude(theirs)
        for key, kind, *span in found.values_list("key", "kind", "starts_at", "ends_at"):
            where = self.closed if kind in _CLOSED else self.booked
            where.setdefault(key, []).append((span[0], span[1]))
        if self.people:
            self._see(caller, start, end)

    def may_tell(self, schedule: Schedule) -> bool:
        """Say whether the caller entered the dossier of the person whose agenda it is, if it is one's."""
        return schedule.person is None or schedule.person in self.around

    def of(self, schedule: Schedule) -> tuple[list[Span], list[Span]]:
        """Return (what is booked, what is closed) of an agenda."""
        keys = self.keys[schedule.pk]
        booked = self.booked if schedule.person is None else self.seen | self._of_others(schedule)
        return (
            [span for key in keys for span in booked.get(key, ())],
            [span for key in keys for span in self.closed.get(key, ())],
        )

    def _of_others(self, schedule: Schedule) -> dict[UUID, list[Span]]:
        """What takes the time of those of an agenda of a person who are not around her: professionals, rooms."""
        around = self.around.get(schedule.person, frozenset()) if schedule.person else frozenset()
        return {key: spans for key, spans in self.booked.items() if key not in around}

    def _see(self, caller: Caller, start: dt.datetime, end: dt.datetime) -> None:
        entries = entered(caller, self.people)
        self.around = {id: frozenset({id, *self.relatives}) for id in entries}
        if not entries:
            return
        events = Appointment.objects.seen_in([Reader.of(entry) for entry in entries.values()]).between(start, end)
        people = Participation.objects.filter(appointment__in=events.filter(status__in=Appointment.TAKING))
        people = people.exclude(status=Participation.Status.DECLINED)
        for key, *span in people.values_list("key", "appointment__starts_at", "appointment__ends_at"):
            if span[0] and span[1]:
                self.seen.setdefault(key, []).append((span[0], span[1]))

    def _relatives(self, rows: Iterable[Schedule]) -> frozenset[UUID]:
        """Return the keys of the relatives whose agendas these are: what takes their time is around somebody too.

        Around whomever it is: a relative may help another person of whom this caller knows nothing.
        """
        of = [row.pk for row in rows if row.person]
        if not of:
            return frozenset()
        found = ScheduleActor.objects.filter(schedule__in=among(of), type="RelatedPerson")
        return frozenset(found.values_list("key", flat=True))
