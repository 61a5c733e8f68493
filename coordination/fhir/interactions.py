"""The interactions of one request, whatever its format: read, vread, history, create, update, search."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from coordination.fhir import (
    answers,
    attempts,
    checking,
    conditional,
    patching,
    references,
    registry,
    replays,
    writing,
)
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.models import Replay
from coordination.fhir.outcomes import INFORMATION, Issue, MethodNotAllowed, Unknown, Unreadable, outcome
from coordination.fhir.registry import HISTORY, HISTORY_OF_TYPE, PATCH, VREAD, Provider, Resource
from coordination.fhir.search import pages, searching
from coordination.fhir.search.asking import DEFAULT_COUNT, LARGEST_COUNT
from coordination.fhir.search.values import moment

# What a history understands, told again in its `self` link.
_OF_HISTORY = ("_count", "_since", "_format")


def read(caller: Caller, type_name: str, id: str, *, elements: str = "", if_none_match: str = "") -> Answer:
    """Return one resource (CDS-15, 66); 304 when the caller already has this version."""
    searching.require_scope(caller, type_name, "r")
    provider, uuid = writing.holder(caller, type_name, id)
    resource = provider.read(caller, uuid)
    headers = answers.headers_of(resource)
    if if_none_match and conditional.is_known(if_none_match, headers["ETag"]):
        return Answer(304, None, headers)
    if elements:
        resource = searching.only_elements(resource, elements.split(","))
    return Answer(200, resource, headers)


def vread(caller: Caller, type_name: str, id: str, number: str) -> Answer:
    """Return one version (CDS-67), filtered by what the caller may see today."""
    searching.require_scope(caller, type_name, "r")
    provider, uuid = writing.holder(caller, type_name, id)
    if VREAD in provider.interactions:
        resource = provider.version(caller, uuid, number)
    else:
        # No former version is kept: the current one is where a creation said it was.
        resource = provider.read(caller, uuid)
        if resource["meta"]["versionId"] != number:
            raise Unknown
    return Answer(200, resource, answers.headers_of(resource))


def create(
    caller: Caller, type_name: str, resource: Resource, *, base: str, prefer: dict[str, str], key: str = "",
    if_none_exist: str = "", body: bytes = b"",
) -> Answer:  # fmt: skip
    """Create one resource: 201 with where it is (CDS-13), 200 for one that a condition found."""
    searching.require_scope(caller, type_name, "c")
    _require_type(type_name, resource)
    said = checking.require_sound(resource)
    resource = references.at_home(resource, base)

    def write() -> Answer:
        replay = replays.begun(caller, key, f"POST {type_name} {if_none_exist} ".encode() + body)
        if isinstance(replay, Answer):
            return replay
        written = writing.create(caller, resource, key=replays.key_of(caller, key), if_none_exist=if_none_exist)
        answer = _written(caller, written, base, prefer, said)
        if isinstance(replay, Replay):
            replays.done(replay, answer, body=False)
        return answer

    return attempts.attempt(caller, write)


def update(
    caller: Caller, type_name: str, id: str, resource: Resource, *, base: str, prefer: dict[str, str],
    expected: str | None = None,
) -> Answer:  # fmt: skip
    """Replace one resource (CDS-14, 32 to 35)."""
    searching.require_scope(caller, type_name, "u")
    _require_type(type_name, resource)
    said = checking.require_sound(resource)
    resource = references.at_home(resource, base)

    def write() -> Answer:
        written = writing.update(caller, id, resource, expected=expected)
        return _written(caller, written, base, prefer, said)

    return attempts.attempt(caller, write)


def update_matching(
    caller: Caller, type_name: str, criteria: str, resource: Resource, *, base: str, prefer: dict[str, str],
    expected: str | None = None,
) -> Answer:  # fmt: skip
    """Replace the one that answers the criteria (200), or create it (201): GAP-82, GAP-83."""
    if not any(provider.conditional_update for provider in registry.for_type(type_name)):
        raise MethodNotAllowed(f"{type_name} ne se modifie que par son identifiant.")
    searching.require_scope(caller, type_name, "u")
    _require_type(type_name, resource)
    said = checking.require_sound(resource)
    resource = references.at_home(resource, base)

    def write() -> Answer:
        key = replays.key_of(caller, "")
        written = writing.update_matching(caller, criteria, resource, key=key, expected=expected)
        return _written(caller, written, base, prefer, said)

    return attempts.attempt(caller, write)


def patch(
    caller: Caller, type_name: str, id: str, operations: Any, *, base: str, prefer: dict[str, str],
    expected: str | None = None,
) -> Answer:  # fmt: skip
    """Change some elements of one resource by a JSON Patch (RFC 6902), as if the whole had been sent (GAP-34).

    Without a version, the operations are done on what stands: overtaken by another one, they are done again on that.
    """
    for letter in "ru":
        # A test that fails says what is there.
        searching.require_scope(caller, type_name, letter)
    provider, uuid = writing.holder(caller, type_name, id)
    if PATCH not in provider.interactions:
        raise MethodNotAllowed(f"{type_name} ne se modifie que par PUT.")

    def write() -> Answer:
        current = provider.read(caller, uuid)
        resource = patching.patched(current, operations)
        _require_type(type_name, resource)
        said = checking.require_sound(resource)
        # Of a version of which nobody said which, the one that was read just now: nothing passes in between.
        seen = expected or current["meta"]["versionId"]
        written = writing.update(caller, id, references.at_home(resource, base), expected=seen)
        return _written(caller, written, base, prefer, said)

    return attempts.attempt(caller, write, reads_again=expected is None)


def delete(caller: Caller, type_name: str, id: str, *, expected: str | None = None) -> Answer:
    """Take away one resource that this caller created and nothing else names (GAP-9, GAP-27): 204, nothing to say."""

    def write() -> Answer:
        writing.delete(caller, type_name, id, expected=expected)
        return Answer(204)

    return attempts.attempt(caller, write)


def _require_type(type_name: str, resource: Resource) -> None:
    if resource.get("resourceType") != type_name:
        raise Unreadable(f"Cette adresse attend une ressource {type_name}.")


def _written(
    caller: Caller, written: writing.Written, base: str, prefer: dict[str, str], said: Iterable[Issue]
) -> Answer:
    status = 201 if written.created else 200
    resource = written.provider.load(caller, [written.id]).get(written.id)
    if resource is None:
        # Written, and not for its author to read.
        return Answer(status)
    headers = answers.headers_of(resource)
    if written.created:
        headers["Location"] = answers.location(base, resource)
    else:
        headers["Content-Location"] = answers.location(base, resource)
    match answers.preferred(prefer, readable=caller.may(resource["resourceType"], "r")):
        case "minimal":
            return Answer(status, None, headers)
        case "OperationOutcome":
            return Answer(status, outcome([*said] or [Issue(INFORMATION, "informational", "C’est fait.")]), headers)
    return Answer(status, resource, headers)


def history(caller: Caller, type_name: str, id: str | None, pairs: Iterable[tuple[str, str]], *, base: str) -> Answer:
    """Return the versions of one resource, or of every one the caller may read, newest first (CDS-68, 69)."""
    searching.require_scope(caller, type_name, "r")
    asked = {name: value for name, value in pairs if value}
    of = f"{type_name}/{id}/_history" if id else f"{type_name}/_history"
    begun = pages.opened(asked[pages.PAGE], owner=caller.owner, of=of) if pages.PAGE in asked else {}
    count = begun.get("count") or _count(asked.get("_count", ""))
    since = begun.get("since") or (moment(asked["_since"], "_since").low.isoformat() if "_since" in asked else None)
    provider, uuid = _with_history(caller, type_name, id)
    at = dt.datetime.fromisoformat(since) if since else None
    before = tuple(begun["before"]) if begun else None
    lines = provider.history(caller, uuid, since=at, before=before, count=count + 1)
    address = f"{base}/{of}"
    query = urlencode({name: asked[name] for name in _OF_HISTORY if name in asked})
    link = [{"relation": "self", "url": f"{address}?{query}" if query else address}]
    bundle: Resource = {"resourceType": "Bundle", "type": "history", "link": link}
    if len(lines) > count:
        begins = {"owner": caller.owner, "of": of, "count": count, "since": since, "before": lines[count - 1][0]}
        link.append(pages.following(address, begins, [asked["_format"]] if "_format" in asked else []))
    if entries := [_line(base, method, resource) for _, method, resource in lines[:count]]:
        bundle["entry"] = entries
    elif id and not begun and since is None:
        raise Unknown
    return Answer(200, bundle)


def _with_history(caller: Caller, type_name: str, id: str | None) -> tuple[Provider, Any]:
    wanted = HISTORY if id else HISTORY_OF_TYPE
    provider, uuid = writing.holder(caller, type_name, id) if id else (registry.for_type(type_name)[0], None)
    if wanted not in provider.interactions:
        raise MethodNotAllowed(f"{type_name} n’a pas d’historique.")
    return provider, uuid


def _count(value: str) -> int:
    if not value:
        return DEFAULT_COUNT
    if not value.isascii() or not value.isdigit() or not 0 < len(value) < 10:
        raise Unreadable("« _count » attend un nombre entier.")
    return max(1, min(int(value), LARGEST_COUNT))


def _line(base: str, method: str, resource: Resource) -> Resource:
    type_name, id = resource["resourceType"], resource["id"]
    return {
        "fullUrl": f"{base}/{type_name}/{id}",
        "resource": resource,
        "request": {"method": method, "url": type_name if method == "POST" else f"{type_name}/{id}"},
        "response": {
            "status": "201" if method == "POST" else "200",
            "etag": answers.etag(resource),
            "lastModified": resource["meta"]["lastUpdated"],
        },
    }
