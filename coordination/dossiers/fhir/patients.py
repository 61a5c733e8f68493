"""Patient: the person of a dossier (CDS-8, 14, 15, 17, 58; INS-4, 9, 12)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Max, Q, QuerySet

from coordination.common.identifiers import InvalidIdentifier, InvalidName
from coordination.common.prepared import Prepared, each_of
from coordination.common.statements import ids_in_one
from coordination.dossiers import actions
from coordination.dossiers.door import Entry
from coordination.dossiers.errors import InsAlreadyUsed, LooksLikeAnother
from coordination.dossiers.fhir import building, entries, finding, managing, reading
from coordination.dossiers.models import Dossier, IdentityVersion
from coordination.fhir import french, keeping, registry, throttling
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content, stamped, with_sent
from coordination.fhir.keeping import Sent
from coordination.fhir.numbers import oid_of
from coordination.fhir.outcomes import Invalid, StillNamed, VersionConflict
from coordination.fhir.registry import (
    CREATE,
    DELETE,
    NEVER,
    READ,
    SEARCH,
    UPDATE,
    DateParam,
    Provider,
    Resource,
    StringParam,
    TokenParam,
)

_R4 = "http://hl7.org/fhir/SearchParameter"
# What a client said of the people around: for who sees the circle (rule 7), as are words that may name them.
_AROUND = frozenset({"contact", "generalPractitioner", "contained", "text"})
_CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/SearchParameter"


# Told by the room of the circle: of some dossiers, those where a member is hidden from his reader.
Hiding = Callable[[Iterable[Entry]], set[UUID]]
_hiding: list[Hiding] = []


def tell_of_hidden(found: Hiding) -> None:
    """Have the room of the circle say where somebody is hidden from his reader."""
    _hiding[:] = [found]


class Patients(Provider):
    key = "dossiers.dossier"
    type = "Patient"
    profile = building.PROFILE
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, DELETE})
    documentation = (
        "La personne d’un dossier. Un Patient créé ici ouvre un dossier au professionnel qui agit, sans l’ajouter au "
        "cercle de soins. L’INS reçue n’est rendue qu’une fois l’identité qualifiée par INSi. Une personne qui "
        "ressemble à une autre est refusée (409), sauf si l’en-tête Duplicate-Reason dit pourquoi c’en est une autre."
    )
    sorts = {"birthdate": "birth_date", "family": "sort_name", "name": "sort_name"}
    params = {
        "identifier": TokenParam(f"{_R4}/Patient-identifier", build=finding.identified, missing=NEVER),
        "family": StringParam(f"{_R4}/individual-family", build=finding.family, missing=NEVER),
        "given": StringParam(f"{_R4}/individual-given", build=finding.given, missing=NEVER),
        "name": StringParam(f"{_R4}/Patient-name", build=finding.name, missing=NEVER),
        "address": StringParam(f"{_R4}/individual-address", build=finding.address, missing=Q(address="", town="")),
        "birthdate": DateParam(f"{_R4}/individual-birthdate", low="born_from", high="born_by", missing=NEVER),
        "gender": TokenParam(f"{_R4}/individual-gender", build=finding.gender, missing=NEVER),
        "active": TokenParam(f"{_R4}/Patient-active", build=finding.active, missing=NEVER),
        "birthplace": StringParam(
            f"{_CDS}/cds-patient-birthplace",
            build=finding.birth_place,
            missing=Q(birth_place="", birth_place_code=""),
        ),
    }

    # ---- Reading ---------------------------------------------------------------------------------------------------

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return finding.with_birth(Dossier.objects.filter(entries.found_by(caller)))

    def has(self, caller: Caller, id: UUID) -> bool:
        return Dossier.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        found = entries.entered(caller, ids, looked=included)
        sent, changed = keeping.kept(self.type, list(found), memo=caller.memo), changed_at(found)
        unseen = _unseen(found, sent)
        return {id: finished(entry, sent.get(id), changed.get(id), unseen[id]) for id, entry in found.items()}

    def read(self, caller: Caller, id: UUID) -> Resource:
        entries.enter(caller, id)
        return super().read(caller, id)

    # ---- Writing ---------------------------------------------------------------------------------------------------

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        caller.afterwards[entries.CREATION] = lambda: entries.creation_failed(caller)
        resource = french.tidied(resource)
        traits = reading.traits(resource)
        matricule, oid = reading.ins(resource)
        with _told(resource), _counted(caller):
            dossier = actions.open_without_circle(
                by=caller.user,
                traits=traits | {"ins_matricule": matricule, "ins_oid": oid},
                contacts=reading.contacts(resource),
                duplicate_reason=str(caller.memo.get("duplicate_reason", "")),
                creation_key=key,
            )
        keep(dossier, resource)
        entries.enter_created(caller, dossier)
        return dossier.pk

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        """Refuse: its journal names a dossier from the first day; it is closed, on screen (GAP-9, issue 5 §3)."""
        entries.enter_to_write(caller, id)
        raise StillNamed("Un dossier ne se supprime pas : son journal le cite. Il se clôt à l’écran.")

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        entry = entries.enter_to_write(caller, id)
        dossier = entry.dossier
        kept = keeping.kept(self.type, [id]).get(id)
        unseen = _unseen({id: entry}, {id: kept} if kept else {})[id]
        current = finished(entry, kept, None, unseen)
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        resource = french.tidied(resource)
        if same_content(current, resource):
            return
        with _told(resource):
            changed = _changed(current, resource, dossier)
            if changed:
                dossier = actions.update_identity(dossier, by=caller.user, version=dossier.version, traits=changed)
            before, after = reading.contacts(current), reading.contacts(resource)
            reached = {name: value for name, value in after.items() if value != before[name]}
            if reached:
                dossier = actions.update_contacts(
                    dossier, by=caller.user, version=dossier.contacts_version, contacts=reached
                )
        keep(dossier, unseen | resource)
        entries.changed(caller, entry, dossier)


def keep(dossier: Dossier, resource: Resource) -> None:
    """Keep what a client sent but the INS and our own identifier."""
    rest = reading.without_ins(resource)
    others = [one for one in rest.get("identifier", []) if not _is_ours(one)]
    kept = {name: value for name, value in rest.items() if name != "identifier"}
    keeping.keep("Patient", dossier.pk, kept | {"identifier": others} if others else kept)


def _changes_of(*, ids: str) -> QuerySet[Any]:
    versions = IdentityVersion.objects.filter(dossier__in=each_of(ids))
    return versions.values_list("dossier_id").annotate(last=Max("replaced_at"))


_changes = Prepared(_changes_of, one_plan=True)


def changed_at(ids: Iterable[UUID]) -> dict[UUID, dt.datetime]:
    """Return when each identity last changed, of those that did. One SQL statement."""
    return dict(_changes.tuples(ids=ids_in_one(ids)))


def finished(entry: Entry, kept: Sent | None, identity_at: dt.datetime | None, unseen: Resource) -> Resource:
    """Return the Patient of a dossier for who has entered it, what was sent put back but `unseen`, with its `meta`."""
    dossier = entry.dossier
    built = building.patient(dossier)
    content = {name: value for name, value in kept.content.items() if name not in unseen} if kept else {}
    others = content.pop("identifier", [])
    if not built["active"]:
        # A closed dossier is closed for everybody.
        content.pop("active", None)
    whole = with_sent(built, content, reading.SAYS, reading.OURS)
    whole = whole | {"identifier": [*built["identifier"], *others]}
    moments = [dossier.created_at, identity_at, dossier.contacts_changed_at, kept.at if kept else None]
    return stamped(whole, content, profiles=building.profiles(dossier), at=moments)


def _unseen(entries_: Mapping[UUID, Entry], sent: Mapping[UUID, Sent]) -> dict[UUID, Resource]:
    """Return {dossier: what was sent and is not told to its reader}: he does not take it away either.

    One SQL statement at most, none where nothing was sent of the people around.
    """
    around = {id: {n: v for n, v in one.content.items() if n in _AROUND} for id, one in sent.items()}
    whole = [one for id, one in entries_.items() if around.get(id) and one.access.sees_whole_circle]
    hiding = _hiding[0](whole) if whole else set()
    told = {one.dossier.pk for one in whole} - hiding
    return {id: {} if id in told else around.get(id, {}) for id in entries_}


def _is_ours(identifier: Resource) -> bool:
    return identifier.get("system") == settings.FHIR_IDENTIFIER_SYSTEM_PATIENT


def _changed(current: Resource, resource: Resource, dossier: Dossier) -> dict[str, Any]:
    """Return the traits that a client changes of what it has read; those it leaves stay as the dossier has them.

    An INS that is not said stays: a client that may not see it does not remove it.
    """
    before, after = reading.traits(current), reading.traits(resource)
    changed = {name: value for name, value in after.items() if value != before[name]}
    sent = reading.ins(resource)
    if sent[0] and sent != (dossier.ins_matricule, dossier.ins_oid):
        changed |= {"ins_matricule": sent[0], "ins_oid": sent[1]}
    if changed and "identity_status" not in changed:
        # By hand, nobody states more than a checked document (INS-3).
        moves = {"identity_status": after["identity_status"]}
        strict = any(name in changed for name in actions.STRICT_TRAITS)
        changed |= moves if strict else {}
    return changed


@contextmanager
def _counted(caller: Caller) -> Iterator[None]:
    """Count what tells that somebody is followed: names are not tried one after the other (SEC-25)."""
    try:
        yield
    except (LooksLikeAnother, InsAlreadyUsed):
        throttling.count(f"lookalike:{caller.owner}:{caller.user.pk}", settings.FHIR_LOOKALIKES_PER_MINUTE)
        raise


@contextmanager
def _told(resource: Resource) -> Iterator[None]:
    """Tell a refusal of the traits by the element that it speaks of."""
    try:
        yield
    except InvalidName as refusal:
        raise Invalid(str(refusal), expression="Patient.name") from None
    except InvalidIdentifier as refusal:
        said = resource.get("identifier", [])
        place = french.first(said, oid_of) or 0
        element = "system" if refusal.field == "oid" else "value"
        raise Invalid(str(refusal), expression=f"Patient.identifier[{place}].{element}") from None


def declare() -> None:
    """Declare what the dossiers say to the FHIR engine, once Django is ready."""
    registry.register(Patients())
    registry.set_managed(managing.managed, managing.enter)
