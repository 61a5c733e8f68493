"""The sheet of a member entered by hand as a RelatedPerson, a Practitioner or a PractitionerRole, and back. Pure.

Profiles: cds-fr-related-person 2.0.1 (CDS-27), as-practitioner and as-practitionerrole 1.1.0. A telephone that cannot
be read, a code of another table fill no field: they stay in what is kept of the client.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape, unescape
from typing import Any, Final

from django.conf import settings

from circle import fields as sheet
from circle import roles
from circle.fhir import codes
from circle.models import Member
from coordination.common import nomenclatures
from coordination.common.errors import DomainError
from coordination.common.identifiers import parse_email, parse_person_name
from coordination.common.phones import PhoneKind, parse_phone
from coordination.common.text import fold, seen, squeeze
from coordination.fhir import french
from coordination.fhir.finishing import Ours, Says

Resource = dict[str, Any]

RELATED: Final = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/cds-fr-related-person"
# A number that the person asked not to be given out: whoever receives the sheet is told.
RESTRICTED: Final = french.coding("http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "R", "restricted")
_TAG = re.compile(r"<[^>]*>")


# ---- Written -------------------------------------------------------------------------------------------------------


def related_person(member: Member, role: str) -> Resource:
    """Return the RelatedPerson of a relative; `role`: the one he holds, or was sent with."""
    found: Resource = {"resourceType": "RelatedPerson", "id": str(member.pk)}
    if member.unlisted:
        found["meta"] = {"security": [dict(RESTRICTED)]}
    if member.description:
        div = f'<div xmlns="http://www.w3.org/1999/xhtml">{escape(member.description, quote=False)}</div>'
        found["text"] = {"status": "additional", "div": div}
    found["identifier"] = [{"system": settings.FHIR_IDENTIFIER_SYSTEM_MEMBER, "value": str(member.pk)}]
    found["patient"] = {"reference": f"Patient/{member.dossier_id}", "type": "Patient"}
    said = codes.relation_type(member.relation) if member.relation else None
    found["relationship"] = [codes.related_role(role), *([said] if said else [])]
    found["name"] = [_name(member)]
    found["telecom"] = _telecom(member, "home")
    place = french.address(
        line=member.address, postal_code=member.postal_code, city=member.town, insee=member.commune_code
    )
    return found | ({"address": [place]} if place else {})


def without_our_label(resource: Resource, member: Member) -> Resource:
    """Return what a client sends back without the label that we put: it goes when the number may be given again."""
    meta = resource.get("meta", {})
    if not member.unlisted or RESTRICTED not in meta.get("security", []):
        return resource
    others = [one for one in meta["security"] if one != RESTRICTED]
    rest = {name: value for name, value in meta.items() if name != "security"}
    return resource | {"meta": rest | ({"security": others} if others else {})}


def practitioner(member: Member) -> Resource:
    """Return the Practitioner of a professional entered by hand."""
    found: Resource = {"resourceType": "Practitioner", "id": str(member.pk), "name": [_name(member)]}
    concept = nomenclatures.find_profession_or_role(member.profession)
    if concept:
        found["qualification"] = [{"code": french.concept(concept.system.url, concept.code, concept.display)}]
    return found


def practitioner_role(member: Member) -> Resource:
    """Return where a professional entered by hand works."""
    found: Resource = {
        "resourceType": "PractitionerRole",
        "id": str(member.pk),
        "practitioner": {"reference": f"Practitioner/{member.pk}", "type": "Practitioner"},
    }
    if member.structure_name:
        found["organization"] = {"display": member.structure_name}
    concept = nomenclatures.find_profession_or_role(member.profession)
    if concept:
        found["code"] = [french.concept(concept.system.url, concept.code, concept.display)]
    return found | {"telecom": _telecom(member, "work")}


def _name(member: Member) -> Resource:
    found: Resource = {"family": member.family_name}
    if member.given_name:
        found["given"] = [member.given_name]
    return found | ({"prefix": [member.civility]} if member.civility else {})


def _telecom(member: Member, use: str) -> list[Resource]:
    points = (
        french.phone(member.phone, use) if member.phone else None,
        french.phone(member.mobile, "mobile") if member.mobile else None,
        french.email(member.email, use) if member.email else None,
    )
    return [point for point in points if point]


# ---- Read ----------------------------------------------------------------------------------------------------------


def name_of(resource: Resource) -> dict[str, str]:
    """Return the names that the first HumanName fills."""
    said: Resource = next(iter(resource.get("name", [])), {})
    given = squeeze(next(iter(said.get("given", [])), ""))
    return {
        "family_name": _or_as_it_is(parse_person_name, squeeze(said.get("family", "")))[:120],
        "given_name": _or_as_it_is(parse_person_name, given)[:120],
        "civility": _civility(next(iter(said.get("prefix", [])), "")),
    }


def contacts_of(resource: Resource) -> dict[str, str]:
    """Return phone, mobile and email: the first readable ones; a second telephone takes the place that is free."""
    found = {"phone": "", "mobile": "", "email": ""}
    for _, column, value in _points(resource.get("telecom", [])):
        found[column] = value
    return found


def place_of(resource: Resource) -> dict[str, str]:
    """Return the columns that the first Address fills."""
    said: Resource = next(iter(resource.get("address", [])), {})
    postal_code = squeeze(said.get("postalCode", ""))
    # Kept as it was sent when it is not ours.
    is_french = postal_code.isascii() and postal_code.isdigit() and len(postal_code) == 5
    return {
        "address": french.lines_of(said)[: sheet.LIMITS["address"]],
        "postal_code": postal_code if is_french else "",
        "town": squeeze(said.get("city", ""))[: sheet.LIMITS["town"]],
        "commune_code": french.insee_of(said),
    }


def relation_of(resource: Resource) -> str:
    """Return the relation (TRE_R216) that a RelatedPerson names, "" for none of the table."""
    said = codes.codings(resource.get("relationship", []))
    return next((c for s, c in said if s == codes.R216 and nomenclatures.get("relation_complete", c)), "")


def role_of(resource: Resource) -> str | None:
    """Return the role that a RelatedPerson names (TRE_R260), None for one a relative may not hold."""
    return codes.role_for(resource.get("relationship", []), roles.PERSON)


def description_of(resource: Resource) -> str | None:
    """Return the description (§8: RelatedPerson.text); None for a narrative that only renders the rest."""
    text = resource.get("text") or {}
    if text.get("status") != "additional":
        return None
    return squeeze(unescape(_TAG.sub(" ", text.get("div", ""))))[: sheet.LIMITS["description"]]


def profession_of(resource: Resource) -> str:
    """Return the profession that a qualification names, "" for none of our tables."""
    concepts = [one.get("code", {}) for one in resource.get("qualification", [])]
    for system, code in french.codes(concepts):
        concept = nomenclatures.find_profession_or_role(code)
        if concept and concept.system.url == system:
            return code
    return ""


def workplace_of(resource: Resource) -> str:
    """Return where a PractitionerRole says that one works, in words."""
    return seen((resource.get("organization") or {}).get("display", ""))[: sheet.LIMITS["structure_name"]]


def related_fields(resource: Resource) -> dict[str, str]:
    """Return the fields of a relative that a RelatedPerson fills (`fields.WRITABLE["aidant"]`)."""
    description = description_of(resource)
    return {
        **name_of(resource),
        **contacts_of(resource),
        **place_of(resource),
        "relation": relation_of(resource),
        **({} if description is None else {"description": description}),
    }


def practitioner_fields(resource: Resource) -> dict[str, str]:
    """Return the fields of a professional entered by hand that a Practitioner fills."""
    return {**name_of(resource), "profession": profession_of(resource)}


def role_fields(resource: Resource) -> dict[str, str]:
    """Return those that his PractitionerRole fills."""
    return {**contacts_of(resource), "structure_name": workplace_of(resource)}


def _points(points: Sequence[Resource]) -> Iterable[tuple[int, str, str]]:
    """Yield (place, column, value) of the points that fill a field."""
    taken: set[str] = set()
    for place, point in enumerate(points):
        value = point.get("value", "")
        if point.get("system") == "email" and not french.is_mailbox(point):
            columns, read = ["email"], _or_nothing(parse_email, value)
        elif point.get("system") == "phone":
            columns, read = _telephone(point, value)
        else:
            continue
        free = [column for column in columns if column not in taken]
        if read and free:
            taken.add(free[0])
            yield place, free[0], read


def _telephone(point: Resource, value: str) -> tuple[list[str], str]:
    try:
        phone = parse_phone(value)
    except DomainError:
        return [], ""
    use = point.get("use", "")
    is_mobile = use == "mobile" if use in ("mobile", "home", "work") else phone.kind == PhoneKind.MOBILE
    return (["mobile", "phone"] if is_mobile else ["phone", "mobile"]), phone.e164


def _civility(text: str) -> str:
    wanted = fold(text)
    known = nomenclatures.concepts("civilite")
    return next((c.code for c in known if wanted and wanted in (fold(c.code), fold(c.label), fold(c.short))), "")


def _or_nothing(parse: Callable[[str], str], value: str) -> str:
    try:
        return parse(value)
    except DomainError:
        return ""


def _or_as_it_is(parse: Callable[[str], str], value: str) -> str:
    """Refused with its sentence by the rules of the sheet, not here."""
    return _or_nothing(parse, value) or value


def relationship_said(resource: Resource) -> tuple[str | None, str]:
    """Return the code of TRE_R260, and the relation, that a RelatedPerson names."""
    roles_said = [code for system, code in codes.codings(resource.get("relationship", [])) if system == codes.R260]
    return (roles.canonical(roles_said[0]) if roles_said else None), relation_of(resource)


def _place_said(resource: Resource) -> tuple[str, ...]:
    # The code of the town is found from its name: it is no change of address.
    said = place_of(resource)
    return said["address"], said["postal_code"], said["town"]


def _known_points(points: Sequence[Resource]) -> list[int]:
    return [place for place, _, _ in _points(points)]


# What the sheet knows of each resource: what still says the same comes back as it was sent.
RELATED_SAYS: Says = {
    "text": lambda r: description_of(r) or "",
    "patient": lambda r: str(french.reference_id(r.get("patient"), "Patient")),
    "relationship": relationship_said,
    "name": name_of,
    "telecom": contacts_of,
    "address": _place_said,
}
PRACTITIONER_SAYS: Says = {"name": name_of, "qualification": profession_of}
ROLE_SAYS: Says = {
    "practitioner": lambda r: str(french.reference_id(r.get("practitioner"), "Practitioner")),
    "organization": workplace_of,
    "telecom": contacts_of,
}
OURS: Ours = {"telecom": _known_points}
