"""Slots cut from what agendas open, less what is taken; and their ids, which say how (agenda.md §7.2, GAP-48)."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from agenda import slots, spans
from agenda.fhir.asking import MINUTES
from agenda.fhir.busy import Busy
from agenda.models import Opening, OpenTime, Schedule, ServiceType
from agenda.recurrence import Occurrence, instant
from agenda.slots import Service, SlotStatus
from agenda.spans import Minutes
from agenda.zones import wall
from coordination.common.prepared import among
from coordination.fhir import registry
from coordination.fhir.callers import Caller

_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_EPOCH: Final = dt.datetime(1970, 1, 1)
_MINUTE, _DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)
# A slot is looked for around its hour: clocks change by less.
_AROUND: Final = dt.timedelta(hours=3)

# ---- Ids ---------------------------------------------------------------------------------------------------------


class SlotId(NamedTuple):
    """What the id of a slot says. `service` None: of an agenda that offers nothing in particular.

    `original`: the hour that the rule gives, on the clock of the place.
    """

    opening: UUID
    service: UUID | None
    original: dt.datetime

    def __str__(self) -> str:
        parts = (self.opening.int, self.service.int if self.service else 0, (self.original - _EPOCH) // _MINUTE)
        return "-".join(map(_based, parts))


def parse_slot_id(text: str) -> SlotId | None:
    """Return what the id of a slot says, None for what cannot be one; 64 characters at most. No SQL."""
    parts = text.split("-")
    if len(parts) != 3 or not all(parts) or len(text) > 64 or set(text) - set(_DIGITS) - {"-"}:
        return None
    opening, service, minutes = (int(part, 36) for part in parts)
    if opening >= 1 << 128 or service >= 1 << 128 or minutes > 200_000_000:
        return None
    found = SlotId(UUID(int=opening), UUID(int=service) if service else None, _EPOCH + minutes * _MINUTE)
    return found if str(found) == text else None


def _based(number: int) -> str:
    text = ""
    while number:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text or "0"


# ---- Cutting -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """One slot of an agenda; `service` None when the agenda offers nothing in particular."""

    id: SlotId
    schedule: Schedule
    service: ServiceType | None
    start: dt.datetime
    end: dt.datetime
    status: SlotStatus


class Cutting:
    """Some occurrences of openings, to be cut one after the other: what is not asked for costs nothing.

    What a person does is told as the caller may know it (AGD-12). `work`: how many slots were looked at so far.
    Four SQL statements, one more with `services` (which kinds of appointments), two more for persons.
    """

    def __init__(self, caller: Caller, times: Sequence[OpenTime], services: Q | None = None) -> None:
        self.work = 0
        self.schedules = {time.opening.schedule_id: time.opening.schedule for time in times}
        every = ServiceType.objects.filter(schedule__in=among(self.schedules)).order_by("pk")
        self.offered: dict[UUID, list[ServiceType]] = {}
        for service in every:
            self.offered.setdefault(service.schedule_id, []).append(service)
        self.wanted = None if services is None else set(every.filter(services).values_list("pk", flat=True))
        first, last = min(time.starts_at for time in times), max(time.ends_at for time in times)
        self.busy = Busy(caller, self.schedules.values(), first, last)
        self.taken: dict[UUID, tuple[list[Minutes], list[Minutes]]] = {}
        self.together = _together(times)

    def of(self, time: OpenTime) -> list[Found]:
        """Return the slots of one occurrence for this caller, those taken too, in no order."""
        schedule = self.schedules[time.opening.schedule_id]
        if not self.busy.may_tell(schedule):
            return []
        if schedule.pk not in self.taken:
            booked, closed = (spans.merge(spans.outward(some)) for some in self.busy.of(schedule))
            self.taken[schedule.pk] = booked, closed
        booked, closed = self.taken[schedule.pk]
        beside, window = self._beside(time)
        occurrence = wall(time.recurrence_id)
        found = []
        for kind in self._kinds(schedule):
            minutes = kind.minutes if kind else MINUTES
            openings = _openings(beside, kind)
            self.work += sum((one.ends_at - one.starts_at) // (minutes * _MINUTE) for one in beside)
            if str(time.opening_id) not in {one.identifier for one in openings}:
                continue
            made = slots.slots_of(
                openings, services=[Service("", minutes)], booked=booked, unavailable=closed, window=window
            )
            for one in made:
                if one.opening == str(time.opening_id) and one.occurrence == occurrence:
                    id = SlotId(time.opening_id, kind.pk if kind else None, one.original)
                    found.append(Found(id, schedule, kind, one.start, one.end, one.status))
        return found

    def _kinds(self, schedule: Schedule) -> Sequence[ServiceType | None]:
        services = self.offered.get(schedule.pk, [])
        if not services:
            return [None] if self.wanted is None else []
        return [one for one in services if self.wanted is None or one.pk in self.wanted]

    def _beside(self, time: OpenTime) -> tuple[list[OpenTime], tuple[dt.datetime, dt.datetime]]:
        """Return what must be cut with an occurrence, and when: what it overlaps, and so on, within a day of it."""
        group = self.together[time.pk]
        if len(group) == 1:
            return group, (time.starts_at, time.ends_at)
        window = time.starts_at - _DAY, time.ends_at + _DAY
        return [one for one in group if one.starts_at < window[1] and one.ends_at > window[0]], window


def _together(times: Sequence[OpenTime]) -> dict[UUID, list[OpenTime]]:
    """Return, for each of these, the occurrences of its agenda that overlap it, and those that overlap them.

    Among those within a day of any of these: of two that overlap, the priority decides. One SQL statement.
    """
    asked = OpenTime.objects.filter(
        pk__in=among([time.pk for time in times]), opening__schedule=OuterRef("opening__schedule"),
        starts_at__lt=OuterRef("ends_at") + _DAY, ends_at__gt=OuterRef("starts_at") - _DAY,
    )  # fmt: skip
    near = OpenTime.objects.filter(
        Exists(asked), opening__schedule__in=among({time.opening.schedule_id for time in times}),
        starts_at__lt=max(time.ends_at for time in times) + _DAY,
        ends_at__gt=min(time.starts_at for time in times) - _DAY,
    )  # fmt: skip
    found: dict[UUID, list[OpenTime]] = {}
    last: dict[UUID, tuple[dt.datetime, list[OpenTime]]] = {}
    for time in near.select_related("opening").order_by("starts_at", "pk"):
        end, group = last.get(time.opening.schedule_id, (time.starts_at, []))
        if time.starts_at >= end:
            group = []
        group.append(time)
        found[time.pk] = group
        last[time.opening.schedule_id] = max(end, time.ends_at), group
    # Taken away meanwhile: cut alone, as it was read.
    return {time.pk: found.get(time.pk, [time]) for time in times}


def _openings(times: Sequence[OpenTime], kind: ServiceType | None) -> list[slots.Opening]:
    """Return the openings that offer a kind of appointment, with when they fall."""
    by_opening: dict[UUID, tuple[Opening, list[Occurrence]]] = {}
    for time in times:
        opening = time.opening
        if kind is None or not opening.service_codes or (not kind.system and kind.code in opening.service_codes):
            occurrence = Occurrence(time.starts_at, time.ends_at, wall(time.recurrence_id))
            by_opening.setdefault(opening.pk, (opening, []))[1].append(occurrence)
    return [slots.Opening(str(pk), falls, opening.priority) for pk, (opening, falls) in by_opening.items()]


def slots_named(caller: Caller, ids: Iterable[str]) -> dict[str, Found]:
    """Return {id: slot} of those that are there now, for whoever may find their agendas; SQL grows with no number.

    Busy ones are returned too: their status says so.
    """
    named = {text: id for text in ids if (id := parse_slot_id(text))}
    if not named:
        return {}
    originals = [id.original.replace(tzinfo=dt.UTC) for id in named.values()]
    rows = OpenTime.objects.filter(
        opening__in=among({id.opening for id in named.values()}),
        opening__schedule__in=registry.by_key("agenda.schedule").rows(caller),
        starts_at__lt=max(originals) + _DAY, ends_at__gt=min(originals) - _DAY,
    )  # fmt: skip
    moments: dict[UUID, list[dt.datetime]] = {}
    for id in named.values():
        moments.setdefault(id.opening, []).append(id.original)
    times = [
        time
        for time in rows.select_related("opening__schedule").order_by("starts_at", "pk")
        if any(_holds(time, original) for original in moments[time.opening_id])
    ]
    if not times:
        return {}
    cutting = Cutting(caller, times)
    found = {one.id: one for time in times for one in cutting.of(time)}
    return {text: found[id] for text, id in named.items() if id in found}


def _holds(time: OpenTime, original: dt.datetime) -> bool:
    moment = instant(original, ZoneInfo(time.opening.zone))
    return time.starts_at - _AROUND < moment < time.ends_at + _AROUND
