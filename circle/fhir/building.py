"""A version of a circle as a CareTeam of the guide (profile cds-ihe-careteam 2.0.1). Pure.

Everything comes from the facts of one version; what a client sent is given back wherever it still says the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from circle import roles
from circle.fhir import codes, reading
from circle.participants import Piece, Told, told
from coordination.fhir.finishing import GIVEN_BACK, with_sent
from coordination.fhir.numbers import without_numbers

Resource = dict[str, Any]

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-ihe-careteam"
# From the weakest to the strongest: the state shown is the strongest of the circle's and of the dossier's.
_STRENGTH = ("active", "proposed", "suspended", "inactive", "entered-in-error")
_STATES = {"pause": "suspended", "clos": "inactive"}
# What may name a member in words: withheld from who may not see them all.
WITHHELD = frozenset({"text", "contained", "extension", "modifierExtension", "note", "telecom", "category"})
# Why the circle is there is of the medical rubric (SEC-4).
CLINICAL = frozenset({"reasonCode", "reasonReference", "encounter"})
_KEPT_BACK = {
    "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}]
}
# Made here, not by `with_sent`.
_BY_MEMBER = frozenset({"participant", "managingOrganization"})


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a circle: `facts` as the database wrote them."""

    circle_id: UUID
    dossier_id: UUID
    number: int
    at: dt.datetime
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """What a reader may see of a circle today. `hidden`: members that are not shown to him.

    `houses`: his own structures, all that the reduced circle gives by name; None for who sees it whole. `medical`:
    he reads the medical rubric. All that a CareTeam says differently to another is here: what was made for a view is
    given again to the same view (`versions`).
    """

    hidden: frozenset[UUID] = frozenset()
    houses: frozenset[str] | None = None
    medical: bool = True
    today: dt.date = dt.date.max


def careteam(version: Version, person: str, view: View) -> Resource:
    """Return the CareTeam of a version for one reader; `person`: whom it is around, "" for who may not know."""
    facts, members = version.facts, told(version.facts)
    shown = [member for member in members if member.id not in view.hidden]
    sees_all = view.houses is None and len(shown) == len(members)
    resource: Resource = {
        "resourceType": "CareTeam",
        "id": str(version.circle_id),
        "meta": {
            "versionId": str(version.number),
            "lastUpdated": version.at.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "profile": [PROFILE],
        },
        "identifier": [identifier(version.circle_id, facts)],
        "status": status(facts),
        # A name that somebody gave may be a member's.
        "name": facts["name"]
        if facts["name"] and sees_all and person
        else f"Cercle de soins de {person}"
        if person
        else "Cercle de soins",
        "subject": {"reference": f"Patient/{version.dossier_id}", "type": "Patient"},
        # In the reduced circle the screens tell the days of nobody.
        "period": period(facts, [] if view.houses is not None else shown),
    }
    content = facts["content"] or {}
    if view.houses is not None:
        return _with(resource, _reduced(members, view), _managing(facts, {}, words=False))
    sent = content.get("sent") or {}
    apart = _BY_MEMBER | (frozenset() if sees_all else WITHHELD) | (frozenset() if view.medical else CLINICAL)
    apart |= frozenset() if person else WITHHELD | {"subject"}
    kept = without_numbers({name: value for name, value in sent.items() if name.removeprefix("_") not in apart})
    participants = _participants(shown, content)
    if participants != sent.get("participant", []):
        # A narrative would tell who is there no more.
        kept.pop("text", None)
    resource = with_sent(resource, kept, _SAYS, {})
    _take_meta(resource, sent.get("meta") or {})
    return _with(resource, participants, _managing(facts, sent, words=sees_all))


def without_words(managing: Resource) -> Resource:
    """Return how a client named a responsible structure, without the words, which may name a member; {} for words."""
    return {name: managing[name] for name in ("reference", "type") if "reference" in managing and name in managing}


def identifier(circle_id: UUID, facts: Mapping[str, Any]) -> dict[str, str]:
    """Return by what a circle is known: as a client named it, else ours."""
    system, value = facts["identifier"]
    if not value:
        return {"system": settings.FHIR_IDENTIFIER_SYSTEM_CIRCLE, "value": str(circle_id)}
    return {"system": system, "value": value} if system else {"value": value}


def status(facts: Mapping[str, Any]) -> str:
    """Return the strongest of the state of the circle and of that of the dossier."""
    of_dossier = _STATES.get(facts["state"][0], "active") if facts["state"] else "active"
    return max(facts["status"], of_dossier, key=_STRENGTH.index)


def period(facts: Mapping[str, Any], members: list[Told]) -> Resource:
    """Return since when the circle is there, and until when: it ends, or the dossier is closed (CDS-72).

    Its beginning is that of the `members` one sees, unless a client said it. The profile wants one: there is one, kept
    back, for who sees nobody's days.
    """
    first = min((starts_on for member in members for starts_on, _ in member.stays), default=None)
    starts = facts["starts_on"] or (first.isoformat() if first else None)
    closed = facts["state"][1] if facts["state"] and facts["state"][0] == "clos" else None
    ends = facts["ends_on"] or closed
    return {**({"start": starts} if starts else {"_start": _KEPT_BACK}), **({"end": ends} if ends else {})}


def reference_of(member: Told) -> str:
    """Return what names a member: where he practises, else himself (decision 2026-11-29-fhir-circle)."""
    if member.kind == roles.STRUCTURE:
        return f"Organization/{member.structure_id}"
    if member.kind == roles.PERSON:
        return f"RelatedPerson/{member.id}"
    if member.kind == roles.MANUAL:
        return f"PractitionerRole/{member.id}"
    return f"PractitionerRole/{member.activity_id or member.professional_id}"


def participant(reference: str, piece: Piece) -> Resource:
    """Return the participant of one piece of a member's stays."""
    found: Resource = {"role": codes.role(piece.role)} if piece.role else {}
    found["member"] = {"reference": reference, "type": reference.partition("/")[0]}
    found["period"] = {"start": piece.starts_on.isoformat()}
    if piece.ends_on is not None:
        found["period"]["end"] = piece.ends_on.isoformat()
    return found


def _participants(members: list[Told], content: Mapping[str, Any]) -> list[Resource]:
    """Return the participants: as they were sent while they say what the circle says, in the order they were sent."""
    by_member: dict[UUID, list[_Kept]] = {}
    sent = (content.get("sent") or {}).get("participant", [])
    for rank, (said, line) in enumerate(zip(sent, content.get("read", []), strict=True)):
        id, starts, ends, role, reference = line
        by_member.setdefault(UUID(id), []).append(_Kept(rank, said, (starts, ends), role, reference))
    stands = content.get("stands", {})
    found: list[tuple[int, Resource]] = []
    for member in members:
        found += _of_member(member, by_member.get(member.id, []), stands.get(str(member.id), []), after=len(sent))
    return [said for _, said in sorted(found, key=lambda one: one[0])]


class _Kept(NamedTuple):
    """One participant as it was sent, with how it was read: `role` None when it named none of ours."""

    rank: int
    said: Resource
    days: tuple[str, str | None]
    role: str | None
    reference: str

    def tells(self, piece: Piece) -> bool:
        """Say whether it speaks of these days."""
        own = Piece(reading.day(self.days[0]), reading.day(self.days[1]) if self.days[1] else None)
        return own.meets(piece) or (own.starts_on, own.ends_on) == (piece.starts_on, piece.ends_on)


def _of_member(member: Told, kept: list[_Kept], stood: list[list[Any]], *, after: int) -> list[tuple[int, Resource]]:
    """`stood`: the pieces of the member when his participants were sent."""
    name = reference_of(member)
    if not kept:
        return [(after, participant(name, piece)) for piece in member.pieces]
    kept = kept if any(one.reference == name for one in kept) else []
    pieces = {(p.starts_on.isoformat(), p.ends_on.isoformat() if p.ends_on else None): p for p in member.pieces}
    if kept and [[*days, piece.role] for days, piece in pieces.items()] == stood:
        # With the stays that who sent them left aside.
        aside = [piece for piece in member.pieces if not any(one.tells(piece) for one in kept)]
        return [(one.rank, one.said) for one in kept] + [(kept[0].rank, participant(name, p)) for p in aside]
    roles_then = {(starts, ends): role for starts, ends, role in stood}
    found, place = [], kept[0].rank if kept else after
    for days, piece in pieces.items():
        same = next((one for one in kept if one.days == days and roles_then.get(days) == piece.role), None)
        found.append((same.rank, same.said) if same else (place, participant(name, piece)))
    return found


def _reduced(members: list[Told], view: View) -> list[Resource]:
    """Rule 7: the functions of the coordinator and of emergency contacts, without a name; the own structure.

    Of none of them is it told since when he is there, nor until when, as on the screens.
    """
    found = []
    for member in members:
        if member.id in view.hidden or not member.is_there(view.today):
            continue
        role, reference = member.role_on(view.today), reference_of(member)
        named: Resource = {"reference": reference, "type": reference.partition("/")[0]}
        if member.kind != roles.STRUCTURE or member.structure_id not in (view.houses or ()):
            if role not in (roles.REFERENT, roles.ECON):
                continue
            named = {"type": named["type"], "display": roles.label(role)}
        found.append(({"role": codes.role(role)} if role else {}) | {"member": named})
    return found


def _managing(facts: Mapping[str, Any], sent: Mapping[str, Any], *, words: bool) -> list[Resource]:
    """Return the structure of the dossier, beside those that a client named."""
    kept = sent.get("managingOrganization", [])
    if not words:
        kept = [short for one in kept if (short := without_words(one))]
    referent = f"Organization/{facts['referent']}" if facts["referent"] else ""
    if not referent or any(reading.local(one.get("reference", "")) == referent for one in kept):
        return list(kept)
    return [{"reference": referent, "type": "Organization"}, *kept]


def _with(resource: Resource, participants: list[Resource], managing: list[Resource]) -> Resource:
    if participants:
        resource["participant"] = participants
    if managing:
        resource["managingOrganization"] = managing
    return resource


def _take_meta(resource: Resource, sent: Mapping[str, Any]) -> None:
    # Profiles are what the server vouches for.
    resource["meta"] |= {name: sent[name] for name in GIVEN_BACK if name in sent}


# What the domain knows of a CareTeam, and how it is read: what still reads the same comes back as it was sent.
_SAYS: dict[str, Callable[[Resource], Any]] = {
    "identifier": lambda r: reading.identifier_said(r),
    "status": lambda r: r.get("status"),
    "name": lambda r: r.get("name"),
    "subject": lambda r: reading.local(r["subject"].get("reference", "")),
    "period": lambda r: reading.period_said(r.get("period") or {}),
}
