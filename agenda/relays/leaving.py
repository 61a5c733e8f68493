"""A resource as it leaves for a partner: whom it names is named by what the partner knows of him. Pure.

An id of ours says nothing there: by what the partner called him, else by a number that everybody knows (INS,
idNat_PS), else by ours. What leads nowhere there does not leave.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from agenda.fhir import appointment_codes as codes
from agenda.fhir import availability
from agenda.fhir.building import DURATION
from circle.relays.bundles import Known, renamed
from coordination.fhir import references
from coordination.fhir.formats import Resource, write_json

# {"Type/id" here: the identifier by which anybody may know him}.
Identifiers = Mapping[str, Mapping[str, str]]
# Words that others sent, and that may name somebody.
WORDS: Final = ("text", "contained", "extension", "modifierExtension", "reasonReference")
# What an agenda is made of is told in extensions of the guide: those leave, and no other.
TOLD: Final = frozenset({availability.AVAILABILITY, DURATION})


def leaving(resource: Resource, known: Mapping[str, Known], identifiers: Identifiers) -> Resource:
    """Return a resource without what is ours alone, references as the partner may read them."""
    said = {name: value for name, value in resource.items() if name not in ("id", "meta", *WORDS)}
    said["meta"] = {"profile": resource["meta"]["profile"]}
    if told := [availability.public(one) for one in resource.get("extension", []) if one.get("url") in TOLD]:
        said["extension"] = told
    for name in ("participant", "actor"):
        if name in said:
            said[name] = [one for one in (_told(one, known, identifiers) for one in said[name]) if one]
    whole: Resource = renamed(said, lambda text: _place(text, known))
    return whole


def farewell(identifier: Resource, people: Iterable[Resource]) -> Resource:
    """Return what calls off an event for a partner that it concerns no more: by which name it knows it, nothing else.

    `people`: how its own people are known, nobody else being named.
    """
    actors: list[Resource] = [{"type": "Practitioner", "identifier": one} for one in people]
    return {
        "resourceType": "Appointment",
        "meta": {"profile": [codes.PROFILE]},
        "identifier": [identifier],
        "status": "cancelled",
        "participant": [{"actor": one, "status": "declined"} for one in actors or [{"display": "Participant"}]],
    }


def _told(one: Resource, known: Mapping[str, Known], identifiers: Identifiers) -> Resource | None:
    """Return one who attends, or whose agenda it is, as the partner may know him; None for a second name of him."""
    actor = one.get("actor", one) if "status" in one else one
    found = references.literal(actor.get("reference", ""), "")
    if found is None:
        return one
    name = "/".join(found)
    rest = {key: value for key, value in actor.items() if key not in ("reference", "type")}
    if name in known:
        told: Resource = {"reference": f"{found[0]}/{known[name].remote_id}"} | rest
    elif name in identifiers:
        told = {"type": found[0], "identifier": dict(identifiers[name])} | rest
    elif found[0] == "PractitionerRole":
        # He is named already as himself.
        return None
    else:
        told = {"type": found[0], "display": rest.get("display", found[0])}
    return one | {"actor": told} if "status" in one else told


def _place(text: str, known: Mapping[str, Known]) -> str | None:
    found = references.literal(text, "")
    if found is None:
        return None
    name = "/".join(found)
    # Already changed, or of this server and unknown there.
    remote = {f"{one.partition('/')[0]}/{said.remote_id}" for one, said in known.items()}
    return text if name in remote else ""


def condition(resource: Resource) -> str:
    """Return "identifier=system|value" of a resource, written for an address."""
    one = resource["identifier"][0]
    text = f"{one['system']}|{one['value']}" if one.get("system") else one["value"]
    return f"identifier={quote(text, safe='')}"


def digest_of(resource: Resource) -> str:
    return hashlib.sha256(write_json(resource)).hexdigest()


def named_in(resource: Any) -> set[str]:
    """Return "Type/id" of every reference of a resource to this server."""
    found = (references.literal(said["reference"], "") for said, _ in references.each(resource))
    return {"/".join(one) for one in found if one}
