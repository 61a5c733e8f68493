"""Whose agenda it is: from the actors of a Schedule to keys of time, and back (GAP-24, GAP-25, GAP-28).

A key is a person, a place or a thing, wherever it is met (agenda/models/schedules.py): a professional named as himself
and where he practises is one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q

from agenda.actions.declared import ActorSaid, leave_declared
from agenda.fhir.entries import enter_to_write
from agenda.fhir.rooms import houses_of
from agenda.keys import attendees_of, key_of_user
from agenda.models import Room, Schedule, ScheduleActor
from circle.fhir.entries import shown_members
from circle.models import Member
from coordination.directory.models import Activity, Attachment, Equipment, InternalService, Place, Professional, Source
from coordination.dossiers.models import Dossier
from coordination.fhir import conditional, french, keeping, literal
from coordination.fhir.callers import Caller
from coordination.fhir.numbers import is_number
from coordination.fhir.outcomes import ERROR, Forbidden, Invalid, Issue, Refused, StillNamed, Unknown
from coordination.fhir.registry import NEVER, ReferenceParam
from coordination.fhir.search.values import uuid_of
from habilitations.traces import NOWHERE

Resource = dict[str, Any]
# Names a professional, a place or a thing of another server, or told by an identifier that nobody has here.
ELSEWHERE = uuid.UUID("0c1e6ef2-8a33-5f0d-9a55-2f4f3f0f6c11")
# Of one agenda: each may need a statement to be found.
MOST = 100
_BY_PARTNER: dict[str, type[Place | InternalService | Equipment]] = {
    "Location": Place, "HealthcareService": InternalService, "Device": Equipment,
}  # fmt: skip
# An agenda is read by all: a person whose dossier decides who reads hers is one of ours, or is not named.
PERSONS = frozenset({"Patient", "RelatedPerson"})
Named = tuple[str, UUID]


@dataclass(frozen=True)
class Actors:
    """`key`: whose time it is, None when it is that of several. `person`: the dossier that it is of, or in."""

    actors: tuple[ActorSaid, ...]
    key: UUID | None
    person: UUID | None


def resolved(caller: Caller, resource: Resource, before: Schedule | None = None, *, says_more: bool = False) -> Actors:
    """Return whose agenda a Schedule says it is; `before`: the one it replaces, whose actors are known already.

    `says_more`: it gives ranges that the one before did not. The right to do so is asked again of professionals: who
    has left one’s structure since is no more one’s to open or to close.

    Raises Invalid for who is unknown here (GAP-28), Forbidden for whose time this caller may not declare, and what
    entering the dossier of a person raises. SQL in constant number.
    """
    said = resource.get("actor", [])
    if len(said) > MOST:
        raise Invalid(_issue("too-long", f"Un agenda compte au plus {MOST} acteurs.", MOST))
    named = [_named(caller, one, place) for place, one in enumerate(said)]
    here = {one for one in named if isinstance(one, tuple)}
    keys = _Keys(caller, here)
    actors: list[ActorSaid] = []
    for place, one in enumerate(named):
        if isinstance(one, UUID):
            actors.append(ActorSaid(_elsewhere(said[place], place), one, one))
        elif key := keys.of(one):
            actors.append(ActorSaid(*one, key))
        else:
            raise Invalid(_issue("not-found", "Cet acteur n’est pas connu ici.", place))
    actors = list(dict.fromkeys(actors))
    known = set(before.actors.values_list("type", "target")) if before else set()
    asked = [one for one in here if one not in known or (says_more and keys.professional(one))]
    _require_may(caller, keys, asked, named)
    people = keys.people()
    if len(people) > 1:
        raise Invalid(_issue("business-rule", "Un agenda concerne une seule personne accompagnée.", 0))
    person = people.pop() if people else None
    if person:
        _enter(caller, person)
    distinct = {one.key for one in actors}
    return Actors(tuple(actors), distinct.pop() if len(distinct) == 1 else None, person)


def _elsewhere(said: Resource, place: int) -> str:
    """Return the type of an actor who is nobody of ours. Raises Invalid for a person, and for whom no type says.

    Closed to the caller or unknown, she is told alike.
    """
    types = {literal.type_of(said.get("reference")), said.get("type", "")} - {""}
    if is_number(said.get("identifier")) or len(types) != 1 or not types <= TYPES - PERSONS:
        raise Invalid(_issue("not-found", "Cet acteur n’est pas connu ici.", place))
    return str(types.pop())


def strangers() -> Q:
    """Return the condition, on agendas, of naming a person who is none of ours: kept so before it was refused."""
    named = ScheduleActor.objects.filter(schedule=OuterRef("pk"))
    other = Q(type="Patient") & (Q(schedule__person=None) | ~Q(target=F("schedule__person")))
    relative = Q(type="RelatedPerson") & ~Q(target__in=Member.objects.values("pk"))
    return Q(Exists(named.filter(other | relative | Q(type=""))))


def _enter(caller: Caller, person: UUID) -> None:
    try:
        enter_to_write(caller, person)
    except Unknown:
        raise Invalid(_issue("not-found", "Cet acteur n’est pas connu ici.", 0)) from None


def _issue(code: str, sentence: str, place: int) -> Issue:
    return Issue(ERROR, code, sentence, f"Schedule.actor[{place}]")


def _named(caller: Caller, said: Resource, place: int) -> Named | UUID:
    """Return (type, id) of a resource of ours, or the key of who is elsewhere. Raises Invalid."""
    reference, identifier = said.get("reference", ""), said.get("identifier", {})
    type_name = literal.type_of(reference) or said.get("type", "")
    if reference and not literal.is_address(reference):
        id = uuid_of(reference.removeprefix(f"{type_name}/"))
        if id is None:
            raise Invalid(_issue("not-found", "Cet acteur n’est pas connu ici.", place))
        return type_name, id
    if reference:
        return elsewhere(said)
    if not identifier.get("value") or type_name not in TYPES:
        raise Invalid(_issue("required", "Un acteur est une référence, ou un type et un identifiant.", place))
    return _identified(caller, said, place)


def elsewhere(said: Resource) -> UUID:
    """Return the key of who is elsewhere: by the address of another server, else by type and identifier."""
    reference, identifier = said.get("reference", ""), said.get("identifier") or {}
    named = f"{said.get('type', '')} {identifier.get('system', '')}|{identifier.get('value', '')}"
    return uuid.uuid5(ELSEWHERE, reference or named)


def _identified(caller: Caller, said: Resource, place: int) -> Named | UUID:
    """A logical reference is to the one who has this identifier here, else to somebody elsewhere (GAP-28)."""
    type_name, identifier = said["type"], said["identifier"]
    text = f"{identifier.get('system', '')}|{identifier['value']}"
    try:
        found = conditional.matching(caller, type_name, f"identifier={text}", lock=False)
    except Refused:
        raise Invalid(_issue("multiple-matches", "Cet identifiant n’est pas celui d’un seul acteur.", place)) from None
    return (type_name, found[1]) if found else elsewhere(said)


class _Keys:
    """The keys of the resources named, and whom they are about: one statement for each table that is named."""

    def __init__(self, caller: Caller, named: Iterable[Named]) -> None:
        of: dict[str, set[UUID]] = {}
        for type_name, id in named:
            of.setdefault(type_name, set()).add(id)
        roles, people = of.get("PractitionerRole", set()), of.get("Practitioner", set())
        activities = Activity.objects.select_related("professional").in_bulk(roles) if roles else {}
        alone = people | (roles - activities.keys())
        self.professionals = Professional.objects.in_bulk(alone) if alone else {}
        asked = (alone - self.professionals.keys()) | of.get("RelatedPerson", set())
        members = list(shown_members(caller).filter(pk__in=asked).select_related("professional")) if asked else []
        self.members = {one.member.pk: one for one in attendees_of(members) if one.member}
        self.dossiers = set(Dossier.objects.filter(pk__in=of["Patient"]).values_list("pk", flat=True)) if (
            "Patient" in of
        ) else set()  # fmt: skip
        self.things: dict[Named, Any] = {}
        for type_name, model in _BY_PARTNER.items():
            if type_name in of:
                self.things |= {
                    (type_name, pk): row for pk, row in model._default_manager.in_bulk(of[type_name]).items()
                }
        if left := {id for id in of.get("Location", set()) if ("Location", id) not in self.things}:
            self.things |= {("Location", pk): row for pk, row in Room.objects.in_bulk(left).items()}
        self.activities = activities

    def professional(self, one: Named) -> Professional | None:
        if one[0] == "PractitionerRole" and one[1] in self.activities:
            return self.activities[one[1]].professional
        return self.professionals.get(one[1]) if one[0] in ("Practitioner", "PractitionerRole") else None

    def of(self, one: Named) -> UUID | None:
        if found := self.professional(one):
            return found.pk
        if one[0] == "Patient":
            return one[1] if one[1] in self.dossiers else None
        if one in self.things:
            return one[1]
        who = self.members.get(one[1])
        if who is None or who.member is None:
            return None
        is_relative = who.member.kind == Member.Kind.AIDANT
        return who.key if is_relative == (one[0] == "RelatedPerson") else None

    def people(self) -> set[UUID]:
        return self.dossiers | {one.member.dossier_id for one in self.members.values() if one.member}


def _require_may(caller: Caller, keys: _Keys, new: Sequence[Named], named: Sequence[Named | UUID]) -> None:
    """Require whose time one may say. Raises Forbidden.

    A software: those of its structure, who acts by it, what it has sent. A person’s own program: himself, what it has
    sent; where he works makes him no one’s secretary.
    """
    professionals = {one: found for one in new if (found := keys.professional(one))}
    things = {one: keys.things[one] for one in new if one in keys.things}
    if not professionals and not things:
        return
    houses = houses_of(caller) if caller.structure_id else set()
    working = _working_at(houses, {row.pk for row in professionals.values()})
    own = key_of_user(caller.user)
    for one, row in professionals.items():
        sent = row.source == Source.PARTNER and row.partner == caller.owner
        if not (row.pk == own or sent or row.pk in working):
            raise Forbidden(_issue("forbidden", "Ce professionnel n’est pas de votre structure.", named.index(one)))
    for one, row in things.items():
        if getattr(row, "partner", "") != caller.owner and row.structure_id not in houses:
            raise Forbidden(_issue("forbidden", "Cet acteur n’est pas de votre structure.", named.index(one)))


def _working_at(houses: set[UUID], people: set[UUID]) -> set[UUID]:
    """Return those of them who practise there, as the directory or their account says. Two SQL statements at most."""
    if not houses or not people:
        return set()
    practise = Activity.objects.active().filter(professional__in=people, structure__in=houses)
    attached = Attachment.objects.filter(professional__in=people, structure__in=houses)
    return {*practise.values_list("professional_id", flat=True), *attached.values_list("professional_id", flat=True)}


def gone(caller: Caller, type_name: str, id: UUID) -> None:
    """Do of agendas what goes with an actor who is no more (GAP-12, 13). Raises StillNamed for another's agenda."""
    named = Schedule.objects.filter(actors__type=type_name, actors__target=id)
    for schedule in named.order_by("pk"):
        if schedule.owner != caller.owner:
            raise StillNamed("Un agenda d’un autre logiciel cite cette ressource : elle ne peut pas être supprimée.")
        via = caller.via or NOWHERE
        if leave_declared(schedule, (type_name, id), by=caller.user, owner=caller.owner, via=via):
            keeping.forget("Schedule", [schedule.pk])
            continue
        content = keeping.kept("Schedule", [schedule.pk])[schedule.pk].content
        left = [one for one in content["actor"] if one.get("reference") != f"{type_name}/{id}"]
        keeping.keep("Schedule", schedule.pk, content | {"actor": left})


# ---- Told and searched -------------------------------------------------------------------------------------------


def of_accounts(keys: Iterable[UUID]) -> dict[UUID, list[Resource]]:
    """Return the actors of the agendas of accounts: the professional, and each place where he practises (GAP-25).

    Two SQL statements, none for no key.
    """
    wanted = list(keys)
    if not wanted:
        return {}
    people = Professional.objects.in_bulk(wanted)
    found = {pk: [_reference("Practitioner", pk, str(row))] for pk, row in people.items()}
    rows = Activity.objects.active().filter(professional__in=wanted).order_by("pk")
    for pk, professional in rows.values_list("pk", "professional_id"):
        found[professional].append(_reference("PractitionerRole", pk))
    for pk, actors in found.items():
        if len(actors) == 1:
            actors.append(_reference("PractitionerRole", pk))
    return found


def _reference(type_name: str, id: UUID, display: str = "") -> Resource:
    said = french.reference(type_name, id)
    return said | {"display": display} if display else said


def _declared(type_name: str) -> Callable[[Any], Q]:
    def build(ids: Any) -> Q:
        rows = ScheduleActor.objects.filter(schedule=OuterRef("pk"), type=type_name, target__in=ids)
        return Q(Exists(rows))

    return build


def _account(type_name: str, professionals: Callable[[Any], Any]) -> Callable[[Any], Q]:
    """Those declared, and those of the accounts of these professionals."""
    declared = _declared(type_name)
    return lambda ids: declared(ids) | (Q(user__isnull=False) & Q(key__in=professionals(ids)))


ACTOR = ReferenceParam(
    "http://hl7.org/fhir/SearchParameter/Schedule-actor",
    targets={
        "Patient": {"dossiers.dossier": _declared("Patient")},
        "Practitioner": {
            "directory.professional": _account("Practitioner", lambda ids: ids),
            "circle.manual_professional": _declared("Practitioner"),
        },
        "PractitionerRole": {
            "directory.activity": _account(
                "PractitionerRole", lambda ids: Activity.objects.filter(pk__in=ids).values("professional_id")
            ),
            "directory.professional_role": _account("PractitionerRole", lambda ids: ids),
            "circle.manual_role": _declared("PractitionerRole"),
        },
        "RelatedPerson": {"circle.relative": _declared("RelatedPerson")},
        "Location": {"directory.place": _declared("Location"), "agenda.room": _declared("Location")},
        "HealthcareService": {"directory.service": _declared("HealthcareService")},
        "Device": {"directory.equipment": _declared("Device")},
    },
    path="actor",
    missing=NEVER,
)
TYPES = frozenset(ACTOR.targets)
