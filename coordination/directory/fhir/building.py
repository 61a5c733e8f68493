"""From the rows of the directory to resources. Pure: plain dictionaries, no statement.

Profiles: cds-organization 2.0.1 on as-organization 1.1.0, as-practitioner and as-practitionerrole 1.1.0. A code is
written only where our nomenclatures know it; what the directory does not know is left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from coordination.common import nomenclatures
from coordination.directory.fhir import codes
from coordination.directory.models import Activity, Professional, SavoirFaire, Structure
from coordination.fhir import french
from coordination.fhir.keeping import Resource

ORGANIZATION: Final = (
    f"{french.CDS}/StructureDefinition/cds-organization", f"{french.ANNUAIRE}/StructureDefinition/as-organization",
)  # fmt: skip
PRACTITIONER: Final = (f"{french.ANNUAIRE}/StructureDefinition/as-practitioner",)
ROLE: Final = (f"{french.ANNUAIRE}/StructureDefinition/as-practitionerrole",)
TYPES: Final = f"{french.ANNUAIRE}/StructureDefinition/as-ext-organization-types"
KINDS: Final = f"{french.CORE}/CodeSystem/fr-core-cs-v2-3307"
_KIND_CODES: Final = {
    Structure.Kind.EJ.value: ("LEGAL-ENTITY", "Entité juridique"),
    Structure.Kind.EG.value: ("GEOGRAPHICAL-ENTITY", "Entité géographique"),
}


def organization(row: Structure, *, part_of: UUID | None) -> Resource:
    """Return the Organization of a structure; `part_of`: the legal entity above it, when the directory has it."""
    said: Resource = {"resourceType": "Organization", "id": str(row.pk)}
    _put(said, "identifier", organization_identifiers(row))
    said["active"] = row.ceased_at is None and row.merged_into_id is None
    _put(said, "type", list(_types(row)))
    said["name"] = row.name
    _put(said, "alias", [row.short_name] if row.short_name else [])
    _put(said, "telecom", telecoms(row.phone, row.email, row.mss_address))
    place = french.address(line=row.address, postal_code=row.postal_code, city=row.town, insee=row.commune_code)
    _put(said, "address", [place] if place else [])
    if part_of:
        said["partOf"] = french.reference("Organization", part_of)
    return said


def organization_identifiers(row: Structure) -> list[Resource]:
    """Write the numbers of a structure; the national one begins with the digit of its kind (TRE_G07)."""
    rang = row.technical_id if row.technical_id.startswith("R") else ""
    national = next((f"{kind}{number}" for kind, number in ((1, row.finess), (3, row.siret), (4, rang)) if number), "")
    finess = "FINEJ" if row.kind == Structure.Kind.EJ else "FINEG"
    found = [
        (codes.STRUCTURES, national, "IDNST", "official"),
        (codes.FINESS, row.finess, finess, ""),
        (codes.SIRENE, row.siren, "SIREN", ""),
        (codes.SIRENE, row.siret, "SIRET", ""),
        (codes.RPPS_RANG, rang, "INTRN", ""),
    ]
    return [french.identifier(system, value, kind, use=use) for system, value, kind, use in found if value]


def _types(row: Structure) -> Iterable[Resource]:
    if row.kind in _KIND_CODES:
        yield _typed("organizationType", french.concept(KINDS, *_KIND_CODES[row.kind]))
    if sector := codes.known("secteur_activite", row.sector):
        yield _typed("secteurActiviteRASS", sector)
    category = codes.known("categorie_etablissement", row.category)
    # JDV_J129 is taken from the FINESS table alone; this slice names itself by nothing but its codes.
    if category and category["coding"][0]["system"] == codes.CATEGORIES:
        yield category
    if row.legal_status in codes.LEGAL_STATUSES:
        yield _typed("statutJuridiqueINSEE", french.concept(codes.LEGAL_STATUS, row.legal_status))


def _typed(name: str, said: Resource) -> Resource:
    return {"extension": [{"url": TYPES, "valueCode": name}]} | said


def practitioner(
    row: Professional, professions: Iterable[tuple[str, str]], savoir_faire: Iterable[SavoirFaire]
) -> Resource:
    """Return the Practitioner of a professional; `professions` are the (profession, category) he has, main one first.

    The profile allows one exercise: the main one. The others are in the `code` of his PractitionerRoles.
    """
    said: Resource = {"resourceType": "Practitioner", "id": str(row.pk)}
    found = [(codes.PEOPLE, row.national_id, "IDNPS"), (codes.RPPS, row.rpps, "RPPS")]
    _put(said, "identifier", [french.identifier(*one) for one in found if one[1]])
    said["active"] = row.ceased_at is None
    said["name"] = [practitioner_name(row)]
    _put(said, "telecom", telecoms(row.phone, row.email, row.mss_address))
    exercises = (_exercise(profession, category) for profession, category in professions)
    held = (codes.savoir_faire(one.kind, one.code) for one in savoir_faire)
    main = next(filter(None, exercises), None)
    _put(said, "qualification", [{"code": one} for one in (main, *held) if one])
    return said


def practitioner_name(row: Professional) -> Resource:
    """Return the name under which a professional practises."""
    said: Resource = {"family": row.family_name}
    _put(said, "given", [row.given_name] if row.given_name else [])
    _put(said, "prefix", [row.civility] if row.civility else [])
    _put(said, "suffix", [row.practice_civility] if row.practice_civility else [])
    return said


def _exercise(profession: str, category: str) -> Resource | None:
    said = codes.known("profession", profession)
    kind = codes.known("categorie_professionnelle", category)
    if said is None:
        return None
    return {"coding": [*(kind["coding"] if kind else []), *said["coding"]]}


def role(row: Activity, *, organization_id: UUID | None) -> Resource:
    """Return the PractitionerRole of a situation d'exercice."""
    said: Resource = {"resourceType": "PractitionerRole", "id": str(row.pk)}
    said["active"] = row.ceased_at is None and row.professional.ceased_at is None
    said["practitioner"] = french.reference("Practitioner", row.professional_id)
    if organization_id:
        said["organization"] = french.reference("Organization", organization_id)
    _put(said, "code", role_codes(row))
    _put(said, "telecom", telecoms(row.phone, row.email, row.mss_address))
    return said


def role_codes(row: Activity) -> list[Resource]:
    """Return what somebody does in a place: kind of activity, way of practising, function, profession."""
    found = (
        codes.known("genre_activite", row.genre),
        codes.known("mode_exercice", row.mode),
        codes.known("fonction", row.fonction) or codes.known("role", row.fonction),
        codes.known("profession", row.profession),
    )
    return [one for one in found if one]


def role_without_activity(row: Professional) -> Resource:
    """Return the PractitionerRole of somebody whose places of work nobody knows: it has his own id."""
    said: Resource = {"resourceType": "PractitionerRole", "id": str(row.pk), "active": row.ceased_at is None}
    return said | {"practitioner": french.reference("Practitioner", row.pk)}


def telecoms(phone: str, email: str, mss: str) -> list[Resource]:
    """Return the means of contact that the directory has, the MSSanté address told apart."""
    found = [french.phone(phone, "work") if phone else None, french.email(email, "work") if email else None]
    return [one for one in (*found, french.mailbox(mss) if mss else None) if one]


def main_professions(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Order the (profession, category) of a person: those of today's tables, then by code."""
    return sorted(set(pairs), key=lambda pair: (nomenclatures.get("profession", pair[0]) is None, pair))


def _put(said: Resource, name: str, values: list[Resource] | list[str]) -> None:
    if values:
        said[name] = values
