"""The guide's three Bundles: creation and update by transaction, and the answer to a search (CDS-42 to 48, CDS-52).

What an entry holds is checked by the profile of its own type; here only what the Bundle says around it. Slicing is
open: entries of other types are nobody's concern.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import CDS, Value, each, wrong

CREATION: Final = f"{CDS}cds-bundle-transaction-creation"
UPDATE: Final = f"{CDS}cds-bundle-transaction-maj"
ANSWER: Final = f"{CDS}cds-bundle-response-recherche"
TYPES: Final = frozenset({"CareTeam", "Patient", "RelatedPerson", "Organization", "PractitionerRole", "Practitioner"})


def check_creation(bundle: Value, path: str = "Bundle") -> Iterator[Issue]:
    """Yield what the creation profile refuses where it is declared: one circle, and its person."""
    for name in ("CareTeam", "Patient"):
        count = sum(_type(entry) == name for entry in bundle.get("entry", []))
        if count != 1:
            what = f"Une création contient exactement un {name} ; {count} trouvé(s)."
            yield wrong("structure" if count else "required", what, f"{path}.entry")
    yield from check_transaction(bundle, path)


def check_transaction(bundle: Value, path: str = "Bundle") -> Iterator[Issue]:
    """Yield what both transactions refuse, declared or not (contradictions 7 to 9)."""
    if bundle.get("type") != "transaction":
        yield wrong("value", "Ce profil est celui d’une transaction.", f"{path}.type")
    if not bundle.get("entry"):
        yield wrong("required", "Une transaction contient au moins une entrée.", f"{path}.entry")
    for entry, where in each(bundle, "entry", path):
        if _type(entry) not in TYPES:
            continue
        if entry.get("request", {}).get("method") not in ("POST", "PUT"):
            sentence = "Cette ressource se crée (POST) ou se met à jour (PUT) (req-met)."
            yield wrong("invariant", sentence, f"{where}.request.method")
        if "response" in entry:
            yield wrong("structure", "Une entrée d’une transaction n’a pas de response.", f"{where}.response")


def check_answer(bundle: Value, path: str = "Bundle") -> Iterator[Issue]:
    """Yield what the answer to a search may not be."""
    if bundle.get("type") != "searchset":
        yield wrong("value", "Ce profil est celui de la réponse à une recherche.", f"{path}.type")
    for entry, where in each(bundle, "entry", path):
        if (name := _type(entry)) not in TYPES:
            continue
        for absent in ("request", "response"):
            if absent in entry:
                yield wrong("structure", f"Le résultat d’une recherche n’a pas de {absent}.", f"{where}.{absent}")
        expected = "match" if name == "CareTeam" else "include"
        if entry.get("search", {}).get("mode", expected) != expected:
            yield wrong("value", f"Pour un {name}, search.mode est {expected}.", f"{where}.search.mode")


def _type(entry: Value) -> str:
    return str(entry.get("resource", {}).get("resourceType", ""))
