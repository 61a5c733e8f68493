"""gap-fr-appointment 3.0.0 (fr-core-appointment 2.0.1), and the answers to searches (GAP-44, 61, 79)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from coordination.fhir import literal
from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import FR_CORE, Value, each, extensions, once, wrong
from coordination.fhir.profiles.schedule import GAP, specialities

CANONICAL: Final = f"{GAP}gap-fr-appointment"
ANSWER: Final = f"{GAP}gap-bundle-reponse-demande-consult-rdv"
SLOTS: Final = f"{GAP}gap-bundle-reponse-demande-consult-dispo"
OPERATOR: Final = f"{FR_CORE}fr-core-appointment-operator"
OPERATORS: Final = ("Organization", "Practitioner", "Patient", "RelatedPerson")
# What each of the two answers brings, and as what.
_ANSWERED: Final = {ANSWER: "Appointment", SLOTS: "Slot"}
_BROUGHT: Final = frozenset({
    "Appointment", "Slot", "Schedule", "Patient", "Practitioner", "PractitionerRole", "Organization", "Device",
    "Location", "HealthcareService", "RelatedPerson",
})  # fmt: skip


def check(appointment: Value, path: str = "Appointment") -> Iterator[Issue]:
    """Yield what gap-fr-appointment refuses: one requester at most, of these types; specialities of their table."""
    yield from once(appointment, path, OPERATOR)
    for one in extensions(appointment, OPERATOR):
        said = one.get("valueReference")
        where = f"{path}.extension"
        if said is None:
            yield wrong("value", "Celui qui demande (appointmentOperator) est une référence.", where)
            continue
        named = literal.type_of(said.get("reference")) or said.get("type", "")
        if named and named not in OPERATORS:
            expected = " ou ".join(OPERATORS)
            yield wrong("value", f"Cette référence nomme un {named} ; {expected} est attendu.", where)
    yield from specialities(appointment, path)


def check_answer(bundle: Value, path: str = "Bundle") -> Iterator[Issue]:
    """Yield what the answer to a search of appointments may not be."""
    yield from _searched(bundle, path, ANSWER)


def check_slots(bundle: Value, path: str = "Bundle") -> Iterator[Issue]:
    """Yield what the answer to a search of slots may not be."""
    yield from _searched(bundle, path, SLOTS)


def _searched(bundle: Value, path: str, canonical: str) -> Iterator[Issue]:
    if bundle.get("type") != "searchset":
        yield wrong("value", "Ce profil est celui de la réponse à une recherche.", f"{path}.type")
    for entry, where in each(bundle, "entry", path):
        name = str(entry.get("resource", {}).get("resourceType", ""))
        if name not in _BROUGHT:
            continue
        for absent in ("request", "response"):
            if absent in entry:
                yield wrong("structure", f"Le résultat d’une recherche n’a pas de {absent}.", f"{where}.{absent}")
        expected = "match" if name == _ANSWERED[canonical] else "include"
        if entry.get("search", {}).get("mode", expected) != expected:
            yield wrong("value", f"Pour un {name}, search.mode est {expected}.", f"{where}.search.mode")
