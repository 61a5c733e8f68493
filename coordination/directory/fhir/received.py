"""Location, HealthcareService and Device that software sends, and where structures are (agenda.md §3.1).

What was sent is given back as it is, to everybody: nothing of it is about a person, but of a Device the person it is
for, which only its sender reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db.models import (
    Q,
    QuerySet,
)

from coordination.common.prepared import among
from coordination.common.text import fold, seen, squeeze
from coordination.directory.actions import received as actions
from coordination.directory.fhir import building, finding
from coordination.directory.fhir.base import RECEIVED, require_known_to_all
from coordination.directory.fhir.places import NOBODY, coded, identified, naming_places, near, of_structure, words
from coordination.directory.models import Equipment, InternalService, Place, Structure
from coordination.fhir import french, keeping
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content, stamped
from coordination.fhir.keeping import Sent
from coordination.fhir.outcomes import Forbidden, Invalid, Unknown, VersionConflict
from coordination.fhir.registry import (
    CREATE,
    DELETE,
    NEVER,
    READ,
    SEARCH,
    UPDATE,
    Param,
    Provider,
    ReferenceParam,
    Resource,
    SpecialParam,
    StringParam,
    TokenParam,
)

_R4: Final = "http://hl7.org/fhir/SearchParameter"
LOCATION: Final = f"{french.CORE}/StructureDefinition/fr-core-location"
SERVICE: Final = f"{french.CORE}/StructureDefinition/fr-core-healthcare-service"
DEVICE: Final = "http://hl7.org/fhir/StructureDefinition/Device"
# Of a Device, what is for its sender alone.
_PRIVATE: Final = frozenset({"patient", "note", "contained", "text", "extension", "modifierExtension"})
Model = type[Place] | type[InternalService] | type[Equipment]


class ReceivedProvider(Provider):
    """Rows that software sends: everybody finds them, their sender alone changes them."""

    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, DELETE})
    counted = False
    model: ClassVar[Model]
    # The element that names the structure it is of, and those that name places.
    house: ClassVar[str]
    places: ClassVar[tuple[str, ...]] = ()
    profiles: ClassVar[tuple[str, ...]] = ()

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def has(self, caller: Caller, id: UUID) -> bool:
        return self.model._default_manager.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        rows = self.model._default_manager.in_bulk(list(ids)) if ids else {}
        kept = keeping.kept(self.type, list(rows))
        return {pk: self._finished(caller, row, kept.get(pk)) for pk, row in rows.items()}

    def _finished(self, caller: Caller, row: Any, kept: Sent | None) -> Resource:
        content = self.shown(dict(kept.content) if kept else {}, own=row.partner == caller.owner)
        whole: Resource = {"resourceType": self.type, "id": str(row.pk)} | content
        whole.setdefault("identifier", [own_identifier(row.pk)])
        finished = stamped(whole, content, profiles=self.profiles, at=[row.changed_at, kept.at if kept else None])
        tags = finished["meta"].get("tag", [])
        if row.partner != caller.owner and RECEIVED not in tags:
            # Whose service it says it is, is what its sender says.
            finished["meta"]["tag"] = [*tags, RECEIVED]
        return finished

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        require_known_to_all(caller)
        resource = french.tidied(resource)
        values = self._values(resource)
        row = actions.receive(self.model, by=caller.user, partner=caller.owner, key=key, **values)
        keeping.keep(self.type, row.pk, _to_keep(resource, row.pk))
        return row.pk

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        row, current = self._to_write(caller, id, expected)
        resource = french.tidied(resource)
        if same_content(current, resource):
            return
        actions.change_received(row, **self._values(resource))
        keeping.keep(self.type, id, _to_keep(resource, id))

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        row, _ = self._to_write(caller, id, expected)
        row.delete()
        keeping.forget(self.type, [id])

    def _to_write(self, caller: Caller, id: UUID, expected: str | None) -> tuple[Any, Resource]:
        row = self.model._default_manager.select_for_update(of=("self",), no_key=True).filter(pk=id).first()
        if row is None:
            raise Unknown
        if row.partner != caller.owner:
            raise Forbidden("Cette ressource est celle d’un autre logiciel.")
        current = self.load(caller, [id])[id]
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        return row, current

    def _values(self, resource: Resource) -> dict[str, Any]:
        said = resource.get(self.house, {})
        house = french.reference_id(said, "Organization")
        if "reference" in said and "://" not in said["reference"]:
            if house is None or not Structure.objects.filter(pk=house).exists():
                raise Invalid("Cette structure n’est pas connue ici.", expression=f"{self.type}.{self.house}")
        self._require_places(resource)
        return {"structure_id": house, "active": self.is_active(resource)} | self.columns(resource)

    def _require_places(self, resource: Resource) -> None:
        """Refuse a reference to a place that is none of this server's. One SQL statement, none when none is named."""
        named: dict[UUID | None, str] = {}
        for element in self.places:
            said = resource.get(element, [])
            for one in said if isinstance(said, list) else [said]:
                if "reference" in one and "://" not in one["reference"] and not one["reference"].startswith("#"):
                    named[french.reference_id(one, "Location")] = element
        known = (
            set(Place.objects.filter(pk__in=[id for id in named if id]).values_list("pk", flat=True)) if named else ()
        )
        for id, element in named.items():
            if id not in known:
                raise Invalid("Ce lieu n’est pas connu ici.", expression=f"{self.type}.{element}")

    # What each type says.

    def columns(self, resource: Resource) -> dict[str, Any]:
        raise NotImplementedError

    def is_active(self, resource: Resource) -> bool:
        return bool(resource.get("active", True))

    def shown(self, content: Resource, *, own: bool) -> Resource:
        return content


def own_identifier(id: UUID) -> Resource:
    """Return the identifier by which we name what software sent."""
    return french.identifier(settings.FHIR_IDENTIFIER_SYSTEM_RESOURCE, str(id), "INTRN")


def _to_keep(resource: Resource, id: UUID) -> Resource:
    others = [one for one in resource.get("identifier", []) if one != own_identifier(id)]
    kept = {name: value for name, value in resource.items() if name != "identifier"}
    return kept | {"identifier": others} if others else kept


def _named(name: str, *more: str) -> dict[str, str]:
    return {"name": seen(name)[:300], "search_name": fold(" ".join([name, *more]))[:600]}


class Locations(ReceivedProvider):
    key = "directory.place"
    type = "Location"
    profile = LOCATION
    profiles = (LOCATION,)
    model = Place
    house = "managingOrganization"
    places = ("partOf",)
    documentation = (
        "Lieux envoyés par un logiciel, qui seul les modifie, et lieux des structures de l’annuaire (lecture). "
        "« near » : latitude|longitude|distance|km, parmi ceux dont la position est connue."
    )
    params: Mapping[str, Param] = {
        "identifier": identified("Location"),
        "name": StringParam(f"{_R4}/Location-name", build=words("search_name")),
        "address": StringParam(f"{_R4}/Location-address", build=words("search_address")),
        "near": SpecialParam(f"{_R4}/Location-near", build=near, missing=Q(latitude=None)),
        "organization": of_structure(f"{_R4}/Location-organization", "managingOrganization"),
        "type": coded("Location", "type", "Location-type"),
    }

    def columns(self, resource: Resource) -> dict[str, Any]:
        said = resource.get("address", {})
        position = resource.get("position", {})
        line, town = french.lines_of(said), squeeze(said.get("city", ""))
        latitude, longitude = (position.get(name) for name in ("latitude", "longitude"))
        if position and not (
            latitude is not None and longitude is not None and -90 <= latitude <= 90 and -180 <= longitude <= 180
        ):
            raise Invalid("Une position se dit en degrés.", expression="Location.position")
        code = squeeze(said.get("postalCode", ""))
        every = (line, town, code, said.get("text", ""))
        return _named(resource.get("name", ""), *resource.get("alias", [])) | {
            "address": line[:300], "postal_code": code[:10], "town": town[:80],
            "search_address": fold(" ".join(every))[:500],
            "latitude": float(latitude) if latitude is not None else None,
            "longitude": float(longitude) if longitude is not None else None,
        }  # fmt: skip

    def is_active(self, resource: Resource) -> bool:
        return resource.get("status", "active") == "active"


class Services(ReceivedProvider):
    key = "directory.service"
    type = "HealthcareService"
    profile = SERVICE
    profiles = (SERVICE,)
    model = InternalService
    house = "providedBy"
    places = ("location", "coverageArea")
    documentation = (
        "Organisations internes qui donnent des rendez-vous, envoyées par un logiciel, qui seul les modifie."
    )
    params: Mapping[str, Param] = {
        "identifier": identified("HealthcareService"),
        "name": StringParam(f"{_R4}/HealthcareService-name", build=words("search_name")),
        "service-type": coded("HealthcareService", "type", "HealthcareService-service-type"),
        "specialty": coded("HealthcareService", "specialty", "HealthcareService-specialty"),
        "organization": of_structure(f"{_R4}/HealthcareService-organization", "providedBy"),
        "location": ReferenceParam(
            f"{_R4}/HealthcareService-location", path="location",
            targets={"Location": {"directory.place": lambda ids: naming_places("HealthcareService", "location", ids)}},
        ),
        "active": TokenParam(
            f"{_R4}/HealthcareService-active",
            build=lambda system, code: {"true": Q(active=True), "false": Q(active=False)}.get(code, NOBODY),
            missing=NEVER,
        ),
    }  # fmt: skip

    def columns(self, resource: Resource) -> dict[str, Any]:
        return _named(resource.get("name", ""))


class Devices(ReceivedProvider):
    key = "directory.equipment"
    type = "Device"
    profile = DEVICE
    model = Equipment
    house = "owner"
    places = ("location",)
    documentation = "Équipements envoyés par un logiciel, qui seul les modifie ; lui seul lit pour qui ils sont."
    params: Mapping[str, Param] = {
        "identifier": identified("Device"),
        "type": coded("Device", "type", "Device-type"),
        "device-name": StringParam(f"{_R4}/Device-device-name", build=words("search_name")),
        "model": StringParam(f"{_R4}/Device-model", build=words("search_model")),
        "organization": of_structure(f"{_R4}/Device-organization", "owner"),
    }

    def columns(self, resource: Resource) -> dict[str, Any]:
        names = [str(one.get("name", "")) for one in resource.get("deviceName", [])]
        model = str(resource.get("modelNumber", ""))
        kind = resource.get("type", {}).get("text", "")
        return _named(names[0] if names else "", *names[1:], kind) | {
            "model_number": model[:200], "search_model": fold(model)[:200],
        }  # fmt: skip

    def is_active(self, resource: Resource) -> bool:
        return resource.get("status", "active") == "active"

    def shown(self, content: Resource, *, own: bool) -> Resource:
        return content if own else {name: value for name, value in content.items() if name not in _PRIVATE}


class Sites(Provider):
    """Where a structure of the directory is: a Location of the id of its Organization, to read and search."""

    key = "directory.site"
    type = "Location"
    profile = LOCATION
    interactions = frozenset({READ, SEARCH})
    counted = False
    params: Mapping[str, Param] = {
        "identifier": TokenParam(f"{_R4}/Location-identifier", build=finding.structures_numbered),
        "name": StringParam(f"{_R4}/Location-name", build=finding.structures_named, missing=NEVER),
        "address": StringParam(f"{_R4}/Location-address", build=finding.at_address, missing=finding.NOWHERE),
        # Nobody says where on earth a structure is.
        "near": SpecialParam(f"{_R4}/Location-near", build=lambda text: near(text) and NOBODY, missing=Q()),
        "organization": ReferenceParam(
            f"{_R4}/Location-organization", path="managingOrganization",
            targets={"Organization": {"directory.structure": lambda ids: Q(pk__in=ids)}}, missing=NEVER,
        ),
    }  # fmt: skip

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return Structure.objects.exclude(kind=Structure.Kind.EJ)

    def has(self, caller: Caller, id: UUID) -> bool:
        return Structure.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        return {row.pk: _site(row) for row in self.rows(caller).filter(pk__in=among(ids))}


def _site(row: Structure) -> Resource:
    said: Resource = {"resourceType": "Location", "id": str(row.pk)}
    if numbers := list(_numbers(row)):
        said["identifier"] = numbers
    said["status"] = "active" if row.ceased_at is None and row.merged_into_id is None else "inactive"
    said["name"] = row.name
    if points := building.telecoms(row.phone, row.email, row.mss_address):
        said["telecom"] = points
    where = french.address(line=row.address, postal_code=row.postal_code, city=row.town, insee=row.commune_code)
    if where:
        said["address"] = where
    said["managingOrganization"] = french.reference("Organization", row.pk)
    return stamped(said, None, profiles=[LOCATION], at=[row.created_at, row.seen_on, row.ceased_at])


def _numbers(row: Structure) -> Iterable[Resource]:
    return (one for one in building.organization_identifiers(row) if one["type"]["coding"][0]["code"] == "IDNST")
