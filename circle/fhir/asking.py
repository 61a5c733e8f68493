"""From a CareTeam that was sent to what is asked of the circle (`circle.actions.write_circle`)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from circle.actions.assigning import LATEST
from circle.actions.wanted import Asked, Said
from circle.circles import Circle
from circle.fhir import codes, reading, targets
from circle.fhir.building import CLINICAL, WITHHELD, without_words
from circle.models import Member
from coordination.directory.models import Structure
from coordination.dossiers.door import Entry
from coordination.fhir.finishing import GIVEN_BACK
from coordination.fhir.outcomes import ERROR, Invalid, Issue
from coordination.fhir.search.values import uuid_of

Resource = dict[str, Any]
Retained = list[tuple[Resource, list[Any]]]


def asked_of(entry: Entry, resource: Resource, current: Resource | None) -> tuple[Said, list[Asked]]:
    """Return what a CareTeam asks; `current` is the same as its author reads it, None for a new one.

    What is as the circle says by itself (name, identifier, beginning) stays to the circle to say. What its author may
    not see of what others sent is kept. Raises Invalid, with the element.
    """
    sent = {name: value for name, value in resource.items() if name not in ("resourceType", "id", "meta")}
    if meta := {name: value for name, value in resource.get("meta", {}).items() if name in GIVEN_BACK}:
        sent["meta"] = meta
    participants = [dict(one) for one in sent.get("participant", [])]
    if participants:
        sent["participant"] = participants
    circle = Circle.objects.filter(dossier_id=entry.dossier.pk).first()
    asked = _participants(entry, participants)
    retained = _retain(entry, sent, circle)
    said = _said(sent, current or {}, circle, retained)
    if said.starts_on and not entry.dossier.birth_date <= said.starts_on <= timezone.localdate() + LATEST:
        what = "Un cercle commence après la naissance de la personne, et deux ans à l’avance au plus."
        raise Invalid(Issue(ERROR, "value", what, "CareTeam.period.start"))
    return said, asked


def _participants(entry: Entry, participants: list[Resource]) -> list[Asked]:
    named = [one.get("member", {}).get("reference", "") for one in participants]
    asked = []
    for rank, (one, target) in enumerate(zip(participants, targets.found(entry, named), strict=True)):
        starts_on, ends_on = reading.period_said(one.get("period") or {}, f"CareTeam.participant[{rank}].period")
        role = codes.role_for(one.get("role", []), target.kind, target.profession)
        asked.append(Asked(target, starts_on, ends_on, role, reading.local(named[rank])))
    return asked


def _said(
    sent: Resource, current: Resource, circle: Circle | None, retained: list[tuple[Resource, list[Any]]]
) -> Said:
    said_now = reading.period_said(current.get("period") or {})
    starts_on, ends_on = reading.period_said(sent.get("period") or {}, "CareTeam.period")
    identifier, name = reading.identifier_said(sent), sent.get("name", "")
    _fit("CareTeam.identifier", 200, *identifier)
    _fit("CareTeam.name", 300, name)
    if circle is not None:
        if not circle.identifier_value and identifier == reading.identifier_said(current):
            identifier = "", ""
        if name == current.get("name"):
            # As he reads it, which may be without what somebody called it.
            name = circle.name
        if circle.starts_on is None and starts_on == said_now[0]:
            starts_on = None
    return Said(
        status=sent.get("status", Circle.Status.ACTIVE), name=name, identifier=identifier, starts_on=starts_on,
        ends_on=ends_on, managing=_managing(sent), sent=sent, retained=tuple(retained),
        retained_stands=_stands(circle, retained),
    )  # fmt: skip


def _stands(circle: Circle | None, retained: Retained) -> tuple[tuple[str, Any], ...]:
    stands = (circle.content or {}).get("stands", {}) if circle else {}
    return tuple((line[0], stands[line[0]]) for _, line in retained if line[0] in stands)


def _fit(at: str, limit: int, *texts: str) -> None:
    if any(len(text) > limit for text in texts):
        raise Invalid(Issue(ERROR, "too-long", f"{limit} caractères au plus.", at))


def _managing(sent: Resource) -> tuple[UUID, ...]:
    """Return the structures named as responsible that are kept here; the others are words."""
    named = [reading.local(one.get("reference", "")) for one in sent.get("managingOrganization", [])]
    ids = {rank: uuid_of(one.removeprefix("Organization/")) for rank, one in enumerate(named) if one}
    known = set(Structure.objects.filter(pk__in=[id for id in ids.values() if id]).values_list("pk", flat=True))
    for rank, id in ids.items():
        if id not in known:
            at = f"CareTeam.managingOrganization[{rank}]"
            raise Invalid(Issue(ERROR, "not-found", "Cette structure n’existe pas.", at))
    return tuple(dict.fromkeys(id for id in ids.values() if id))


def _retain(entry: Entry, sent: Resource, circle: Circle | None) -> Retained:
    """Return the participants that others sent and that this author may not see, each with how it was read.

    With them stays what may name them in words, and what is of the medical rubric, unless he says otherwise.
    """
    content = (circle.content if circle else None) or {}
    if entry.access.sees_discreet_members:
        return []
    there = Q(periods__isnull=False) | Q(plans__isnull=False, plans__closed_at=None)
    discreet = Member.objects.filter(there, dossier_id=entry.dossier.pk, discreet=True)
    hidden = {str(id) for id in discreet.values_list("pk", flat=True)}
    before, apart = content.get("sent", {}), CLINICAL | (WITHHELD if hidden else frozenset())
    sent |= {name: before[name] for name in apart & before.keys() - sent.keys()}
    if hidden:
        _give_words_back(sent, before)
    lines = zip(content.get("sent", {}).get("participant", []), content.get("read", []), strict=True)
    return [(participant, line) for participant, line in lines if line[0] in hidden]


def _give_words_back(sent: Resource, before: Resource) -> None:
    """Put back the words about responsible structures that this author was not told."""
    known = before.get("managingOrganization", [])
    named = [next((w for w in known if without_words(w) == one), one) for one in sent.get("managingOrganization", [])]
    named += [one for one in known if not without_words(one) and one not in named]
    if named:
        sent["managingOrganization"] = named
