"""Who attends an Appointment: from references to those whom the agenda knows, in a constant number of statements.

A professional is named as himself and where he practises: one participation, and both are told again (GAP-90).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from agenda.actions.attending import NEED
from agenda.actions.sent_events import Attending
from agenda.fhir.actors import elsewhere
from agenda.keys import attendees_of, key_of_user
from circle.models import Member, Period
from coordination.accounts.models import User
from coordination.directory.models import Activity, Professional
from coordination.dossiers.door import Entry
from coordination.fhir import literal, registry
from coordination.fhir.callers import Caller
from coordination.fhir.numbers import is_number
from coordination.fhir.outcomes import ERROR, Invalid, Issue
from coordination.fhir.search import asking
from coordination.fhir.search.searching import ids_of
from coordination.fhir.search.values import uuid_of
from habilitations.clients import of_one_house

Resource = dict[str, Any]
LONGEST: Final = 300
# Of one appointment: each may need a statement to be found.
MOST: Final = 100
PEOPLE = frozenset({"Practitioner", "PractitionerRole"})
THINGS = frozenset({"Location", "HealthcareService", "Device"})


def takable(caller: Caller, participants: Sequence[Named]) -> set[UUID]:
    """Return the professionals among these whose time the caller may say taken without a person of ours."""
    known = _Known(caller, None, participants)
    people = {row.pk for row in known.professionals.values()}
    return people & (known.may_take | {known.own})


@dataclass(frozen=True)
class Named:
    """One participant as he was sent. `token` names him again as he was named; `id` when he is one of ours.

    `elsewhere`: whose time it is in an agenda that was declared here of somebody who is not (`actors.elsewhere`).
    """

    rank: int
    type: str
    id: UUID | None
    token: str
    label: str
    status: str
    need: str
    elsewhere: UUID | None = None

    @property
    def at(self) -> str:
        return f"Appointment.participant[{self.rank}].actor"


@dataclass
class Attendance:
    """`people` in the order sent; `ranks`: {key: rank of its first participant}; `place`: a place told in words."""

    people: list[Attending]
    ranks: dict[UUID, int]
    place: str = ""


def named(caller: Caller, resource: Resource) -> list[Named]:
    """Return the participants of a resource, logical references to one of ours found. Raises Invalid."""
    said = resource.get("participant", [])
    if len(said) > MOST:
        what = f"Un rendez-vous réunit au plus {MOST} participants."
        raise Invalid(Issue(ERROR, "too-long", what, f"Appointment.participant[{MOST}]"))
    return [_named(caller, one, rank) for rank, one in enumerate(said)]


def _named(caller: Caller, participant: Resource, rank: int) -> Named:
    actor = participant.get("actor") or {}
    reference, identifier = actor.get("reference", ""), actor.get("identifier") or {}
    type_name = literal.type_of(reference) or actor.get("type", "")
    label, id = actor.get("display", ""), None
    if reference and not literal.is_address(reference) and not reference.startswith("#"):
        id, token = uuid_of(reference.split("/")[1]), f"{type_name}/{reference.split('/')[1]}"
        if id is None:
            raise _unknown(rank)
    elif reference:
        token = reference
    elif identifier.get("value"):
        pair = identifier.get("system", ""), identifier["value"]
        id = _identified(caller, type_name, *pair) if type_name else None
        # Of one who is not found here, her INS is not what she is told by (INS-4).
        token = "" if is_number(identifier) else _token(actor)
    else:
        token = ""
        label = label or _type_in_words(participant)
    if len(token) > LONGEST // 2:
        raise Invalid(Issue(ERROR, "too-long", "Cette référence est trop longue.", f"Appointment.participant[{rank}]"))
    key = elsewhere(actor) if token and id is None else None
    need = participant.get("required", NEED.REQUIRED)
    return Named(rank, type_name, id, token, label[:200], participant["status"], need, key)


def named_elsewhere(actor: Resource) -> Named:
    """Return the participant that an actor of an agenda is, who is not known here; his answer is still to say."""
    type_name = literal.type_of(actor.get("reference", "")) or actor.get("type", "")
    token, label = _token(actor), actor.get("display", "")[:200]
    return Named(0, type_name, None, token, label, "", NEED.REQUIRED, elsewhere(actor))


def _token(actor: Resource) -> str:
    """Return the address of one at another server, else his type and identifier, as `building` reads them again."""
    if reference := actor.get("reference", ""):
        return str(reference)
    identifier = actor.get("identifier") or {}
    parts = actor.get("type", ""), identifier.get("system", ""), identifier.get("value", "")
    return "?" + "|".join(quote(part, safe=":/.") for part in parts)


def _identified(caller: Caller, type_name: str, system: str, value: str) -> UUID | None:
    """Return the one resource of ours that has this identifier, as far as the caller may find it."""
    if type_name not in registry.types() or "identifier" not in asking.params_of(type_name):
        return None
    said = "".join(f"\\{sign}" if sign in "\\|,$" else sign for sign in value)
    asked = asking.read(type_name, [("identifier", f"{system}|{said}" if system else said)])
    found = ids_of(caller, type_name, asked, most=2)
    return found[0][1] if len(found) == 1 else None


def _type_in_words(participant: Resource) -> str:
    for concept in participant.get("type", []):
        for coding in concept.get("coding", []):
            if said := coding.get("display") or coding.get("code"):
                return str(said)
        if concept.get("text"):
            return str(concept["text"])
    return ""


def _unknown(rank: int) -> Invalid:
    what = "Ce participant n’est pas connu ici."
    return Invalid(Issue(ERROR, "not-found", what, f"Appointment.participant[{rank}].actor"))


def patients_of(participants: Iterable[Named]) -> list[Named]:
    """Return those that are a person of ours."""
    return [one for one in participants if one.type == "Patient" and one.id is not None]


def found(
    caller: Caller, entry: Entry | None, participants: Sequence[Named], *, booked: Iterable[UUID] = ()
) -> Attendance:
    """Return who attends, each once. `entry`: the dossier of the person, None without one.

    `booked`: those whose free slots are asked for, or were: their time may be taken, of the circle or not.

    Raises Invalid, pointing to the participant, for one of ours that is unknown or not shown to the author.
    """
    known = _Known(caller, entry, participants)
    known.may_take |= set(booked)
    attendance = Attendance([], {})
    by_key: dict[UUID, Attending] = {}
    for one in participants:
        if not one.token and one.type == "Location":
            attendance.place = attendance.place or one.label
            continue
        attending = known.of(one)
        if attending is None:
            if one.type == "Patient" and one.need == NEED.INFORMATION:
                # She does not attend: it is about her.
                continue
            raise _unknown(one.rank)
        there = by_key.get(attending.key)
        if there is None:
            by_key[attending.key] = attending
            attendance.ranks[attending.key] = one.rank
        else:
            by_key[attending.key] = _together(there, attending, one)
    attendance.people = list(by_key.values())
    return attendance


def _together(there: Attending, again: Attending, one: Named) -> Attending:
    """Himself and where he practises: the same answer (agenda.md §9, choice i). Raises Invalid."""
    if there.status != again.status:
        what = "Un professionnel nommé deux fois répond deux fois la même chose."
        raise Invalid(Issue(ERROR, "business-rule", what, f"Appointment.participant[{one.rank}].status"))
    actor = ""
    for token in dict.fromkeys([*there.actor.split(), *again.actor.split()]):
        # A name is kept whole or not at all.
        if len(actor) + len(token) < LONGEST:
            actor = f"{actor} {token}".strip()
    return replace(there, actor=actor)


class _Known:
    """Those of ours that are named: one statement for each table that is."""

    def __init__(self, caller: Caller, entry: Entry | None, participants: Sequence[Named]) -> None:
        self.caller, self.entry = caller, entry
        ids = {name: {one.id for one in participants if one.type == name and one.id} for name in PEOPLE | THINGS}
        relatives = {one.id for one in participants if one.type == "RelatedPerson" and one.id}
        roles = ids["PractitionerRole"]
        activities = Activity.objects.select_related("professional").in_bulk(roles) if roles else {}
        alone = ids["Practitioner"] | (roles - activities.keys())
        self.professionals = Professional.objects.in_bulk(alone) if alone else {}
        self.professionals |= {pk: row.professional for pk, row in activities.items()}
        self.members = self._members((alone - self.professionals.keys()) | relatives)
        self.own = key_of_user(caller.user)
        self.may_take = self._of_the_house()

    def _members(self, by_id: set[UUID]) -> dict[UUID, Any]:
        """Return {professional, or member: attendee} of the members of today whom the author may see."""
        if self.entry is None:
            return {}
        access, dossier = self.entry.access, self.entry.dossier.pk
        there = Period.objects.current().filter(dossier_id=dossier).values("member")
        shown = Member.objects.shown_to(access).filter(dossier_id=dossier, pk__in=there)
        people = {row.pk for row in self.professionals.values()}
        rows = shown.filter(pk__in=by_id) | shown.filter(professional__in=people)
        if not access.sees_whole_circle:
            rows = rows.none()
        attendees = attendees_of(rows.select_related("professional").order_by("pk"))
        return {one.member.professional_id or one.member.pk: one for one in attendees if one.member}

    def _of_the_house(self) -> set[UUID]:
        """Return the professionals whose time this caller may take though they are not of the circle."""
        if not self.caller.structure_id or not self.professionals:
            return set()
        people = {row.pk for row in self.professionals.values()}
        here = Activity.objects.active().filter(
            professional__in=people, structure__in=of_one_house(self.caller.structure_id)
        )
        return set(here.values_list("professional_id", flat=True))

    def of(self, one: Named) -> Attending | None:
        said: dict[str, Any] = {"status": one.status, "need": one.need, "actor": one.token, "label": one.label}
        if one.id is None:
            # Of another server, or told in words: nobody’s time here, but of the agenda that is booked.
            own = one.elsewhere if one.elsewhere in self.may_take else None
            key = own or uuid5(NAMESPACE_URL, f"{one.token} {one.label} {one.type}")
            return Attending(key=key, **said | _labelled(one))
        if one.type == "Patient":
            return self._person(one)
        if one.id in self.professionals:
            return self._professional(self.professionals[one.id], one, said)
        if one.type in THINGS:
            return Attending(key=one.id, **said | _labelled(one)) if self._is_ours(one) else None
        return self._member(one)

    def _person(self, one: Named) -> Attending | None:
        if self.entry is None or one.id != self.entry.dossier.pk or one.need == NEED.INFORMATION:
            return None
        return Attending(key=one.id, status=one.status, need=one.need)

    def _professional(self, row: Professional, one: Named, said: dict[str, Any]) -> Attending:
        member = self.members.get(row.pk)
        if member is not None:
            about = {"member": member.member, "user": member.user, "email": member.email, "label": ""}
            return Attending(key=member.key, **said | about)
        if row.pk == self.own:
            user = User.objects.get(pk=self.caller.user.pk)
            return Attending(key=row.pk, **said | {"user": user, "email": user.email, "label": str(row)})
        key = row.pk if row.pk in self.may_take else uuid5(NAMESPACE_URL, f"Practitioner/{row.pk}")
        return Attending(key=key, **said | {"label": one.label or str(row)})

    def _member(self, one: Named) -> Attending | None:
        member = self.members.get(one.id) if one.id else None
        if member is None or member.member is None:
            return None
        is_relative = member.member.kind == Member.Kind.AIDANT
        if is_relative != (one.type == "RelatedPerson"):
            return None
        return Attending(
            key=member.key, member=member.member, user=member.user, email=member.email, status=one.status,
            need=one.need,
        )  # fmt: skip

    def _is_ours(self, one: Named) -> bool:
        assert one.id is not None
        if one.type not in registry.types():
            return False
        return any(provider.has(self.caller, one.id) for provider in registry.for_type(one.type))


def _labelled(one: Named) -> dict[str, Any]:
    return {"label": one.label or _SAID.get(one.type, "Participant")}


_SAID: Final = {
    "Practitioner": "Professionnel", "PractitionerRole": "Professionnel", "Patient": "Personne accompagnée",
    "RelatedPerson": "Proche", "Location": "Lieu", "HealthcareService": "Service", "Device": "Équipement",
}  # fmt: skip
