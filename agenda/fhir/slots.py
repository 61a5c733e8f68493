"""Slot: never a row, cut at each search from what agendas open, less what is taken (GAP-43 to GAP-60).

The id of a slot says which opening, which kind of appointment and which hour on the clock of the place it is: the same
as long as the rule says the same, and a slot that is no more answers 404.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from agenda.fhir import seeking
from agenda.fhir.building import concept
from agenda.fhir.cutting import Cutting, Found, SlotId, parse_slot_id, slots_named
from agenda.models import Occupation, OpenTime, Schedule, ScheduleActor
from agenda.relays.senders import heard_from
from agenda.slots import SlotStatus
from coordination.common.prepared import among
from coordination.fhir import french, keeping, registry
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import stamped
from coordination.fhir.registry import Computed, DateParam, ReferenceParam, Resource, TokenParam
from coordination.fhir.search import conditions, values
from coordination.fhir.search.asking import Asked
from coordination.fhir.search.values import Moment

PROFILE: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-slot"
STATUSES: Final = "http://hl7.org/fhir/slotstatus"
_R4: Final = "http://hl7.org/fhir/SearchParameter"
_GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/SearchParameter"
# How many occurrences of openings are read for one answer: first so many, then more, until the page is full.
ROUNDS: Final = (60, 400, 2000)
# How many slots are looked at for one answer: then it goes on at the next one, full or not.
MOST_CUT: Final = 30_000


_EVERY: Final = frozenset(SlotStatus)


@dataclass
class _Wanted:
    """What one search asks of slots, sorted out. `services`: a condition on ServiceType."""

    statuses: frozenset[SlotStatus] = _EVERY
    moments: list[tuple[Moment, ...]] = field(default_factory=list)
    ids: frozenset[SlotId] | None = None
    services: Q | None = None
    low: dt.datetime = dt.datetime.min
    high: dt.datetime = dt.datetime.max

    def takes(self, one: Found, now: dt.datetime) -> bool:
        if one.status not in self.statuses or (self.ids is not None and one.id not in self.ids):
            return False
        # What is over is not free any more.
        if one.status == SlotStatus.FREE and one.start < now:
            return False
        return all(any(_compares(moment, one.start) for moment in either) for either in self.moments)


class Slots(Computed):
    key = "agenda.slot"
    type = "Slot"
    profile = PROFILE
    documentation = (
        "Créneaux calculés : ouvertures de l’agenda, découpées selon la durée de chaque type de rendez-vous, moins ce "
        "qui est pris. Un créneau pris ne dit ni pourquoi ni par qui. Les réponses vont d’une ouverture à la suivante."
    )
    params = {
        "identifier": TokenParam(f"{_R4}/Slot-identifier", build=lambda system, code: Q()),
        "status": TokenParam(f"{_R4}/Slot-status", build=lambda system, code: Q()),
        "start": DateParam(f"{_GAP}/GAP-Slot-earliestStart", low="start", high="start", documentation=(
            "Deux fois, pour un intervalle : start=ge…&start=le… (GAP-Slot-earliestStart, GAP-Slot-latestStart).")),
        "service-type": TokenParam(f"{_R4}/Slot-service-type", build=lambda system, code: Q()),
        "specialty": TokenParam(f"{_R4}/Slot-specialty", build=lambda system, code: Q()),
        "schedule": ReferenceParam(
            f"{_R4}/Slot-schedule", path="schedule",
            targets={"Schedule": {"agenda.schedule": lambda ids: Q(pk__in=ids)}},
        ),
    }  # fmt: skip

    def id_of(self, text: str) -> Any:
        return text if parse_slot_id(text) else None

    def load(self, caller: Caller, ids: Sequence[Any], *, included: bool = False) -> dict[Any, Resource]:
        found = slots_named(caller, ids)
        made = _resources(found.values())
        return {id: made[str(one.id)] for id, one in found.items()}

    def find(
        self, caller: Caller, criteria: Sequence[Asked], *, after: Any, count: int
    ) -> tuple[list[Resource], Any | None]:
        """Walk through openings in the order in which they begin, and give the slots of each, in order."""
        wanted = _wanted(criteria)
        if wanted is None or wanted.low >= wanted.high:
            return [], None
        schedules = _schedules(caller, criteria)
        taken: list[Found] = []
        place, work = after, 0
        for size in ROUNDS:
            page, more = _cut_page(caller, schedules, wanted, place, size, count - len(taken), MOST_CUT - work)
            taken += page.slots
            place, work = page.place, work + page.work
            if not more or len(taken) >= count or work >= MOST_CUT:
                break
        made = _resources(taken)
        return [made[str(one.id)] for one in taken], place if more else None


class _Page(NamedTuple):
    slots: list[Found]
    # [start of the opening, its row, the last slot given of it].
    place: list[str]
    work: int = 0


def _cut_page(
    caller: Caller, schedules: QuerySet[Schedule], wanted: _Wanted, after: Any, size: int, count: int, most: int
) -> tuple[_Page, bool]:
    """Return the slots of the next openings, `count` at most, and whether there is more.

    Openings are cut one by one, until `count` slots are found or `most` have been looked at.
    """
    rows = list(_times(caller, schedules, wanted, after).select_related("opening__schedule")[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if not rows:
        return _Page([], after), False
    cutting = Cutting(caller, rows, wanted.services)
    now = timezone.now()
    given = after[2] if after else ""
    taken: list[Found] = []
    place = after
    for number, row in enumerate(rows, 1):
        inside = sorted((one for one in cutting.of(row) if wanted.takes(one, now)), key=_named)
        at = [row.starts_at.isoformat(), str(row.pk)]
        if after and at[1] == after[1]:
            inside = [one for one in inside if _named(one) > given]
        for one in inside:
            if len(taken) == count:
                return _Page(taken, place, cutting.work), True
            taken.append(one)
            place = [*at, _named(one)]
        # All of this opening is given.
        place = [*at, "~"]
        if cutting.work >= most:
            return _Page(taken, place, cutting.work), more or number < len(rows)
    return _Page(taken, place, cutting.work), more


def _named(one: Found) -> str:
    return f"{one.start:%Y%m%d%H%M} {one.id}"


def _times(caller: Caller, schedules: QuerySet[Schedule], wanted: _Wanted, after: Any) -> QuerySet[OpenTime]:
    found = OpenTime.objects.filter(
        opening__schedule__in=schedules.values("pk"), ends_at__gt=wanted.low, starts_at__lt=wanted.high
    )
    if wanted.ids is not None:
        found = found.filter(opening__in=among({id.opening for id in wanted.ids}))
    if wanted.statuses == {SlotStatus.BUSY}:
        # Only where something is taken: most openings are not.
        found = found.filter(Exists(_touching(caller)))
    if after:
        starts_at, pk, given = dt.datetime.fromisoformat(after[0]), UUID(after[1]), after[2]
        later = Q(starts_at=starts_at, pk__gt=pk) | Q(starts_at__gt=starts_at)
        found = found.filter(later if given == "~" else later | Q(pk=pk))
    return found.order_by("starts_at", "pk")


def _touching(caller: Caller) -> QuerySet[Occupation]:
    whose = Q(key=OuterRef("opening__schedule__key")) | Q(
        key__in=ScheduleActor.objects.filter(schedule=OuterRef(OuterRef("opening__schedule"))).values("key")
    )
    when = Q(starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at"))
    found = Occupation.objects.filter(whose, when).exclude(kind=Occupation.Kind.ABSENCE)
    theirs = heard_from(caller)
    return found if theirs is None else found.exclude(theirs)


# ---- What is asked -----------------------------------------------------------------------------------------------


def _schedules(caller: Caller, criteria: Sequence[Asked]) -> QuerySet[Schedule]:
    """Return the agendas whose slots are looked for: all that this caller may find, narrowed by every chain."""
    provider = registry.by_key("agenda.schedule")
    rows = provider.rows(caller).filter(active=True)
    for one in criteria:
        if one.chain:
            asked = Asked(one.chain[1:], one.name, one.modifier, one.value)
            rows = rows.filter(conditions.condition(provider, caller, asked))
        elif one.modifier == "missing":
            # `_wanted` has answered.
            continue
        elif (one.name, one.modifier) == ("schedule", "identifier"):
            rows = rows.filter(conditions.condition(provider, caller, Asked((), "identifier", "", one.value)))
        elif one.name == "schedule":
            ids = [values.uuid_of(text.rstrip("/").rpartition("/")[2]) for text in values.alternatives(one.value)]
            rows = rows.filter(pk__in=[id for id in ids if id])
        elif one.name == "specialty":
            rows = rows.filter(conditions.condition(provider, caller, one))
    return rows


def _wanted(criteria: Sequence[Asked]) -> _Wanted | None:
    """Return what is asked of slots, None when nothing can answer. Raises Unreadable."""
    wanted = _Wanted()
    for one in criteria:
        if not one.chain and one.modifier == "missing":
            # A slot always has what it is searched by.
            if one.value == "true":
                return None
        elif not one.chain and one.name not in _OF_AGENDAS:
            _READERS[one.name](wanted, one, values.alternatives(one.value))
    if not wanted.statuses or wanted.ids == frozenset():
        return None
    wanted.low, wanted.high = _window(wanted.moments)
    return wanted


def _read_status(wanted: _Wanted, asked: Asked, said: Sequence[str]) -> None:
    known = frozenset(SlotStatus(code) for text in said if (code := _code_of(STATUSES, text)) in frozenset(SlotStatus))
    wanted.statuses &= _EVERY - known if asked.modifier == "not" else known


def _read_start(wanted: _Wanted, asked: Asked, said: Sequence[str]) -> None:
    wanted.moments.append(tuple(values.moment(text, "start") for text in said))


def _read_ids(wanted: _Wanted, asked: Asked, said: Sequence[str]) -> None:
    own = settings.FHIR_IDENTIFIER_SYSTEM_SLOT
    codes = (_code_of(own, text) for text in said) if asked.name == "identifier" else said
    known = frozenset(id for code in codes if (id := parse_slot_id(code)))
    wanted.ids = known if wanted.ids is None else wanted.ids & known


def _read_service(wanted: _Wanted, asked: Asked, said: Sequence[str]) -> None:
    found = Q(pk__in=[])
    for token in map(values.token, said):
        found |= seeking.services_named(token.system, token.code)
    found = ~found if asked.modifier == "not" else found
    wanted.services = found if wanted.services is None else wanted.services & found


_OF_AGENDAS: Final = frozenset({"schedule", "specialty"})
_READERS: Final = {
    "status": _read_status, "start": _read_start, "identifier": _read_ids, "_id": _read_ids,
    "service-type": _read_service,
}  # fmt: skip


def _code_of(system: str, text: str) -> str:
    said = values.token(text)
    return said.code if said.system in (None, system) else ""


_FIRST, _LAST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def _window(moments: Sequence[Sequence[Moment]]) -> tuple[dt.datetime, dt.datetime]:
    """Return instants between which a slot that answers begins, as narrow as can be said."""
    low, high = _FIRST, _LAST
    for either in moments:
        bounds = [_bounds(moment) for moment in either]
        low = max(low, min(bound[0] for bound in bounds))
        high = min(high, max(bound[1] for bound in bounds))
    return low, high


def _bounds(moment: Moment) -> tuple[dt.datetime, dt.datetime]:
    match moment.comparator:
        case "eq":
            return moment.low, moment.high
        case "gt" | "sa":
            return moment.high, _LAST
        case "ge":
            return moment.low, _LAST
        case "lt" | "eb":
            return _FIRST, moment.low
        case "le":
            return _FIRST, moment.high
        case "ap":
            return _about(moment)
    return _FIRST, _LAST


def _about(moment: Moment) -> tuple[dt.datetime, dt.datetime]:
    away = max(abs(timezone.now() - moment.low) / 10, dt.timedelta(days=1))
    return max(moment.low, _FIRST + away) - away, min(moment.high, _LAST - away) + away


def _compares(moment: Moment, start: dt.datetime) -> bool:
    if moment.comparator == "ne":
        return not moment.low <= start < moment.high
    low, high = _bounds(moment)
    return low <= start < high


# ---- What is told ------------------------------------------------------------------------------------------------


def _resources(found: Iterable[Found]) -> dict[str, Resource]:
    """Return {id: Slot}. One SQL statement."""
    found = list(found)
    kept = keeping.kept("Schedule", {one.schedule.pk for one in found})
    said = {id: _of_schedule_content(line.content) for id, line in kept.items()}
    return {str(one.id): _resource(one, said.get(one.schedule.pk, {})) for one in found}


def _of_schedule_content(content: Mapping[str, Any]) -> Resource:
    return {name: content[name] for name in ("serviceCategory", "specialty") if name in content}


def _resource(one: Found, said: Resource) -> Resource:
    id = str(one.id)
    resource: Resource = {
        "resourceType": "Slot",
        "id": id,
        "identifier": [{"system": settings.FHIR_IDENTIFIER_SYSTEM_SLOT, "value": id}],
        **said,
    }
    if one.service:
        resource["serviceType"] = [concept(one.service)]
    zone = ZoneInfo(one.schedule.zone)
    resource |= {
        "schedule": french.reference("Schedule", one.schedule.pk),
        "status": str(one.status),
        "start": one.start.astimezone(zone).isoformat(),
        "end": one.end.astimezone(zone).isoformat(),
    }
    return stamped(resource, None, profiles=[PROFILE], at=[one.schedule.changed_at])
