"""The transaction that sends a circle, and what its answer tells. Pure: dictionaries in, dictionaries out.

A resource that the partner does not know is created (POST), on condition that none has its national identifier; the
circle it knows is updated (PUT), and so is what it made from us and that changed since (flux 1c and 4c). What it had
by itself is named and left as it is: its directory, its identities are its own.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from coordination.fhir import references
from coordination.fhir.formats import Resource, write_json
from coordination.fhir.profiles.bundles import CREATION, UPDATE

# "Type/id", here or at the partner.
Name = str
# Whose numbers everybody knows: they come before those an installation gives (INS, idNat_PS, FINESS, SIRET...).
NATIONAL: Final = ("urn:oid:1.2.250.1.", "https://finess.esante.gouv.fr", "https://rpps.esante.gouv.fr")


@dataclass(frozen=True)
class Known:
    """What the partner calls one of ours. `made`: it made it from what we sent; `digest`: of what we last sent.

    `identifier`: of a circle that the partner had before ours.
    """

    remote_id: str
    version: str = ""
    made: bool = False
    digest: str = ""
    identifier: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class Sent:
    """One entry of the transaction: which resource of ours, as it was written."""

    name: Name
    entry: dict[str, Any]
    digest: str

    @property
    def is_update(self) -> bool:
        return self.entry["request"]["method"] == "PUT"


_LITERAL: Final = re.compile(
    r"(?:^|/)(?P<name>[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64})(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?$"
)


def local(reference: str) -> Name:
    """Return "Type/id" of a reference, absolute or not, without its version; "" for anything else."""
    found = _LITERAL.search(reference)
    return found["name"] if found else ""


def name_of(resource: Resource) -> Name:
    return f"{resource['resourceType']}/{resource['id']}"


def full_url(name: Name) -> str:
    """Return the same place for the same resource at each attempt: the same content has the same key (REL-7)."""
    return f"urn:uuid:{uuid5(NAMESPACE_URL, name)}"


def transaction(resources: Iterable[Resource], known: Mapping[Name, Known]) -> tuple[Resource, list[Sent]]:
    """Return the Bundle and its entries, in order. `resources`: the circle first, then all it may name."""
    every = {name_of(one): one for one in resources}
    circle = next(iter(every))
    updating = circle in known
    sent = [
        entry
        for name, resource in every.items()
        if (entry := _entry(name, resource, every, known, is_circle=name == circle)) is not None
    ]
    bundle = {
        "resourceType": "Bundle",
        "meta": {"profile": [UPDATE if updating else CREATION]},
        "type": "transaction",
        "entry": [one.entry for one in sent],
    }
    return bundle, sent


def _entry(
    name: Name, resource: Resource, every: Mapping[Name, Resource], known: Mapping[Name, Known], *, is_circle: bool
) -> Sent | None:
    type_name = resource["resourceType"]
    content = _content(resource, every, known)
    there = known.get(name)
    if there is None:
        request: dict[str, Any] = {"method": "POST", "url": type_name}
        if condition := condition_of(resource):
            request["ifNoneExist"] = condition
        return Sent(name, {"fullUrl": full_url(name), "resource": content, "request": request}, _digest(resource))
    if there.identifier is not None:
        content["identifier"] = list(there.identifier)
    digest = _digest(resource)
    if not is_circle and (not there.made or there.digest == digest):
        return None
    remote = f"{type_name}/{there.remote_id}"
    request = {"method": "PUT", "url": remote}
    if is_circle and there.version:
        request["ifMatch"] = f'W/"{there.version}"'
    whole = {"resourceType": type_name, "id": there.remote_id, **content}
    return Sent(name, {"fullUrl": full_url(name), "resource": whole, "request": request}, digest)


def _content(resource: Resource, every: Mapping[Name, Resource], known: Mapping[Name, Known]) -> Resource:
    """Return a resource without what is ours alone, and with its references as the partner will read them."""

    def change(said: str) -> str | None:
        local = references.literal(said, "")
        name = "/".join(local) if local else said
        if name in known:
            return f"{name.partition('/')[0]}/{known[name].remote_id}"
        if name in every:
            return full_url(name)
        # Of this installation, and not sent: the partner would look for it at home.
        return None if local is None else ""

    content = renamed(resource, change)
    del content["id"]
    meta = {name: value for name, value in content.pop("meta", {}).items() if name in ("profile", "tag", "security")}
    return {"resourceType": content.pop("resourceType")} | ({"meta": meta} if meta else {}) | content


_LOST: Final = object()


def renamed(value: Any, change: Callable[[str], str | None]) -> Any:
    """Return a copy with each reference changed: None leaves it, "" takes it away, with all that it was alone in."""
    if isinstance(value, list):
        kept = [new for one in value if (new := renamed(one, change)) is not _LOST]
        return kept if kept or not value else _LOST
    if not isinstance(value, dict):
        return value
    copy = {name: new for name, one in value.items() if (new := renamed(one, change)) is not _LOST}
    said = copy.get("reference")
    if isinstance(said, str) and (new_name := change(said)) is not None:
        if new_name:
            copy["reference"] = new_name
        else:
            del copy["reference"]
            if not copy.keys() - {"type"}:
                return _LOST
    return copy


def condition_of(resource: Resource) -> str:
    """Return the criteria of `If-None-Exist`: the identifier that others know best, "" when there is none."""
    found = [one for one in resource.get("identifier", []) if one.get("system") and one.get("value")]
    if not found:
        return ""
    best = min(found, key=lambda one: not one["system"].startswith(NATIONAL))
    return f"identifier={quote(best['system'], safe=':/')}%7C{quote(best['value'], safe='')}"


def _digest(resource: Resource) -> str:
    """Return what changes when the resource says something else, under the names it has here."""
    said = {name: value for name, value in resource.items() if name != "meta"}
    return hashlib.sha256(write_json(said)).hexdigest()


# ---- The answer --------------------------------------------------------------------------------------------------


def answered(answer: Resource, sent: list[Sent], known: Mapping[Name, Known]) -> dict[Name, Known] | None:
    """Return what the partner calls each resource sent, None for an answer that is not one to this transaction.

    Each entry has at least an id (CDS-38): in `response.location`, `fullUrl` or the resource itself.
    """
    if answer.get("type") != "transaction-response" or len(answer.get("entry", [])) != len(sent):
        return None
    found = {}
    for one, entry in zip(sent, answer["entry"], strict=True):
        place = _placed(one.name.partition("/")[0], entry)
        if place is None:
            return None
        before = known.get(one.name)
        made = before.made if before else str(entry.get("response", {}).get("status", "")).startswith("201")
        told = Known(place[0], place[1], made, one.digest, before.identifier if before else None)
        found[one.name] = told if made or one.is_update else replace(told, digest="")
    return found


def _placed(type_name: str, entry: Mapping[str, Any]) -> tuple[str, str] | None:
    response, resource = entry.get("response") or {}, entry.get("resource") or {}
    for address in (response.get("location"), entry.get("fullUrl")):
        found = _LITERAL.search(str(address or ""))
        if found and found["name"].startswith(f"{type_name}/"):
            return found["name"].partition("/")[2], found["version"] or _version(response)
    if resource.get("resourceType") == type_name and resource.get("id"):
        return str(resource["id"])[:64], str((resource.get("meta") or {}).get("versionId", "")) or _version(response)
    return None


def _version(response: Mapping[str, Any]) -> str:
    return str(response.get("etag", "")).removeprefix("W/").strip('"')[:64]
