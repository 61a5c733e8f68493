"""The national number of a person, where a client writes it beside a reference to her.

It is a column of her dossier, told once INSi has said so and to who reads her identity (INS-4): what is kept of a
client names her by her id here.
"""

from __future__ import annotations

from typing import Any, Final

from coordination.common.ins import TYPE_CODES

INS_SYSTEMS: Final = {f"urn:oid:{oid}": oid for oid in TYPE_CODES}
_GONE: Final = object()


def without_numbers(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without the INS of its references and of the Patients inside; the same when it has none.

    A narrative could tell it: it goes with it. The identifiers of the resource itself are its room's affair.
    """
    kept = {name: _without(value) for name, value in resource.items()}
    kept = {name: value for name, value in kept.items() if value is not _GONE}
    if kept == resource:
        return resource
    kept.pop("text", None)
    return kept


def _without(value: Any) -> Any:
    if isinstance(value, list):
        return [new for one in value if (new := _without(one)) is not _GONE]
    if not isinstance(value, dict):
        return value
    if _is_number(value.get("identifier")):
        value = {name: one for name, one in value.items() if name != "identifier"}
        if not value:
            return _GONE
    if value.get("resourceType") == "Patient" and isinstance(value.get("identifier"), list):
        value = value | {"identifier": [one for one in value["identifier"] if not _is_number(one)]}
        value = value if value["identifier"] else {n: v for n, v in value.items() if n != "identifier"}
    found = {name: _without(one) for name, one in value.items()}
    return {name: one for name, one in found.items() if one is not _GONE}


def _is_number(identifier: Any) -> bool:
    return isinstance(identifier, dict) and identifier.get("system") in INS_SYSTEMS
