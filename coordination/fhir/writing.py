"""Creating and updating one resource (CDS-8 to 16, 31 to 36); the transaction of a Bundle does it many times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from coordination.common.constraints import sentence_of
from coordination.fhir import conditional, naming, registry
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import (
    Conflict,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    StillNamed,
    Unknown,
    Unreadable,
    VersionConflict,
)
from coordination.fhir.registry import CREATE, DELETE, UPDATE, Provider, Resource
from coordination.fhir.search.searching import require_scope


@dataclass(frozen=True)
class Written:
    """What stands once written. `created` False: a condition found it there, or it was updated."""

    provider: Provider
    id: UUID
    created: bool


def create(caller: Caller, resource: Resource, *, key: UUID, if_none_exist: str = "") -> Written:
    """Create a checked resource, or return the one that answers the condition. Inside the caller's transaction.

    Raises Forbidden (scope), SeveralMatch, MethodNotAllowed, Conflict, and the refusals of the room.
    """
    type_name = resource["resourceType"]
    require_scope(caller, type_name, "c")
    if if_none_exist:
        there = conditional.matching(caller, type_name, if_none_exist)
        if there:
            return Written(*there, created=False)
    provider = _taker(resource)
    try:
        return Written(provider, provider.create(caller, resource, key=key), created=True)
    except IntegrityError as broken:
        raise _conflict(broken) from None


def create_many(caller: Caller, sent: Sequence[tuple[Resource, UUID]]) -> list[Written]:
    """Create checked resources of one type, each (resource, key), by sets where their room knows how (PERF-12).

    Inside the caller's transaction, which a refusal leaves to be undone. Raises as `create`, for whichever.
    """
    require_scope(caller, sent[0][0]["resourceType"], "c")
    takers: dict[Provider, list[int]] = {}
    for rank, (resource, _) in enumerate(sent):
        takers.setdefault(_taker(resource), []).append(rank)
    made: dict[int, Written] = {}
    for provider, ranks in takers.items():
        ids = provider.create_many(caller, [sent[rank] for rank in ranks])
        made |= {rank: Written(provider, id, created=True) for rank, id in zip(ranks, ids, strict=True)}
    return [made[rank] for rank in range(len(sent))]


def update(caller: Caller, id: str, resource: Resource, *, expected: str | None = None) -> Written:
    """Replace a checked resource by another. Inside the caller's transaction.

    Raises Unreadable when the address and the body do not name the same (CDS-16), Unknown (this server gives the ids:
    nothing is created by an update), VersionConflict, and the refusals of the room.
    """
    type_name = resource["resourceType"]
    require_scope(caller, type_name, "u")
    if resource.get("id") != id:
        raise Unreadable(
            "L’identifiant de l’adresse et celui de la ressource diffèrent.", expression=f"{type_name}.id"
        )
    provider, uuid = holder(caller, type_name, id)
    if UPDATE not in provider.interactions:
        raise MethodNotAllowed(f"{type_name} ne se modifie pas.")
    try:
        provider.update(caller, uuid, resource, expected=expected)
    except IntegrityError as broken:
        raise _conflict(broken) from None
    return Written(provider, uuid, created=False)


def update_matching(
    caller: Caller, criteria: str, resource: Resource, *, key: UUID, expected: str | None = None
) -> Written:
    """Replace the one resource that answers `criteria`, or create it (FHIR R4 http, conditional update).

    What is created must answer them too, so that the same call again finds it; an id that it says is not ours. Raises
    SeveralMatch (412), Unreadable (400) when the body names another one, and what `create` and `update` raise.
    """
    type_name = resource["resourceType"]
    require_scope(caller, type_name, "u")
    there = conditional.matching(caller, type_name, criteria)
    if there is not None:
        id = str(there[1])
        return update(caller, id, {"id": id} | resource, expected=expected)
    if expected is not None:
        raise VersionConflict
    made = create(caller, resource, key=key)
    again = conditional.matching(caller, type_name, criteria, lock=False)
    if again is None or again[1] != made.id:
        raise Invalid("La ressource ne répond pas à la condition de l’adresse.", expression=type_name)
    return made


def delete(caller: Caller, type_name: str, id: str, *, expected: str | None = None) -> None:
    """Take one resource away. Inside the caller's transaction.

    Raises Forbidden (scope, or another's), Unknown, StillNamed (409), VersionConflict, MethodNotAllowed.
    """
    if not any(DELETE in provider.interactions for provider in registry.for_type(type_name)):
        raise MethodNotAllowed(f"{type_name} ne se supprime pas.")
    require_scope(caller, type_name, "d")
    provider, uuid = holder(caller, type_name, id)
    if DELETE not in provider.interactions:
        raise Forbidden("Cette ressource ne se supprime pas.")
    try:
        # Apart: what is still named leaves the transaction usable.
        with transaction.atomic():
            provider.delete(caller, uuid, expected=expected)
            registry.tell_gone(caller, type_name, uuid)
            if naming.is_named(type_name, uuid):
                raise StillNamed
    except (ProtectedError, IntegrityError):
        raise StillNamed from None


def holder(caller: Caller, type_name: str, id: str) -> tuple[Provider, Any]:
    """Return who answers for an id. Raises Unknown."""
    providers = registry.for_type(type_name)
    uuid = providers[0].id_of(id)
    if uuid is None:
        raise Unknown
    if len(providers) == 1:
        return providers[0], uuid
    for provider in providers:
        if provider.has(caller, uuid):
            return provider, uuid
    raise Unknown


def _taker(resource: Resource) -> Provider:
    for provider in registry.for_type(resource["resourceType"]):
        if CREATE in provider.interactions and provider.takes(resource):
            return provider
    raise MethodNotAllowed(f"{resource['resourceType']} ne se crée pas.")


def _conflict(broken: IntegrityError) -> Exception:
    sentence = sentence_of(broken)
    return Conflict(sentence) if sentence else broken
