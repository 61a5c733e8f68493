"""Location: the rooms that structures declare on screen; their software reads them, their page alone changes them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from agenda.models import Room
from coordination.common.prepared import among
from coordination.directory.fhir.places import of_structure
from coordination.directory.fhir.received import LOCATION, own_identifier
from coordination.directory.models import Attachment
from coordination.fhir import french
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import stamped
from coordination.fhir.registry import NEVER, READ, SEARCH, Param, Provider, Resource, StringParam, TokenParam
from coordination.fhir.search.values import uuid_of
from habilitations.clients import of_one_house

_R4 = "http://hl7.org/fhir/SearchParameter"


def houses_of(caller: Caller) -> set[UUID]:
    """Return the structures whose places are this caller's: the software's, or those of the account of a person.

    Read once per call. Two SQL statements, three for a person.
    """
    known: set[UUID] | None = caller.memo.get("houses")
    if known is None:
        own = caller.structure_id
        if own is None:
            own = Attachment.objects.of(caller.user).values_list("structure_id", flat=True).first()
        known = caller.memo["houses"] = set(of_one_house(own)) if own else set()
    return known


def _words(column: str) -> Callable[[str, str], Q]:
    def build(text: str, how: str) -> Q:
        lookup = {"exact": "exact", "contains": "icontains"}.get(how, "istartswith")
        return Q(**{f"{column}__{lookup}": text})

    return build


def _identified(system: str | None, code: str) -> Q:
    ours = own_identifier(UUID(int=0))["system"]
    id = uuid_of(code) if system in (None, ours) else None
    return Q(pk=id) if id else Q(pk__in=[])


class Rooms(Provider):
    key = "agenda.room"
    type = "Location"
    profile = LOCATION
    interactions = frozenset({READ, SEARCH})
    counted = False
    params: Mapping[str, Param] = {
        "identifier": TokenParam(f"{_R4}/Location-identifier", build=_identified, missing=NEVER),
        "name": StringParam(f"{_R4}/Location-name", build=_words("name"), missing=NEVER),
        "address": StringParam(f"{_R4}/Location-address", build=_words("address"), missing=Q(address="")),
        "organization": of_structure(f"{_R4}/Location-organization", "managingOrganization"),
    }

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return Room.objects.filter(structure__in=among(houses_of(caller)))

    def has(self, caller: Caller, id: UUID) -> bool:
        return Room.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        return {row.pk: _location(row) for row in self.rows(caller).filter(pk__in=among(ids))}


def _location(row: Room) -> Resource:
    said: Resource = {"resourceType": "Location", "id": str(row.pk), "identifier": [own_identifier(row.pk)]}
    said |= {"status": "inactive" if row.retired_at else "active", "name": row.name}
    if row.address:
        said["address"] = {"text": row.address}
    said["managingOrganization"] = french.reference("Organization", row.structure_id)
    # No column says when: its id does (RFC 9562, UUIDv7).
    made = dt.datetime.fromtimestamp((row.pk.int >> 80) / 1000, dt.UTC)
    return stamped(said, None, profiles=[LOCATION], at=[made, row.retired_at])
