"""From resources to what the directory holds. Pure: whatever is valid may come; what cannot be held is left out.

A number whose key is wrong, a telephone that cannot be read, a code of another table stay in what is kept of the
client: they are given back to it and fill no column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from coordination.common import communes
from coordination.common.errors import DomainError
from coordination.common.identifiers import (
    clean_identifier,
    parse_adeli,
    parse_email,
    parse_finess,
    parse_person_name,
    parse_rpps,
    parse_siren,
    parse_siret,
)
from coordination.common.phones import phone_or_none
from coordination.common.text import seen, squeeze
from coordination.directory.fhir import codes
from coordination.fhir import french
from coordination.fhir.keeping import Resource
from coordination.fhir.outcomes import Invalid

NAMELESS = "Sans nom"


@dataclass(frozen=True, slots=True)
class Numbers:
    """The national numbers of a structure."""

    finess: str = ""
    siren: str = ""
    siret: str = ""
    technical_id: str = ""
    finess_ej: str = ""


def numbers(resource: Resource, *, checked: bool = True) -> Numbers:
    """Return the national numbers, `checked`: those whose key is right, which a row may bear.

    Of two FINESS numbers, the legal entity's is the one above. A row of the directory is recognised by any number.
    """
    valid = _valid if checked else _any
    legal, place, siren, siret, rang = "", "", "", "", ""
    for system, value, kinds in _identifiers(resource):
        if system == codes.STRUCTURES:
            # The digit of its kind, then the number.
            place = place or (valid(parse_finess, value[1:]) if value[:1] == "1" else "")
            siret = siret or (valid(parse_siret, value[1:]) if value[:1] == "3" else "")
            rang = rang or (value[1:41] if value[:1] == "4" else "")
        elif system == codes.FINESS and "FINEJ" in kinds:
            legal = legal or valid(parse_finess, value)
        elif system == codes.FINESS:
            place = place or valid(parse_finess, value)
        elif system == codes.SIRENE:
            # One register, two lengths.
            siret = siret or (valid(parse_siret, value) if len(clean_identifier(value)) > 9 else "")
            siren = siren or (valid(parse_siren, value) if len(clean_identifier(value)) <= 9 else "")
        elif system == codes.RPPS_RANG:
            rang = rang or value[:40]
    above = legal if place and legal != place else ""
    return Numbers(place or legal, siren, siret, rang, above)


def structure(resource: Resource) -> dict[str, Any]:
    """Return the columns of a structure that a resource fills (names of `actions.STRUCTURE_FIELDS`)."""
    found = numbers(resource)
    name = seen(resource.get("name") or _first(resource.get("alias")))
    if not name:
        name = next((value for _, value, _ in _identifiers(resource)), NAMELESS)
    types = list(french.codes(resource.get("type", [])))
    is_legal = ("LEGAL-ENTITY" in [code for _, code in types]) or _is_legal_number(resource)
    return {
        "part_of_id": french.reference_id(resource.get("partOf"), "Organization"),
        "name": name[:200],
        "short_name": seen(_first(resource.get("alias")))[:80],
        "kind": "ej" if is_legal else "oi" if _is_internal(resource) else "eg",
        "finess": found.finess,
        "finess_ej": found.finess_ej,
        "siren": found.siren,
        "siret": found.siret,
        "technical_id": found.technical_id,
        "category": _code(types, codes.CATEGORIES, "categorie_etablissement", 4),
        "sector": _code(types, codes.SECTORS, "secteur_activite", 6),
        **place(resource.get("address", [])),
        **contacts(resource.get("telecom", [])),
    }


def person(resource: Resource) -> dict[str, Any]:
    """Return the columns of a professional that a Practitioner fills. Raises Invalid for a name nobody could have."""
    said: Resource = next(iter(resource.get("name", [])), {})
    family = squeeze(said.get("family") or said.get("text") or NAMELESS)
    given = seen(" ".join(name for name in said.get("given", []) if name))
    try:
        family = parse_person_name(family)
    except DomainError as refusal:
        raise Invalid(str(refusal), expression="Practitioner.name[0].family") from None
    return {
        **national_numbers(resource),
        "family_name": family[:120],
        "given_name": given[:120],
        "civility": _first(said.get("prefix"))[:5],
        "practice_civility": _first(said.get("suffix"))[:5],
        **contacts(resource.get("telecom", [])),
    }


def national_numbers(resource: Resource, *, checked: bool = True) -> dict[str, str]:
    """Return national_id, rpps and adeli of a Practitioner, `checked`: empty ones for numbers whose key is wrong."""
    valid = _valid if checked else _any
    rpps = adeli = other = ""
    for system, value, _ in _identifiers(resource):
        if system == codes.RPPS or (system == codes.PEOPLE and value[:1] == "8"):
            rpps = rpps or valid(parse_rpps, value.removeprefix("8") if system == codes.PEOPLE else value)
        elif system == codes.ADELI or (system == codes.PEOPLE and value[:1] == "0"):
            adeli = adeli or valid(parse_adeli, value.removeprefix("0") if system == codes.PEOPLE else value)
        elif system == codes.PEOPLE:
            other = other or clean_identifier(value)[:30]
    national = f"8{rpps}" if rpps else f"0{adeli}" if adeli else other
    return {"national_id": national, "rpps": rpps, "adeli": adeli}


def profession_of(concepts: Iterable[Resource]) -> str:
    """Return the profession named by a qualification or a role, "" when none is."""
    return next((code for system, code in french.codes(concepts) if codes.kind_of(system, code) == "profession"), "")


@dataclass(frozen=True, slots=True)
class Role:
    """What a PractitionerRole says: whose, where, and the columns of Activity it fills."""

    practitioner_id: UUID | None
    organization_id: UUID | None
    values: dict[str, str]


def role(resource: Resource) -> Role:
    """Return what a PractitionerRole says. Raises Invalid for a reference that is not to a resource of this server."""
    values: dict[str, str] = {}
    for system, code in french.codes(resource.get("code", [])):
        if column := codes.kind_of(system, code):
            values.setdefault(column, code)
    return Role(
        _referred(resource, "practitioner", "Practitioner"),
        _referred(resource, "organization", "Organization"),
        values | contacts(resource.get("telecom", [])),
    )


def contacts(points: Iterable[Resource]) -> dict[str, str]:
    """Return phone, email and mss_address: the first readable one of each."""
    found = {"phone": "", "email": "", "mss_address": ""}
    for point in points:
        name = _column(point)
        if name and not found[name]:
            found[name] = _read_point(name, point["value"])
    return found


def place(addresses: list[Resource]) -> dict[str, str]:
    """Return the columns of an address: the first that is not over."""
    said = addresses[french.first(addresses, lambda one: one.get("use") != "old") or 0] if addresses else {}
    insee = french.insee_of(said).upper()
    commune = communes.by_insee(insee)
    return {
        "address": french.lines_of(said)[:300],
        "postal_code": squeeze(said.get("postalCode"))[:10],
        "town": (squeeze(said.get("city")) or (commune.name if commune else ""))[:80],
        "commune_code": insee if commune else "",
    }


def _any(parse: Callable[[str], str], value: str) -> str:
    return clean_identifier(value)


def _valid(parse: Callable[[str], str], value: str) -> str:
    """Return the number as its parser writes it, "" when it refuses it."""
    try:
        return parse(value)
    except DomainError:
        return ""


def _first(values: list[str | None] | None) -> str:
    """Return the first text of a list: a place may hold extensions only."""
    return next(filter(None, values or []), "")


def _column(point: Resource) -> str:
    if not point.get("value"):
        return ""
    if french.is_mailbox(point):
        return "mss_address"
    return {"phone": "phone", "email": "email"}.get(point.get("system", ""), "")


def _read_point(name: str, value: str) -> str:
    if name == "phone":
        return (phone_or_none(value) or "")[:20]
    return _valid(parse_email, value)


def _referred(resource: Resource, name: str, type_name: str) -> UUID | None:
    said = resource.get(name)
    if not said:
        return None
    found = french.reference_id(said, type_name)
    if found is None and said.get("reference"):
        raise Invalid(
            f"Cette référence ne désigne pas une ressource {type_name} de ce serveur.",
            expression=f"PractitionerRole.{name}.reference",
        )
    return found


def _identifiers(resource: Resource) -> Iterable[tuple[str, str, list[str]]]:
    for one in resource.get("identifier", []):
        if value := squeeze(one.get("value")):
            yield one.get("system", ""), value, [code for _, code in french.codes([one.get("type", {})])]


def _is_legal_number(resource: Resource) -> bool:
    kinds = {kind for _, _, said in _identifiers(resource) for kind in said}
    return "FINEJ" in kinds and "FINEG" not in kinds


def _is_internal(resource: Resource) -> bool:
    """An internal organisation has the identifier of type 42 (slice identifierOI, CDS-28)."""
    return any("42" in kinds for _, _, kinds in _identifiers(resource))


def _code(types: Iterable[tuple[str, str]], system: str, kind: str, size: int) -> str:
    return next((code[:size] for one, code in types if one == system and codes.known(kind, code)), "")
