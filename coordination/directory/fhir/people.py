"""Practitioner and PractitionerRole: the professionals of the directory and where they practise (CDS-9, 10, 59)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Exists, OuterRef, Q, QuerySet

from coordination.common.prepared import Prepared, each_of
from coordination.common.statements import ids_in_one
from coordination.directory.actions import partners
from coordination.directory.fhir import building, finding, reading
from coordination.directory.fhir.base import DirectoryProvider
from coordination.directory.fhir.places import naming_places
from coordination.directory.models import Activity, Professional, SavoirFaire, Source, Structure
from coordination.fhir import keeping
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Invalid
from coordination.fhir.registry import (
    NEVER,
    READ,
    SEARCH,
    UPDATE,
    Param,
    ReferenceParam,
    Resource,
    StringParam,
    TokenParam,
)

_R4 = "http://hl7.org/fhir/SearchParameter"


def _professions_of(*, ids: str) -> QuerySet[Any]:
    said = Q(partner="") | Q(professional__source=Source.PARTNER)
    activities = Activity.objects.filter(said, professional__in=each_of(ids), ceased_at=None).exclude(profession="")
    return activities.values_list("professional_id", "profession", "category").distinct()


def _know_how_of(*, ids: str) -> QuerySet[Any]:
    return SavoirFaire.objects.filter(professional__in=each_of(ids), ceased_at=None).order_by("profession", "code")


_ROLE = [field.attname for field in Activity._meta.concrete_fields]
# What a role says of who holds it and of where: the rest of their rows would be most of what is read.
_WHO, _WHERE = ["id", "ceased_at", "created_at"], ["id", "merged_into_id"]


def _with_who_and_where(line: tuple[Any, ...]) -> Activity:
    """Return the activity of a line of `_places`, its professional and its structure at hand."""
    activity = Activity.from_db(DEFAULT_DB_ALIAS, _ROLE, line[: len(_ROLE)])
    who, where = line[len(_ROLE) : -len(_WHERE)], line[-len(_WHERE) :]
    activity.professional = Professional.from_db(DEFAULT_DB_ALIAS, _WHO, who)
    if activity.structure_id is not None:
        activity.structure = Structure.from_db(DEFAULT_DB_ALIAS, _WHERE, where)
    return activity


def _places_of(*, ids: str) -> QuerySet[Any]:
    beside = [f"professional__{name}" for name in _WHO] + [f"structure__{name}" for name in _WHERE]
    return Activity.objects.filter(pk__in=each_of(ids)).values_list(*_ROLE, *beside)


# Asked by each search that includes: the ORM would write them at each.
_professions = Prepared(_professions_of, one_plan=True)
_know_how = Prepared(_know_how_of, one_plan=True)
_places = Prepared(_places_of, one_plan=True)


class Practitioners(DirectoryProvider):
    key = "directory.professional"
    type = "Practitioner"
    profile = building.PRACTITIONER[0]
    profiles = building.PRACTITIONER
    model = Professional
    numbered = staticmethod(finding.professionals_numbered)
    documentation = (
        "Professionnels de l’annuaire national et de la coordination. Ce qu’un logiciel écrit d’un professionnel "
        "qu’il n’a pas créé n’est rendu qu’à lui."
    )
    params = {
        "identifier": TokenParam(f"{_R4}/Practitioner-identifier", build=finding.professionals_numbered),
        "name": StringParam(f"{_R4}/Practitioner-name", build=finding.name, missing=NEVER),
        "family": StringParam(f"{_R4}/individual-family", build=finding.family, missing=NEVER),
        "given": StringParam(f"{_R4}/individual-given", build=finding.given),
        "active": TokenParam(f"{_R4}/Practitioner-active", build=finding.active("ceased_at"), missing=NEVER),
    }

    def build(self, rows: Sequence[Professional]) -> dict[UUID, Resource]:
        """Three SQL statements with that of the rows, whatever their number."""
        ids = ids_in_one(row.pk for row in rows)
        works: dict[UUID, list[tuple[str, str]]] = {}
        for id, *pair in _professions.tuples(ids=ids):
            works.setdefault(id, []).append((pair[0], pair[1]))
        held: dict[UUID, list[SavoirFaire]] = {}
        for one in _know_how.instances(ids=ids):
            held.setdefault(one.professional_id, []).append(one)
        return {
            row.pk: building.practitioner(row, building.main_professions(works.get(row.pk, [])), held.get(row.pk, []))
            for row in rows
        }

    def moments(self, row: Professional) -> list[dt.datetime | dt.date | None]:
        return [row.created_at, row.seen_on, row.ceased_at]

    def is_own(self, caller: Caller, row: Professional) -> bool:
        return row.source == Source.PARTNER and super().is_own(caller, row)

    def known(self, caller: Caller, resource: Resource) -> Professional | None:
        number = reading.national_numbers(resource, checked=False)["national_id"]
        rows = Professional.objects.select_for_update(of=("self",), no_key=True)
        return rows.filter(national_id=number).first() if number else None

    def receive(self, caller: Caller, resource: Resource, key: UUID) -> Professional:
        said = reading.person(resource)
        return partners.receive_professional(by=caller.user, partner=caller.owner, key=key, **said)

    def are_new(self, caller: Caller, resources: Sequence[Resource]) -> bool:
        return not any(reading.national_numbers(resource, checked=False)["national_id"] for resource in resources)

    def receive_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[Professional]:
        said = [(key, reading.person(resource)) for resource, key in sent]
        return partners.receive_professionals(said, by=caller.user, partner=caller.owner)

    def change(self, caller: Caller, row: Professional, resource: Resource) -> Professional:
        return partners.change_received_professional(row, by=caller.user, **reading.person(resource))


def _located(owner: str) -> ReferenceParam:
    """By where one practises: where the structure is, or a place that this caller sent with the role."""
    return ReferenceParam(
        f"{_R4}/PractitionerRole-location",
        targets={
            "Location": {
                "directory.site": lambda ids: Q(structure__in=ids),
                "directory.place": lambda ids: naming_places("PractitionerRole", "location", ids, owner=owner),
            }
        },
        path="location",
    )


class Roles(DirectoryProvider):
    """A situation d'exercice: one professional, one profession, one structure."""

    key = "directory.activity"
    type = "PractitionerRole"
    profile = building.ROLE[0]
    profiles = building.ROLE
    model = Activity
    numbered = staticmethod(finding.roles_numbered)
    documentation = "Situations d’exercice de l’annuaire. « role » cherche aussi parmi les professions."
    params = {
        "identifier": TokenParam(f"{_R4}/PractitionerRole-identifier", build=finding.roles_numbered),
        "practitioner": ReferenceParam(
            f"{_R4}/PractitionerRole-practitioner",
            targets={"Practitioner": {"directory.professional": lambda ids: Q(professional__in=ids)}},
            path="practitioner",
            missing=NEVER,
        ),
        "organization": ReferenceParam(
            f"{_R4}/PractitionerRole-organization",
            targets={"Organization": {"directory.structure": lambda ids: Q(structure__in=ids)}},
            path="organization",
            missing=Q(structure=None),
        ),
        "role": TokenParam(f"{_R4}/PractitionerRole-role", build=finding.doing),
        "specialty": TokenParam(f"{_R4}/PractitionerRole-specialty", build=finding.specialised),
        "telecom": TokenParam(f"{_R4}/PractitionerRole-telecom", build=finding.reached, missing=finding.UNREACHED),
        "location": _located(""),
        "address": StringParam(
            "",
            build=finding.at_address,
            missing=finding.NOWHERE,
            documentation="Du guide « Gestion d’agendas partagés » : l’adresse du lieu d’exercice.",
        ),
        "name": StringParam(
            "",
            build=finding.works_as,
            missing=NEVER,
            documentation="Du guide « Gestion d’agendas partagés » : le nom du professionnel.",
        ),
        "active": TokenParam(
            f"{_R4}/PractitionerRole-active",
            build=finding.active("ceased_at", "professional__ceased_at"),
            missing=NEVER,
        ),
    }

    def params_of(self, caller: Caller) -> Mapping[str, Param]:
        return {**super().params_of(caller), "location": _located(caller.owner)}

    def fetch(self, ids: Iterable[UUID]) -> list[Activity]:
        return [_with_who_and_where(line) for line in _places.tuples(ids=ids_in_one(ids))]

    def build(self, rows: Sequence[Activity]) -> dict[UUID, Resource]:
        return {row.pk: building.role(row, organization_id=_place(row.structure)) for row in rows}

    def moments(self, row: Activity) -> list[dt.datetime | dt.date | None]:
        return [row.seen_on, row.ceased_at, row.professional.ceased_at, row.professional.created_at]

    def known(self, caller: Caller, resource: Resource) -> Activity | None:
        """The same professional in the same structure, doing what is said of him if anything is."""
        said = reading.role(resource)
        if said.organization_id is None or said.practitioner_id is None:
            return None
        rows = Activity.objects.filter(
            Q(partner="") | Q(partner=caller.owner),
            professional=said.practitioner_id, structure=said.organization_id, ceased_at=None,
        )  # fmt: skip
        for column in ("profession", "fonction", "genre", "mode"):
            if column in said.values:
                rows = rows.filter(**{column: said.values[column]})
        # Its own row first: it changes.
        return rows.order_by("-partner", "pk").first()

    def receive(self, caller: Caller, resource: Resource, key: UUID) -> Activity:
        said = reading.role(resource)
        person = _person(said.practitioner_id)
        values = {"profession": _professions_said(caller, [person])[person.pk], **said.values}
        structure = _structure(said.organization_id)
        return partners.receive_activity(
            person, by=caller.user, partner=caller.owner, key=key, structure=structure, **values
        )

    def are_new(self, caller: Caller, resources: Sequence[Resource]) -> bool:
        said = [reading.role(resource) for resource in resources]
        pairs = {(one.practitioner_id, one.organization_id) for one in said}
        mine = Activity.objects.filter(Q(partner="") | Q(partner=caller.owner), ceased_at=None)
        rows = mine.filter(professional__in=[one for one, _ in pairs], structure__in=[one for _, one in pairs])
        return len(pairs) == len(said) and not rows.exists()

    def receive_many(self, caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[Activity]:
        said = [(key, reading.role(resource)) for resource, key in sent]
        people = Professional.objects.in_bulk([one.practitioner_id for _, one in said if one.practitioner_id])
        houses = Structure.objects.in_bulk([one.organization_id for _, one in said if one.organization_id])
        professions = _professions_said(caller, list(people.values()))
        rows = []
        for key, one in said:
            person, house = _person(one.practitioner_id, people), _structure(one.organization_id, houses)
            rows.append((key, person, house, {"profession": professions[person.pk], **one.values}))
        return partners.receive_activities(rows, partner=caller.owner)

    def change(self, caller: Caller, row: Activity, resource: Resource) -> Activity:
        said = reading.role(resource)
        if said.practitioner_id != row.professional_id:
            raise Invalid(
                "Une situation d’exercice reste celle du même professionnel : créez-en une autre.",
                expression="PractitionerRole.practitioner",
            )
        columns = dict.fromkeys(("fonction", "genre", "mode"), "")
        values = columns | {"profession": row.profession} | said.values
        return partners.change_received_activity(
            row, by=caller.user, structure=_structure(said.organization_id), **values
        )


class RolesWithoutActivity(DirectoryProvider):
    """A professional of whom no place of work is known: his PractitionerRole has his own id.

    It stays readable once he has one: a circle may name it.
    """

    key = "directory.professional_role"
    type = "PractitionerRole"
    profile = building.ROLE[0]
    profiles = building.ROLE
    model = Professional
    numbered = staticmethod(finding.roles_numbered)
    interactions = frozenset({READ, SEARCH, UPDATE})
    params = {
        "identifier": TokenParam(f"{_R4}/PractitionerRole-identifier", build=finding.roles_numbered),
        "practitioner": ReferenceParam(
            f"{_R4}/PractitionerRole-practitioner",
            targets={"Practitioner": {"directory.professional": lambda ids: Q(pk__in=ids)}},
            path="practitioner",
            missing=NEVER,
        ),
        "active": TokenParam(f"{_R4}/PractitionerRole-active", build=finding.active("ceased_at"), missing=NEVER),
    }

    def rows(self, caller: Caller) -> QuerySet[Any]:
        works = Activity.objects.filter(professional=OuterRef("pk"))
        return Professional.objects.filter(~Exists(works))

    def has(self, caller: Caller, id: UUID) -> bool:
        return Professional.objects.filter(pk=id).exists()

    def build(self, rows: Sequence[Professional]) -> dict[UUID, Resource]:
        return {row.pk: building.role_without_activity(row) for row in rows}

    def moments(self, row: Professional) -> list[dt.datetime | dt.date | None]:
        return [row.created_at, row.ceased_at]

    def is_own(self, caller: Caller, row: Professional) -> bool:
        # Nothing of it is in a column: what is sent is kept, and given back beside what the directory says.
        return False

    def known(self, caller: Caller, resource: Resource) -> None:
        return None


def _place(structure: Structure | None) -> UUID | None:
    """What replaces a merged structure is where he works."""
    return (structure.merged_into_id or structure.pk) if structure else None


def _person(id: UUID | None, among: Mapping[UUID, Professional] | None = None) -> Professional:
    """Return whom a role names, of those already read if they are (`among`). Raises Invalid."""
    rows = Professional.objects.in_bulk([id]) if among is None and id else among or {}
    found = rows.get(id) if id else None
    if found is None:
        said = "Indiquez un professionnel de ce serveur." if id is None else "Ce professionnel n’est pas connu ici."
        raise Invalid(said, expression="PractitionerRole.practitioner")
    return found


def _structure(id: UUID | None, among: Mapping[UUID, Structure] | None = None) -> Structure | None:
    """Return where a role says, of those already read if they are (`among`). Raises Invalid."""
    rows = Structure.objects.in_bulk([id]) if among is None and id else among or {}
    found = rows.get(id) if id else None
    if id and found is None:
        raise Invalid("Cette structure n’est pas connue ici.", expression="PractitionerRole.organization")
    return found


def _professions_said(caller: Caller, people: Sequence[Professional]) -> dict[UUID, str]:
    """Return {who practises: profession}, where a role names none: what he was sent with, else his own.

    Two SQL statements.
    """
    sent = keeping.kept("Practitioner", [person.pk for person in people], caller.owner)
    said = {
        id: reading.profession_of(one["code"] for one in line.content.get("qualification", []))
        for id, line in sent.items()
    }
    held: dict[UUID, set[str]] = {}
    rows = Activity.objects.active().filter(professional__in=[one.pk for one in people if not said.get(one.pk)])
    for id, profession in rows.exclude(profession="").values_list("professional_id", "profession").distinct():
        held.setdefault(id, set()).add(profession)
    own = {id: professions.pop() for id, professions in held.items() if len(professions) == 1}
    return {person.pk: said.get(person.pk) or own.get(person.pk, "") for person in people}
