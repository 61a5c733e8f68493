"""The slots that an Appointment names: which are free now, and whose time they book (GAP-73, 77, 78, 81)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from agenda.actions.attending import NEED
from agenda.errors import SlotGone
from agenda.fhir import appointment_reading as reading
from agenda.fhir.appointment_people import MOST, Named, named_elsewhere
from agenda.fhir.cutting import Found, SlotId, parse_slot_id, slots_named
from agenda.models import Opening, Schedule, ScheduleActor
from agenda.slots import SlotStatus
from coordination.directory.models import Professional
from coordination.fhir import french, keeping
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import ERROR, Invalid, Issue

Resource = dict[str, Any]


@dataclass(frozen=True)
class Booked:
    """What free slots of ours are asked for: when, of which agendas, whose time (`keys`), for which type."""

    start: dt.datetime
    end: dt.datetime
    actors: tuple[Named, ...]
    keys: frozenset[UUID]
    service_type: str = ""


def named(resource: Resource) -> list[str]:
    """Return the ids of the slots of this server that a resource names; those of other servers are only kept."""
    said = (str(one.get("reference", "")) for one in resource.get("slot", []))
    return [text.partition("/")[2] for text in said if text.startswith("Slot/")]


def booked(caller: Caller, resource: Resource, ids: Sequence[str]) -> Booked | None:
    """Return what the slots that these ids name give, None for none. Their agendas are locked: what opens them waits.

    Needs an open transaction. Raises SlotGone (409) for one that is not free any more, Invalid (422) for a time or a
    type that is not theirs.
    """
    if not ids:
        return None
    if len(ids) > MOST:
        raise Invalid(Issue(ERROR, "too-long", f"{MOST} créneaux au plus.", f"Appointment.slot[{MOST}]"))
    _lock(id for text in ids if (id := parse_slot_id(text)))
    there = slots_named(caller, ids)
    if any(text not in there or there[text].status != SlotStatus.FREE for text in ids):
        raise SlotGone
    found = list(there.values())
    start, end = min(one.start for one in found), max(one.end for one in found)
    _require_time(resource, start, end)
    actors, keys = _whose(found)
    return Booked(start, end, tuple(actors), frozenset(keys), _type(resource, found))


def _lock(ids: Iterable[SlotId]) -> None:
    openings = Opening.objects.filter(pk__in={id.opening for id in ids}).values("schedule")
    list(Schedule.objects.select_for_update(of=("self",), no_key=True).filter(pk__in=openings).order_by("pk"))


def _require_time(resource: Resource, start: dt.datetime, end: dt.datetime) -> None:
    for name, expected in (("start", start), ("end", end)):
        said = resource.get(name)
        if said and reading.instant(said, f"Appointment.{name}") != expected:
            what = "L’heure de ce rendez-vous n’est pas celle du créneau."
            raise Invalid(Issue(ERROR, "business-rule", what, f"Appointment.{name}"))
    minutes = resource.get("minutesDuration")
    if minutes and dt.timedelta(minutes=minutes) != end - start:
        what = "La durée de ce rendez-vous n’est pas celle du créneau."
        raise Invalid(Issue(ERROR, "business-rule", what, "Appointment.minutesDuration"))


def _whose(found: Sequence[Found]) -> tuple[list[Named], set[UUID]]:
    """Return the actors of these agendas, and whose time each takes: all of them (GAP-24). Three SQL statements."""
    schedules = {one.schedule.pk: one.schedule for one in found}
    rows = ScheduleActor.objects.filter(schedule__in=schedules).order_by("position", "pk")
    declared = list(rows.values_list("schedule_id", "type", "target", "key"))
    kept = keeping.kept("Schedule", list(schedules))
    said = [actor for one in kept.values() for actor in one.content.get("actor", [])]
    away = {one.elsewhere: one for one in map(named_elsewhere, said)}
    actors = [away.get(target) or _ours(type_name, target) for _, type_name, target, _ in declared]
    keys = {key for *_, key in declared}
    own = {row.key for pk, row in schedules.items() if pk not in {line[0] for line in declared}}
    known = set(Professional.objects.filter(pk__in=own).values_list("pk", flat=True)) if own else set()
    return [*actors, *(_ours("Practitioner", key) for key in own if key in known)], keys | own


def _ours(type_name: str, id: UUID) -> Named:
    return Named(0, type_name, id, f"{type_name}/{id}", "", "", NEED.REQUIRED)


def _type(resource: Resource, found: Sequence[Found]) -> str:
    """Return our code of the type of the slots. Raises Invalid when the appointment says another one (GAP-78)."""
    offered = {(one.service.system, one.service.code) for one in found if one.service}
    said = set(french.codes(resource.get("serviceType", [])))
    ours = {code for system, code in offered if not system}
    from_here = {(system, code) for system, code in said if (system, code) in offered or code in ours}
    if offered and said and not from_here:
        what = "Ce créneau n’est pas pour ce type de rendez-vous."
        raise Invalid(Issue(ERROR, "business-rule", what, "Appointment.serviceType"))
    return next(iter(sorted(ours)), "")


def with_actors(participants: Sequence[Named], booked: Booked, status: str) -> list[Named]:
    """Return the participants, with those of the agendas that nobody named: the slot is theirs."""
    there = {one.id or one.elsewhere for one in participants}
    more = [one for one in booked.actors if (one.id or one.elsewhere) not in there]
    return [*participants, *(replace(one, rank=len(participants), status=status) for one in more)]
