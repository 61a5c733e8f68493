"""The pieces that the French profiles share (FR Core 2.1.0, Annuaire Santé 1.1.0): written, and read back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from coordination.fhir.keeping import Resource
from coordination.fhir.literal import relative
from coordination.fhir.search.values import uuid_of

CORE: Final = "https://hl7.fr/ig/fhir/core"
ANNUAIRE: Final = "https://interop.esante.gouv.fr/ig/fhir/annuaire"
CDS: Final = "https://interop.esante.gouv.fr/ig/fhir/cds"
# Types of identifiers.
TYPES: Final = f"{CORE}/CodeSystem/fr-core-cs-v2-0203"
V2_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
INSEE: Final = f"{CORE}/StructureDefinition/fr-core-address-insee-code"
EMAIL_TYPE: Final = f"{CORE}/StructureDefinition/fr-core-contact-point-email-type"
MESSAGING: Final = "https://mos.esante.gouv.fr/NOS/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie"
# The value set of INSEE codes (fr-core-vs-insee-code) is this table; examples also write the one of communes alone.
COMMUNES: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
_COMMUNES_ALONE: Final = "https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune"


# ---- Writing ---------------------------------------------------------------------------------------------------


def coding(system: str, code: str, display: str = "") -> Resource:
    """Return a Coding."""
    said = {"system": system, "code": code}
    return said | {"display": display} if display else said


def concept(system: str, code: str, display: str = "") -> Resource:
    """Return a CodeableConcept of one coding."""
    return {"coding": [coding(system, code, display)]}


def identifier(system: str, value: str, type_code: str, *, use: str = "", types: str = TYPES) -> Resource:
    """Return an Identifier with its type, as the French profiles want it."""
    said: Resource = {"use": use} if use else {}
    return said | {"type": concept(types, type_code), "system": system, "value": value}


def phone(value: str, use: str = "") -> Resource:
    """Return a ContactPoint of a telephone."""
    return _point("phone", value, use)


def email(value: str, use: str = "") -> Resource:
    """Return a ContactPoint of an e-mail."""
    return _point("email", value, use)


def mailbox(value: str) -> Resource:
    """Return an MSSanté address (profile as-mailbox-mss)."""
    return {"extension": [{"url": EMAIL_TYPE, "valueCoding": coding(MESSAGING, "MSSANTE")}]} | email(value)


def address(*, line: str = "", postal_code: str = "", city: str = "", insee: str = "", use: str = "") -> Resource:
    """Return an Address of what is known of it; an empty one when nothing is."""
    said: Resource = {}
    if insee:
        said["extension"] = [insee_extension(insee)]
    if use:
        said["use"] = use
    if line:
        said["line"] = [line]
    if city:
        said["city"] = city
    if postal_code:
        said["postalCode"] = postal_code
    return said if line or city or postal_code or insee else {}


def insee_extension(code: str) -> Resource:
    """Return the extension that gives the INSEE code of an Address."""
    # For a birth abroad the INS reference gives the code of the country in the place of the commune's; the profile
    # allows this table alone.
    return {"url": INSEE, "valueCoding": coding(COMMUNES, code)}


def reference(type_name: str, id: UUID) -> Resource:
    """Return a Reference to a resource of this server."""
    return {"reference": f"{type_name}/{id}"}


def _point(system: str, value: str, use: str) -> Resource:
    said = {"system": system, "value": value}
    return said | {"use": use} if use else said


# ---- Reading: whatever is allowed may come, and nothing here raises ---------------------------------------------


def reference_id(said: Any, type_name: str) -> UUID | None:
    """Return the id that a reference to a resource of this server names; None for any other.

    The engine has made relative those that name this server (`references.at_home`): another address is another's.
    """
    text = said.get("reference") if isinstance(said, dict) else None
    found = relative(text) if isinstance(text, str) else None
    return uuid_of(found[1]) if found and found[0] == type_name else None


def tidied(said: Any) -> Any:
    """Return what was sent with its INSEE codes in the table that the profile requires.

    The guides' own examples write another one, of the same codes: what is given back must be valid.
    """
    if isinstance(said, list):
        return [tidied(one) for one in said]
    if not isinstance(said, dict):
        return said
    if said.get("url") == INSEE and said.get("valueCoding", {}).get("system") == _COMMUNES_ALONE:
        return said | {"valueCoding": said["valueCoding"] | {"system": COMMUNES}}
    return {name: tidied(value) if isinstance(value, dict | list) else value for name, value in said.items()}


def codes(concepts: Iterable[Resource]) -> Iterator[tuple[str, str]]:
    """Yield the (system, code) of every coding."""
    for one in concepts:
        for said in one.get("coding", []):
            yield said.get("system", ""), said.get("code", "")


def is_mailbox(point: Resource) -> bool:
    """Say whether a ContactPoint is an MSSanté address."""
    return point.get("system") == "email" and any(
        one.get("url") == EMAIL_TYPE and one.get("valueCoding", {}).get("code") == "MSSANTE"
        for one in point.get("extension", [])
    )


def insee_of(said: Resource) -> str:
    """Return the INSEE code of an Address, "" without one."""
    for one in said.get("extension", []):
        if one.get("url") == INSEE:
            return str(one.get("valueCoding", {}).get("code", ""))
    return ""


def lines_of(said: Resource) -> str:
    """Return the lines of an Address as one; its text when it has nothing else."""
    lines = [line for line in said.get("line", []) if line]
    if not lines and not said.get("city") and not said.get("postalCode"):
        return str(said.get("text", ""))
    return ", ".join(lines)


def first(items: Sequence[Resource], *tests: Any) -> int | None:
    """Return the place of the first item that passes the first of the tests that some item passes."""
    for test in tests:
        for place, item in enumerate(items):
            if test(item):
                return place
    return None
