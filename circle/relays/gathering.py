"""The circle as it may leave: what the one who asks may read today, never a discreet member."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from django.db.models import F

from circle.circles import CircleVersion
from circle.fhir.building import Version, View, careteam
from circle.fhir.versions import views_of
from circle.models import Member
from coordination.common.errors import DomainError
from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.fhir import references, registry
from coordination.fhir.callers import Caller
from coordination.fhir.formats import Resource
from coordination.fhir.search.values import uuid_of
from coordination.partners.models import Partner
from habilitations import access
from habilitations.errors import NotAllowed
from habilitations.models import Outcome
from habilitations.rubriques import Action, Niveau, Rubrique
from habilitations.traces import Via

EXPORTED = "export"
# What a member leads to: his person, his structure, the legal entity of this one.
ROUNDS: Final = 4
# Whole resources of the guide; nothing else leaves with a circle.
WITH_A_CIRCLE: Final = frozenset({"Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization"})
EVERYTHING: Final = frozenset({"user/*.crus"})


def caller_of(entry: Entry, partner: Partner) -> Caller:
    """Return who calls: the one who asked, already inside, speaking for what this partner knows of the directory."""
    owner, via = f"partner:{partner.pk}", Via(software=partner.name)
    caller = Caller(user=entry.user, owner=owner, scopes=EVERYTHING, via=via, name=partner.name)
    # Its trace is written: the exchange is one line of the journal, not one for each table read.
    caller.memo["entered", Rubrique.CERCLE] = {entry.dossier.pk: entry}
    return caller


def enter(user: Any, dossier_id: UUID, partner: Partner, why: str) -> Entry:
    """Enter a dossier to exchange its circle, which its journal says (SEC-9).

    Who writes in the circle and may export the dossier, asked at each attempt (SECT-7). Raises DossierUnknown,
    LevelMissing, NotAllowed, each with its trace.
    """
    entry = door.look(user, dossier_id)
    about: dict[str, Any] = {"rubrique": Rubrique.CERCLE, "reason": f"{why} {partner.name}"}
    try:
        access.require(entry.access, Rubrique.CERCLE, Niveau.ECRITURE)
        if not (entry.access.may(Action.EXPORT_DOSSIER) and entry.access.sees_whole_circle):
            raise NotAllowed
    except DomainError:
        entry.trace(EXPORTED, outcome=Outcome.REFUSED, **about)
        raise
    entry.trace(EXPORTED, **about)
    return entry


def circle_of(entry: Entry, *, discreet: bool = False) -> Resource | None:
    """Return the CareTeam of a dossier without its discreet members, whoever asks; None when there is no circle.

    `discreet`: with all of them, to compare and never to show.
    """
    version = (
        CircleVersion.objects.filter(dossier_id=entry.dossier.pk, number=F("circle__version"))
        .values_list("circle_id", "dossier_id", "number", "at", "facts")
        .first()
    )
    if version is None:
        return None
    members = Member.objects.filter(dossier_id=entry.dossier.pk, discreet=True)
    hidden = frozenset() if discreet else frozenset(members.values_list("pk", flat=True))
    view: View = replace(views_of([entry])[entry.dossier.pk], hidden=hidden)
    return careteam(Version(*version), entry.dossier.full_name, view)


def with_people(caller: Caller, circle: Resource) -> list[Resource]:
    """Return the circle and all that it leads to; a participant whose member is not found is left out."""
    found: dict[str, Resource] = {}
    wanted = _named([circle], found)
    for _ in range(ROUNDS):
        fresh = _loaded(caller, wanted)
        if not fresh:
            break
        found |= fresh
        # What a person's own record names (her doctor of a former time...) is no part of her circle.
        wanted = _named((one for one in fresh.values() if one["resourceType"] != "Patient"), found)
    shown = [one for one in circle.get("participant", []) if one["member"].get("reference") in found]
    whole = {name: value for name, value in circle.items() if name != "participant"}
    return [whole | ({"participant": shown} if shown else {}), *found.values()]


def _named(resources: Iterable[Resource], found: dict[str, Resource]) -> dict[str, list[UUID]]:
    wanted: dict[str, list[UUID]] = {}
    for resource in resources:
        for said, _ in references.each(resource):
            local = references.literal(said["reference"], "")
            uuid = uuid_of(local[1]) if local and local[0] in WITH_A_CIRCLE else None
            if local and uuid and "/".join(local) not in found:
                wanted.setdefault(local[0], []).append(uuid)
    return wanted


def _loaded(caller: Caller, wanted: dict[str, list[UUID]]) -> dict[str, Resource]:
    found: dict[str, Resource] = {}
    for type_name, ids in wanted.items():
        left = list(dict.fromkeys(ids))
        for provider in registry.for_type(type_name):
            loaded = provider.load(caller, left, included=True) if left else {}
            found |= {f"{type_name}/{id}": resource for id, resource in loaded.items()}
            left = [id for id in left if id not in loaded]
    return found
