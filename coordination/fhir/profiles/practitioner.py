"""as-practitioner and as-practitionerrole 1.1.0: a professional, and a place where he works."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from coordination.common import nomenclatures
from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import (
    ANNUAIRE,
    FR_CORE,
    FR_V2_0203,
    Value,
    codings,
    contact_points,
    each,
    human_names,
    mailboxes,
    matches,
    needs,
    nos,
    once,
    typed,
    wrong,
)  # fmt: skip

CANONICAL = f"{ANNUAIRE}as-practitioner"
ROLE_CANONICAL = f"{ANNUAIRE}as-practitionerrole"
ADELI = "https://adeli.esante.gouv.fr"
TYPES = {
    "urn:oid:1.2.250.1.71.4.2.1": typed(FR_V2_0203, "IDNPS"),
    "https://rpps.esante.gouv.fr": typed(FR_V2_0203, "RPPS"),
}
NATIONAL = "urn:oid:1.2.250.1.71.4.2.1"
SPECIALITIES = nos("TRE_R38-SpecialiteOrdinale")
# The slices of PractitionerRole.code: each comes once. The lists that bind them are made of these tables.
CODES = {
    "genre d’activité": ("TRE_R22-GenreActivite", "genre_activite"),
    "mode d’exercice": ("TRE_R23-ModeExercice", "mode_exercice"),
    "fonction": ("TRE_R21-Fonction", "fonction"),
}


def check(practitioner: Value, path: str = "Practitioner") -> Iterator[Issue]:
    """Yield what as-practitioner refuses.

    Its slices of `qualification` are told apart by lists alone, which no validator can do: they are not judged.
    """
    for identifier, where in each(practitioner, "identifier", path):
        yield from needs(identifier, where, "system", "value")
        yield from _identifier(identifier, where)
    national = [i for i in practitioner.get("identifier", []) if i.get("system") == NATIONAL]
    if len(national) > 1:
        yield wrong("structure", "Un seul identifiant national (IDNPS) est permis.", f"{path}.identifier")
    yield from human_names(practitioner, path)
    yield from contact_points(practitioner, path)
    yield from mailboxes(practitioner, path)
    yield from once(practitioner, path, f"{FR_CORE}fr-core-practitioner-specialty")


def check_role(role: Value, path: str = "PractitionerRole") -> Iterator[Issue]:
    """Yield what as-practitionerrole refuses; what it refers to is checked by base R4."""
    yield from contact_points(role, path)
    yield from mailboxes(role, path)
    names = ("contracted", "hascas", "vitale-accepted")
    yield from once(role, path, *(f"{ANNUAIRE}as-ext-practitionerrole-{name}" for name in names))
    for what, (table, kind) in CODES.items():
        if _count(role.get("code", []), nos(table), kind) > 1:
            yield wrong("structure", f"Un seul code de {what} est permis.", f"{path}.code")
    for specialty, where in each(role, "specialty", path):
        if not codings(specialty, [SPECIALITIES]):
            yield wrong("code-invalid", "Une spécialité est de la table TRE_R38-SpecialiteOrdinale.", where)


def _count(concepts: Iterable[Value], system: str, kind: str) -> int:
    """How many concepts are of the slice: a code that our list does not know is of no slice."""
    return sum(
        any(nomenclatures.get(kind, coding.get("code")) for coding in codings(concept, [system]))
        for concept in concepts
    )


def _identifier(identifier: Value, path: str) -> Iterator[Issue]:
    system = identifier.get("system", "")
    expected = TYPES.get(system)
    if system == ADELI:
        yield wrong("structure", "Le numéro ADELI n’est plus permis : le RPPS le remplace.", f"{path}.system")
    elif expected and not matches(identifier.get("type"), expected):
        code = expected["coding"][0]["code"]
        yield wrong("required", f"Le type de cet identifiant est {code} (fr-core-cs-v2-0203).", f"{path}.type")
