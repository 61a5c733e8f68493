"""The national number of a person (INS), wherever a client writes it.

It is a column of her dossier, told once INSi has said so and to who reads her identity (INS-4): what is kept of a
client names her by her id here, and says the number of nobody else either.
"""

from __future__ import annotations

from typing import Any, Final

from coordination.common.ins import TYPE_CODES

INS_SYSTEMS: Final = {f"urn:oid:{oid}": oid for oid in TYPE_CODES}
_BY_TYPE: Final = {code: oid for oid, code in TYPE_CODES.items()}
# What a text that says a number holds, one or the other.
MARKS: Final = (*INS_SYSTEMS, *(f'"{code}"' for code in _BY_TYPE))
_GONE: Final = object()


def oid_of(identifier: dict[str, Any]) -> str:
    """Return the OID of the register that an Identifier is of: by its system, by its type without one; "" for none."""
    if system := identifier.get("system"):
        return INS_SYSTEMS.get(system, "")
    return next((_BY_TYPE[code] for code in _types(identifier) if code in _BY_TYPE), "")


def is_number(identifier: Any) -> bool:
    """Say whether an Identifier is a number of a person: its system says so, or its type, whatever its system."""
    if not isinstance(identifier, dict):
        return False
    return identifier.get("system") in INS_SYSTEMS or any(code in _BY_TYPE for code in _types(identifier))


def _types(identifier: dict[str, Any]) -> list[Any]:
    concept = identifier.get("type")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [one.get("code") for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []


def without_numbers(resource: dict[str, Any]) -> dict[str, Any]:
    """Return a resource without any INS: its own, of its references, extensions and of what it contains.

    The same one when it has none. A narrative could tell it: it goes with it.
    """
    kept = {name: new for name, value in resource.items() if (new := _without(value)) is not _GONE}
    if kept == resource:
        return resource
    kept.pop("text", None)
    return kept


def _without(value: Any) -> Any:
    """Return a value without the numbers inside, _GONE for what is empty without them: FHIR has no such thing."""
    if isinstance(value, list):
        items = [new for one in value if (new := _without(one)) is not _GONE]
        return items if items or not value else _GONE
    if not isinstance(value, dict):
        return value
    if is_number(value):
        return _GONE
    found = {name: new for name, one in value.items() if (new := _without(one)) is not _GONE}
    if found == value:
        return value
    if "resourceType" in found:
        found.pop("text", None)
    # Of an extension, its address is no word.
    return found if found.keys() - {"url"} else _GONE
