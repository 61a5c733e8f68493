"""From a Schedule that was sent to what is asked of an agenda (`actions.declared`)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.conf import settings

from agenda.actions.declared import (
    RangeSaid,
    ScheduleSaid,
    ServiceSaid,
)
from agenda.fhir import actors, availability
from agenda.fhir.availability import AVAILABILITY
from agenda.fhir.building import DURATION, horizon, identifier, service, service_said
from agenda.models import Absence, Opening, Schedule, ServiceType
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Invalid
from coordination.fhir.registry import (
    Resource,
)

# Without a duration told, and of an agenda that offers no kind of appointment in particular [proj].
MINUTES: Final = 30
SHORTEST, LONGEST = 5, 720
MOST_RANGES: Final = 200
MOST_SERVICES: Final = 50
_UNITS: Final = {"min": 1, "h": 60, "d": 1440, "wk": 10080}


def said(caller: Caller, resource: Resource, before: Schedule | None) -> ScheduleSaid:
    """Return what a Schedule asks; `before`: the agenda that it replaces. Raises as `actors.resolved`."""
    extensions = resource.get("extension", [])
    ranges = [one for one in extensions if one.get("url") == AVAILABILITY]
    if len(ranges) > MOST_RANGES:
        raise Invalid(f"Un agenda compte au plus {MOST_RANGES} plages.", expression="Schedule.extension")
    zone = availability.zone_of(ranges, before.zone if before else settings.TIME_ZONE)
    valid_from, valid_until = horizon(resource)
    rows: list[Opening | Absence] = [*before.openings.all(), *before.absences.all()] if before else []
    wanted = _ranges(extensions, zone, rows)
    if before and before.user_id:
        who = actors.Actors((), before.key, None)
    else:
        who = actors.resolved(caller, resource, before, says_more=_says_more(wanted, rows))
    return ScheduleSaid(
        key=who.key, person=who.person, actors=who.actors, zone=before.zone if before and before.user_id else zone,
        name=resource.get("comment", "")[:120], active=resource.get("active", True), valid_from=valid_from,
        valid_until=valid_until, services=_services(extensions), ranges=wanted,
    )  # fmt: skip


def _services(extensions: Sequence[Resource]) -> list[ServiceSaid]:
    if sum(one.get("url") == DURATION for one in extensions) > MOST_SERVICES:
        what = f"Un agenda compte au plus {MOST_SERVICES} types de rendez-vous."
        raise Invalid(what, expression="Schedule.extension")
    found: dict[tuple[str, str], ServiceSaid] = {}
    for number, one in enumerate(extensions):
        if one.get("url") == DURATION:
            at = f"Schedule.extension[{number}]"
            system, code = service_said(one)
            if not code or len(code) > 200 or len(system) > 300:
                raise Invalid("Un type de rendez-vous a un code ou un libellé.", expression=at)
            if (system, code) in found:
                raise Invalid("Ce type de rendez-vous est donné deux fois.", expression=at)
            sent = None if one == service(ServiceType(system=system, code=code, minutes=_minutes(one, at))) else one
            found[system, code] = ServiceSaid(system, code, _minutes(one, at), sent)
    return list(found.values())


def _minutes(extension: Resource, at: str) -> int:
    said = next((part["valueDuration"] for part in extension["extension"] if part.get("url") == "duration"), None)
    if said is None:
        return MINUTES
    unit = _UNITS.get(said.get("code") or said.get("unit", ""), 0)
    minutes = Decimal(str(said.get("value", 0))) * unit
    if minutes != int(minutes) or not SHORTEST <= minutes <= LONGEST:
        raise Invalid("La durée est de 5 minutes à 12 heures, en minutes (min) ou en heures (h).", expression=at)
    return int(minutes)


def _says_more(wanted: Sequence[RangeSaid], rows: Sequence[Opening | Absence]) -> bool:
    """Say whether a range is new, or says something else than its row. Taking one away is not saying more."""
    there = {row.pk: row for row in rows}
    for one in wanted:
        row = there.get(one.id) if one.id else None
        if row is None or isinstance(row, Opening) != one.is_open:
            return True
        if any(getattr(row, name) != value for name, value in one.columns.items()):
            return True
    return False


def _ranges(extensions: Sequence[Resource], zone: str, rows: Sequence[Opening | Absence]) -> list[RangeSaid]:
    by_identifier = {said: row for row in rows for said in availability.identifiers_of(row)}
    used: set[tuple[str, str]] = set()
    found = []
    for number, one in enumerate(extensions):
        if one.get("url") != AVAILABILITY:
            continue
        at = f"Schedule.extension[{number}]"
        named = availability.identifiers(one)
        if not used.isdisjoint(named):
            raise Invalid("Deux plages ont le même identifiant.", expression=at)
        used.update(named)
        said = availability.read(one, zone, at)
        row = next((by_identifier[said] for said in named if said in by_identifier), None)
        sent = None if row is not None and not row.sent and availability.written(row, own=True) == one else one
        found.append(
            RangeSaid(
                id=row.pk if row else None,
                number=number,
                is_open=said.is_open,
                starts=said.starts,
                ends=said.ends,
                zone=said.zone,
                rule=said.rule,
                priority=said.priority,
                sent=sent,
            )  # fmt: skip
        )
    return found


def to_keep(resource: Resource, id: UUID) -> Resource:
    """Return what is kept: all but our own identifier."""
    others = [one for one in resource.get("identifier", []) if one != identifier(id)]
    kept = {name: value for name, value in resource.items() if name != "identifier"}
    return kept | {"identifier": others} if others else kept
