"""What the profiles have in common: saying what is missing or too many, and telling slices apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from coordination.fhir.outcomes import ERROR, WARNING, Issue

Value = dict[str, Any]

CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/"
ANNUAIRE = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
FR_CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
HL7 = "http://hl7.org/fhir/StructureDefinition/"
NOS = "https://mos.esante.gouv.fr/NOS/"
FR_V2_0203 = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"
EMAIL_TYPE = f"{FR_CORE}fr-core-contact-point-email-type"
_MSSANTE = {"system": f"{NOS}TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie", "code": "MSSANTE"}


def nos(table: str) -> str:
    """The code system of a table of the ANS, by its name: « TRE_R260-HL7RoleClass »."""
    return f"{NOS}{table}/FHIR/{table.replace('_', '-')}"


def wrong(code: str, sentence: str, path: str) -> Issue:
    """Return what a profile refuses."""
    return Issue(ERROR, code, sentence, path)


def doubtful(sentence: str, path: str) -> Issue:
    """Return what a profile doubts and lets pass."""
    return Issue(WARNING, "business-rule", sentence, path)


def each(holder: Value, name: str, path: str) -> Iterator[tuple[Value, str]]:
    """The elements of a list, with their places."""
    for place, one in enumerate(holder.get(name, [])):
        yield one, f"{path}.{name}[{place}]"


def has(holder: Value, name: str) -> bool:
    """Say whether an element is there; an extension in place of its value counts, as FHIR says."""
    return name in holder or f"_{name}" in holder


def needs(holder: Value, path: str, *names: str) -> Iterator[Issue]:
    """Yield the elements that are not there."""
    for name in names:
        if not has(holder, name):
            yield wrong("required", f"L’élément {name} est obligatoire.", f"{path}.{name}")


def between(holder: Value, name: str, path: str, low: int, high: int) -> Iterator[Issue]:
    """How often a list's element comes."""
    count = max(len(holder.get(name, [])), len(holder.get(f"_{name}", [])))
    if count < low:
        yield wrong("required", f"L’élément {name} est obligatoire.", f"{path}.{name}")
    elif count > high:
        yield wrong("structure", f"L’élément {name} est donné {count} fois ; {high} au plus.", f"{path}.{name}")


def matches(value: Any, pattern: Any) -> bool:
    """Say whether a value holds a pattern of FHIR: everything it says, and anything more."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(matches(value.get(name), one) for name, one in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches(one, wanted) for one in value) for wanted in pattern)
    return bool(value == pattern)


def typed(system: str, code: str, display: str = "") -> Value:
    """The pattern of a CodeableConcept of one coding."""
    coding = {"system": system, "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def codings(concept: Value, systems: Iterable[str]) -> list[Value]:
    """Return the codings of a concept that are of these systems."""
    wanted = frozenset(systems)
    return [coding for coding in concept.get("coding", []) if coding.get("system") in wanted]


def extensions(holder: Value, url: str) -> list[Value]:
    """Return the extensions of this address."""
    return [one for one in holder.get("extension", []) if one.get("url") == url]


def once(holder: Value, path: str, *urls: str) -> Iterator[Issue]:
    """Extensions that come once at most."""
    for url in urls:
        if len(extensions(holder, url)) > 1:
            name = url.rpartition("/")[2]
            yield wrong("structure", f"L’extension {name} est donnée plusieurs fois.", f"{path}.extension")


def contact_points(holder: Value, path: str) -> Iterator[Issue]:
    """fr-core-contact-point: a means of contact has its system and its value. MSSanté (as-mailbox-mss) says so."""
    for telecom, where in each(holder, "telecom", path):
        yield from needs(telecom, where, "system", "value")
        yield from once(telecom, where, EMAIL_TYPE)


def mailboxes(holder: Value, path: str) -> Iterator[Issue]:
    """as-mailbox-mss: of a professional or a structure, an e-mail that says its kind is of MSSanté."""
    for telecom, where in each(holder, "telecom", path):
        kinds = extensions(telecom, EMAIL_TYPE)
        if telecom.get("system") == "email" and kinds and not matches(kinds[0].get("valueCoding"), _MSSANTE):
            yield wrong("value", "Le type d’une messagerie est ici MSSANTE.", f"{where}.extension")


def human_names(holder: Value, path: str) -> Iterator[Issue]:
    """fr-core-human-name: one prefix at most."""
    for name, where in each(holder, "name", path):
        yield from between(name, "prefix", where, 0, 1)
