"""Whom the participants of a CareTeam name here: found by types, a constant number of SQL statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from circle import roles
from circle.actions.wanted import Target
from circle.fhir import codes, reading
from circle.models import Member
from coordination.directory.models import Activity, Professional, Structure
from coordination.dossiers.door import Entry
from coordination.fhir.keeping import kept
from coordination.fhir.outcomes import ERROR, Invalid, Issue
from coordination.fhir.search.values import uuid_of


def found(entry: Entry, references: Sequence[str]) -> list[Target]:
    """Return, for each reference in order, whom it names. Raises Invalid for one that names nobody here.

    A RelatedPerson, or a professional entered by hand, is of this dossier and shown to the author, else unknown.
    """
    asked = [_split(reference) for reference in references]
    roles_asked = _of(asked, "PractitionerRole")
    activities = Activity.objects.filter(pk__in=roles_asked).select_related("professional").in_bulk()
    persons = Professional.objects.filter(pk__in=roles_asked - activities.keys()).in_bulk()
    houses = Structure.objects.filter(pk__in=_of(asked, "Organization")).select_related("merged_into").in_bulk()
    members = _members(entry, (roles_asked - activities.keys() - persons.keys()) | _of(asked, "RelatedPerson"))
    own_roles = _roles_of(member for member in members.values() if member.kind == roles.PERSON)
    targets: list[Target] = []
    issues = []
    for rank, (type_name, id) in enumerate(asked):
        target = None
        if type_name == "Organization" and id in houses:
            target = Target(roles.STRUCTURE, structure=houses[id])
        elif type_name == "PractitionerRole" and id in activities:
            activity = activities[id]
            target = Target(roles.DIRECTORY, professional=activity.professional, activity=activity)
        elif type_name == "PractitionerRole" and id in persons:
            target = Target(roles.DIRECTORY, professional=persons[id])
        elif id in members:
            target = _of_member(members[id], type_name, own_roles)
        if target is None:
            at = f"CareTeam.participant[{rank}].member"
            issues.append(Issue(ERROR, "not-found", "Ce membre n’existe pas.", at))
        else:
            targets.append(target)
    if issues:
        raise Invalid(*issues)
    return targets


def _of_member(member: Member, type_name: str, own_roles: dict[UUID, str]) -> Target | None:
    if (member.kind, type_name) == (roles.PERSON, "RelatedPerson"):
        return Target(member.kind, member_id=member.pk, role=own_roles.get(member.pk, roles.CAREGIVER))
    if type_name == "PractitionerRole" and member.kind == roles.MANUAL:
        return Target(member.kind, member_id=member.pk, typed_profession=member.profession)
    if type_name == "PractitionerRole" and member.kind == roles.DIRECTORY:
        # Entered by hand when this was read, linked to the directory since.
        return Target(member.kind, professional=member.professional, activity=member.activity)
    return None


def _members(entry: Entry, ids: Iterable[UUID]) -> dict[UUID, Member]:
    shown = Member.objects.shown_to(entry.access).filter(dossier_id=entry.dossier.pk, pk__in=set(ids))
    return shown.select_related("professional", "activity").in_bulk()


def _roles_of(relatives: Iterable[Member]) -> dict[UUID, str]:
    """Return the role that each relative was sent with, for who has none in the circle yet."""
    lines = kept("RelatedPerson", [member.pk for member in relatives])
    said = {
        id: codes.role_for(line.content.get("relationship", []), roles.PERSON) for id, line in lines.items()
    }  # fmt: skip
    return {id: role for id, role in said.items() if role}


def _split(reference: str) -> tuple[str, UUID | None]:
    type_name, _, id = reading.local(reference).rpartition("/")
    return type_name, uuid_of(id) if "/" not in type_name else None


def _of(asked: Iterable[tuple[str, Any]], type_name: str) -> set[UUID]:
    return {id for name, id in asked if name == type_name and id is not None}
