"""cds-fr-related-person: an aidant, a personne de confiance, a représentant légal (CDS-27, CDS-30)."""

from __future__ import annotations

from collections.abc import Iterator

from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import (
    CDS,
    Value,
    between,
    codings,
    contact_points,
    each,
    human_names,
    needs,
    nos,
    wrong,
)  # fmt: skip

CANONICAL = f"{CDS}cds-fr-related-person"
ROLE = nos("TRE_R260-HL7RoleClass")
RELATION = nos("TRE_R216-HL7RoleCode")


def check(person: Value, path: str = "RelatedPerson") -> Iterator[Issue]:
    """Yield what the profile refuses; the codes of both lists are preferred, any is accepted."""
    yield from between(person, "identifier", path, 1, 1)
    yield from needs(person, path, "patient")
    yield from between(person, "name", path, 1, 1)
    for name, where in each(person, "name", path):
        yield from needs(name, where, "family")
        yield from between(name, "given", where, 0, 1)
    yield from human_names(person, path)
    yield from between(person, "telecom", path, 1, 1000)
    yield from contact_points(person, path)
    yield from _relationships(person, path)


def _relationships(person: Value, path: str) -> Iterator[Issue]:
    where = f"{path}.relationship"
    roles = [place for one, place in each(person, "relationship", path) if codings(one, [ROLE])]
    relations = [place for one, place in each(person, "relationship", path) if codings(one, [RELATION])]
    if not roles:
        yield wrong("required", "Le rôle (TRE_R260) est obligatoire.", where)
    elif len(roles) > 1:
        yield wrong("structure", "Un seul rôle (TRE_R260) est permis.", where)
    if len(relations) > 1:
        yield wrong("structure", "Un seul lien (TRE_R216) est permis.", where)
    for one, place in each(person, "relationship", path):
        systems = {coding.get("system") for coding in one.get("coding", [])}
        if systems & {ROLE, RELATION} and len(systems) > 1:
            yield wrong("structure", "Un rôle ou un lien n’est codé que dans sa table.", f"{place}.coding")
