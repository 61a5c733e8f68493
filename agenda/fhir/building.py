"""A Schedule as it is read: what an agenda holds, put back as it was sent while it says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from agenda.fhir import availability
from agenda.fhir.availability import AVAILABILITY
from agenda.models import Absence, Opening, Schedule, ServiceType
from agenda.service_types import label_of
from coordination.common.prepared import among
from coordination.fhir import french
from coordination.fhir.finishing import stamped, with_sent
from coordination.fhir.keeping import Sent
from coordination.fhir.outcomes import Invalid
from coordination.fhir.registry import (
    Resource,
)
from coordination.fhir.search.values import moment

PROFILE: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-schedule"
DURATION: Final = f"{french.CORE}/StructureDefinition/fr-core-service-type-duration"
# What may say anything, of anybody: for who sent it. So are the extensions that no rule here reads.
PRIVATE: Final = frozenset({"contained", "text", "modifierExtension"})
ACTOR: Final = ("reference", "type", "identifier", "display")


class Holds:
    """What some agendas hold: four SQL statements, whatever their number."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        self.ranges: dict[UUID, list[Opening | Absence]] = {}
        for row in Opening.objects.filter(schedule__in=among(ids)).order_by("created_at", "pk"):
            self.ranges.setdefault(row.schedule_id, []).append(row)
        for absence in Absence.objects.filter(schedule__in=among(ids)).order_by("created_at", "pk"):
            self.ranges.setdefault(absence.schedule_id, []).append(absence)
        self.services: dict[UUID, list[ServiceType]] = {}
        for offered in ServiceType.objects.filter(schedule__in=among(ids)).order_by("pk"):
            self.services.setdefault(offered.schedule_id, []).append(offered)


def finished(row: Schedule, holds: Holds, kept: Sent | None, accounts: list[Resource], *, own: bool) -> Resource:
    """Return the Schedule of an agenda; `own`: for whose it is, who alone reads all that was sent."""
    content = dict(kept.content) if kept else {}
    sent_extensions = content.pop("extension", [])
    if not own:
        content, sent_extensions = _for_others(content, sent_extensions)
    extensions = _extensions(row, holds, sent_extensions, own=own)
    built: Resource = {"resourceType": "Schedule", "id": str(row.pk), "active": row.active}
    built["actor"] = accounts if row.user_id else content.get("actor", [])
    if row.valid_from or row.valid_until:
        ends = (("start", row.valid_from), ("end", row.valid_until))
        built["planningHorizon"] = {name: _instant(at) for name, at in ends if at}
    if row.name:
        built["comment"] = row.name
    if extensions != sent_extensions:
        content.pop("text", None)
    if row.user_id:
        content.pop("actor", None)
    whole = with_sent(built, content, _SAYS, {})
    if extensions:
        whole = {**whole, "extension": extensions}
    whole["identifier"] = content.get("identifier") or [identifier(row.pk)]
    return stamped(whole, content, profiles=[PROFILE], at=[row.changed_at, kept.at if kept else None])


def _for_others(content: Resource, extensions: Sequence[Resource]) -> tuple[Resource, list[Resource]]:
    """Return what was sent, and its extensions, without what may say anything of anybody."""
    told = {name: value for name, value in content.items() if name not in PRIVATE}
    if "actor" in told:
        told["actor"] = [{name: one[name] for name in ACTOR if name in one} for one in told["actor"]]
    return told, [one for one in extensions if one.get("url") in (AVAILABILITY, DURATION)]


def _extensions(row: Schedule, holds: Holds, sent: Sequence[Resource], *, own: bool) -> list[Resource]:
    """Return the availabilities and kinds of appointments, in the order in which they were sent, and what else was."""
    ranges: dict[tuple[str, str], tuple[Any, Resource]] = {}
    for range_ in holds.ranges.get(row.pk, []):
        if written := availability.written(range_, own=own):
            ranges |= dict.fromkeys(availability.identifiers_of(range_), (range_.pk, written))
    services = {(one.system, one.code): (one.pk, service(one)) for one in holds.services.get(row.pk, [])}
    told: dict[Any, Resource] = {}
    found: tuple[Any, Resource] | None
    for number, one in enumerate(sent):
        if one.get("url") == AVAILABILITY:
            found = next((ranges[said] for said in availability.identifiers(one) if said in ranges), None)
        elif one.get("url") == DURATION:
            found = services.get(service_said(one))
        else:
            found = (number, one)
        if found:
            told.setdefault(found[0], found[1])
    for id, said in (*ranges.values(), *services.values()):
        told.setdefault(id, said)
    return list(told.values())


def service(row: ServiceType) -> Resource:
    """Return a kind of appointment and how long it lasts: as it was sent, else from our own table."""
    if row.sent:
        return row.sent
    return {
        "extension": [
            {"url": "serviceType", "valueCodeableConcept": concept(row)},
            {
                "url": "duration",
                "valueDuration": {
                    "value": row.minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min",
                },
            },
        ],
        "url": DURATION,
    }  # fmt: skip


def concept(row: ServiceType) -> Resource:
    """Return a kind of appointment as a CodeableConcept: as it was sent, else from our own table."""
    if row.sent:
        return next(
            (part["valueCodeableConcept"] for part in row.sent["extension"] if part.get("url") == "serviceType"), {}
        )
    return french.concept(settings.FHIR_SYSTEM_SERVICE_TYPES, row.code, label_of(row.code))


def identifier(id: UUID) -> Resource:
    """Return the identifier by which we name an agenda."""
    return {"system": settings.FHIR_IDENTIFIER_SYSTEM_AGENDA, "value": str(id)}


def _instant(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


_SAYS = {
    "active": lambda resource: resource.get("active", True),
    "actor": lambda resource: actors_said(resource),
    "planningHorizon": lambda resource: horizon(resource),
    "comment": lambda resource: resource.get("comment", "")[:120],
}


def horizon(resource: Resource) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first moment that an agenda is valid and the first that it is no more. Raises Invalid."""
    said = resource.get("planningHorizon", {})
    first = moment(said["start"], "planningHorizon").low if "start" in said else None
    last = None
    if "end" in said:
        ends = moment(said["end"], "planningHorizon")
        # A day, a month or a year is in it to its end.
        last = ends.low if "T" in said["end"] else ends.high
    if any(at and not 1900 <= at.year < 2200 for at in (first, last)):
        raise Invalid("Un agenda va de 1900 à 2199.", expression="Schedule.planningHorizon")
    if first and last and first >= last:
        raise Invalid("La validité finit avant de commencer.", expression="Schedule.planningHorizon")
    return first, last


def actors_said(resource: Resource) -> list[str]:
    """Return the references of the actors, in order."""
    return [one.get("reference", "") for one in resource.get("actor", [])]


def service_said(extension: Resource) -> tuple[str, str]:
    """Return (system, code) of a kind of appointment, our own table as ""; its words when it has no code."""
    said = (one for one in extension["extension"] if one.get("url") == "serviceType")
    found: Resource = next(said, {})
    return concept_said(found.get("valueCodeableConcept", {}))


def concept_said(concept: Resource) -> tuple[str, str]:
    """Return (system, code) of a CodeableConcept as a kind of appointment is kept: "?" for no system."""
    for coding in concept.get("coding", []):
        if code := coding.get("code"):
            system = coding.get("system", "")
            return ("" if system == settings.FHIR_SYSTEM_SERVICE_TYPES else system or "?"), code
    return "?", str(concept.get("text", ""))
