"""Keeping what a client sent, and giving it back as long as it says what the product says."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, NamedTuple
from uuid import UUID

from coordination.common.statements import ids_in_one, rows
from coordination.fhir.formats import stored
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.numbers import MARKS, without_numbers

Resource = dict[str, Any]
# What the server owns in every resource: never kept.
OURS = frozenset({"resourceType", "id", "meta"})
# A call asks it of each type that it loads: through the ORM, that is more than what is read.
_KEPT = """
SELECT resource_id, content::text, at FROM fhir_kept
WHERE resource_type = %(type)s AND resource_id = ANY(%(ids)s) AND owner = %(owner)s
"""
_AHEAD = """
SELECT resource_type, resource_id, owner, content::text, at FROM fhir_kept
WHERE resource_type = ANY(%(types)s::text[]) AND resource_id = ANY(%(ids)s::uuid[]) AND owner IN ('', %(owner)s)
"""
# Where it is in the memo of a call.
_MEMO = "kept ahead"


def keep(resource_type: str, resource_id: UUID, resource: Resource, *, owner: str = EVERYBODY) -> None:
    """Keep a resource as it was sent, but any INS, in the caller's transaction. One statement."""
    keep_many(resource_type, [(resource_id, resource)], owner=owner)


def keep_many(resource_type: str, sent: Iterable[tuple[UUID, Resource]], *, owner: str = EVERYBODY) -> None:
    """Keep several resources, each once, as `keep` does one. One statement, none for no resource."""
    Kept.objects.bulk_create(
        [
            Kept(resource_type=resource_type, resource_id=id, owner=owner, content=_to_keep(resource))
            for id, resource in sent
        ],
        update_conflicts=True,
        unique_fields=["resource_type", "resource_id", "owner"],
        update_fields=["content", "at"],
    )


def _to_keep(resource: Resource) -> Resource:
    content: Resource = without_numbers({name: value for name, value in resource.items() if name not in OURS})
    # Tags, security labels and profiles are the client's own; version and date are ours.
    if said := {k: v for k, v in resource.get("meta", {}).items() if k in ("tag", "security", "profile", "source")}:
        content["meta"] = said
    return content


def forget(resource_type: str, ids: Iterable[UUID]) -> None:
    """Forget what was sent of resources that are no more, whoever sent it."""
    Kept.objects.filter(resource_type=resource_type, resource_id__in=list(ids)).delete()


class Sent(NamedTuple):
    """What a client sent of a resource, and when."""

    content: Resource
    at: dt.datetime


class Ahead:
    """What clients sent of many resources, of whichever types: read in few statements, told by `kept`."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._read: list[tuple[frozenset[str], frozenset[UUID]]] = []
        self._found: dict[tuple[str, UUID, str], tuple[str, dt.datetime]] = {}

    def unread(self, resource_type: str, ids: Sequence[UUID]) -> list[UUID]:
        """Return those of some ids that were not read."""
        read = [known for types, known in self._read if resource_type in types]
        if any(known.issuperset(ids) for known in read):
            return []
        return [id for id in ids if not any(id in known for known in read)]

    def read(self, types: frozenset[str], ids: frozenset[UUID]) -> None:
        """Read what was sent of these ids, everybody's and the partner's own, in each of the types. One statement."""
        ids = ids.difference(*(known for read, known in self._read if types <= read))
        self._read.append((types, ids))
        wanted = {"types": "{" + ",".join(sorted(types)) + "}", "ids": ids_in_one(ids), "owner": self._owner}
        for name, id, owner, content, at in rows(_AHEAD, wanted):
            self._found[name, id, owner] = content, at

    def sent(self, resource_type: str, ids: Iterable[UUID], owner: str) -> Iterator[tuple[UUID, str, dt.datetime]]:
        """Yield (id, what was sent, when) of those that were read."""
        for id in ids:
            if said := self._found.get((resource_type, id, owner)):
                yield id, *said


@contextmanager
def reading_ahead(memo: dict[Any, Any], owner: str) -> Iterator[Ahead]:
    """Let `kept` tell, inside, what was read ahead; it is forgotten at the end, for a call that goes on may write."""
    memo[_MEMO] = Ahead(owner)
    try:
        yield memo[_MEMO]
    finally:
        del memo[_MEMO]


def kept(
    resource_type: str, ids: Iterable[UUID], owner: str = EVERYBODY, *, memo: Mapping[Any, Any] = MappingProxyType({})
) -> dict[UUID, Sent]:
    """Return {id: what is kept}, of everybody's or a partner's own. One SQL statement, none for no id.

    `memo`: that of the call, which may have been `reading_ahead`.
    """
    wanted, ahead = list(ids), memo.get(_MEMO)
    left = ahead.unread(resource_type, wanted) if ahead else wanted
    lines = rows(_KEPT, {"type": resource_type, "ids": left, "owner": owner}) if left else []
    known = ahead.sent(resource_type, wanted, owner) if ahead else ()
    return {id: Sent(_read(content), at) for id, content, at in (*known, *lines)}


def _read(content: str) -> Resource:
    """Return what is kept; what a version that did not take numbers out wrote says them no more.

    Migration 0004_kept_without_numbers took them out of the table, while such a version could still be serving.
    """
    said: Resource = json.loads(content, cls=stored.Decoder)
    return without_numbers(said) if any(mark in content for mark in MARKS) else said


def overlay(
    sent: Mapping[str, Any] | None, built: Resource, says: Mapping[str, Callable[[Resource], Any]]
) -> Resource:
    """Return `built` with the elements of `sent` that still say the same.

    `says` holds, for each element the domain knows, what reads its value from a resource: an element as it was sent
    is given back while reading it gives what reading the built one gives. Elements the domain does not know are given
    back as they were sent. Elements of `built` that the domain knows and `sent` has not are the domain's.
    """
    if not sent:
        return built
    whole = dict(built)
    for name, value in sent.items():
        if name in OURS:
            continue
        base = name.removeprefix("_")
        if base not in says:
            whole[name] = value
    for name, read in says.items():
        if name in sent and read({name: sent[name]}) == read(built):
            whole[name] = sent[name]
            if f"_{name}" in sent:
                whole[f"_{name}"] = sent[f"_{name}"]
    return whole
