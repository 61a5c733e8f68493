"""Organization: the structures of the directory (CDS-12, 14, 15, 28, 59)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from coordination.directory.actions import partners
from coordination.directory.fhir import building, finding, reading
from coordination.directory.fhir.base import DirectoryProvider
from coordination.directory.models import Source, Structure
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Invalid
from coordination.fhir.registry import NEVER, ReferenceParam, Resource, StringParam, TokenParam

_R4 = "http://hl7.org/fhir/SearchParameter"


class Organizations(DirectoryProvider):
    key = "directory.structure"
    type = "Organization"
    profile = building.ORGANIZATION[0]
    profiles = building.ORGANIZATION
    model = Structure
    numbered = staticmethod(finding.structures_numbered)
    documentation = (
        "Structures de l’annuaire national, du complément régional et de la coordination. Ce qu’un logiciel écrit "
        "d’une structure qu’il n’a pas créée n’est rendu qu’à lui."
    )
    params = {
        "identifier": TokenParam(f"{_R4}/Organization-identifier", build=finding.structures_numbered),
        "name": StringParam(f"{_R4}/Organization-name", build=finding.structures_named, missing=NEVER),
        "address": StringParam(f"{_R4}/Organization-address", build=finding.at_address, missing=finding.NOWHERE),
        "active": TokenParam(
            f"{_R4}/Organization-active", build=finding.active("ceased_at", "merged_into"), missing=NEVER
        ),
        "partof": ReferenceParam(
            f"{_R4}/Organization-partof",
            targets={"Organization": {"directory.structure": finding.under}},
            path="partOf",
        ),
    }

    def build(self, rows: Sequence[Structure]) -> dict[UUID, Resource]:
        above = legal_entities(rows)
        return {row.pk: building.organization(row, part_of=above.get(row.pk)) for row in rows}

    def moments(self, row: Structure) -> list[dt.datetime | dt.date | None]:
        return [row.created_at, row.seen_on, row.ceased_at]

    def is_own(self, caller: Caller, row: Structure) -> bool:
        return row.source == Source.PARTNER and super().is_own(caller, row)

    def known(self, caller: Caller, resource: Resource) -> Structure | None:
        """By FINESS number, by SIRET when one structure alone has it, by rang."""
        said = reading.numbers(resource, checked=False)
        rows = Structure.objects.select_for_update(of=("self",), no_key=True)
        if said.finess and (row := rows.filter(finess=said.finess).first()):
            return row
        if said.siret and len(found := rows.filter(siret=said.siret, merged_into=None)[:2]) == 1:
            return found[0]
        if said.technical_id:
            return rows.filter(source_key=said.technical_id).first()
        return None

    def receive(self, caller: Caller, resource: Resource, key: UUID) -> Structure:
        return partners.receive_structure(by=caller.user, partner=caller.owner, key=key, **_values(resource))

    def are_new(self, caller: Caller, resources: Sequence[Resource]) -> bool:
        said = (reading.numbers(resource, checked=False) for resource in resources)
        return not any(one.finess or one.siret or one.technical_id for one in said)

    def receive_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[Structure]:
        said = [(key, _values(resource)) for resource, key in sent]
        return partners.receive_structures(said, by=caller.user, partner=caller.owner)

    def change(self, caller: Caller, row: Structure, resource: Resource) -> Structure:
        values = _values(resource)
        if values["part_of_id"] == row.pk:
            raise Invalid("Une structure ne fait pas partie d’elle-même.", expression="Organization.partOf")
        return partners.change_received_structure(row, by=caller.user, **values)


def legal_entities(rows: Sequence[Structure]) -> dict[UUID, UUID]:
    """Return {structure: the structure above it}. One SQL statement, none when no row names one."""
    numbers = {row.finess_ej for row in rows if row.finess_ej and not row.part_of_id}
    found: dict[str, UUID] = {}
    if numbers:
        entities = Structure.objects.filter(finess__in=numbers, kind=Structure.Kind.EJ)
        found = dict(entities.values_list("finess", "pk"))
    above = {row.pk: row.part_of_id or found.get(row.finess_ej) for row in rows}
    return {id: one for id, one in above.items() if one and one != id}


def _values(resource: Resource) -> dict[str, Any]:
    values = reading.structure(resource)
    above = values["part_of_id"]
    if resource.get("partOf", {}).get("reference") and (
        above is None or not Structure.objects.filter(pk=above).exists()
    ):
        raise Invalid("Cette structure n’existe pas sur ce serveur.", expression="Organization.partOf.reference")
    return values
