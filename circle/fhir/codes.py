"""The codes of the guide for what the circle says: roles (section 6.1), relations (6.2)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from django.conf import settings

from circle import roles
from coordination.common import nomenclatures

NOS = "https://mos.esante.gouv.fr/NOS"
R85 = f"{NOS}/TRE_R85-RolePriseCharge/FHIR/TRE-R85-RolePriseCharge"
R216 = f"{NOS}/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"
R259 = f"{NOS}/TRE_R259-HL7ParticipationFunction/FHIR/TRE-R259-HL7ParticipationFunction"
R260 = f"{NOS}/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"
# The same codes under HL7's own names.
_SAME = {
    "http://terminology.hl7.org/CodeSystem/v3-RoleClass": R260,
    "http://terminology.hl7.org/CodeSystem/v3-ParticipationFunction": R259,
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode": R216,
}
_R260 = frozenset({
    roles.ECON, roles.GUARD, roles.CON, roles.CAREGIVER, roles.PROV, roles.AGNT, roles.NOK, roles.QUAL,
})  # fmt: skip
# What says least: another role beside one of these is the role of the member.
GENERAL = frozenset({roles.PROV, roles.AGNT, roles.CAREGIVER})


@lru_cache(maxsize=200)
def _written(code: str, own: str) -> tuple[dict[str, str], ...]:
    if code == roles.PCP:
        return (_coding(R259, code),)
    if code in _R260:
        return (_coding(R260, roles.canonical(code)),)
    if code.isdigit():
        # A function of TRE_R85 is held by somebody « caractérisé par son rôle ».
        return _coding(R260, roles.AGNT), _coding(R85, code)
    last = {"system": own, "code": code, "display": roles.label(code)}
    near = {roles.MAIN_CAREGIVER: roles.CAREGIVER, roles.REFERENT: roles.AGNT}.get(code)
    return (_coding(R260, near), last) if near else (last,)


def _coding(system: str, code: str) -> dict[str, str]:
    concept = nomenclatures.get("role_cercle", code)
    return {"system": system, "code": code} | ({"display": concept.display} if concept else {})


def role(code: str) -> list[dict[str, Any]]:
    """Return CareTeam.participant.role for a role of the circle: nothing for none.

    The national code when there is one; else our own beside the nearest of the guide's value set (preferred binding).
    """
    if not code:
        return []
    said = roles.get(code)
    text = said.label if said else roles.label(code)
    return [{"coding": [dict(one) for one in _written(code, settings.FHIR_SYSTEM_ROLES)], "text": text}]


def related_role(code: str) -> dict[str, Any]:
    """Return RelatedPerson.relationship:Role, which is one code of TRE_R260 whatever the role."""
    canonical = roles.canonical(code)
    return {"coding": [_coding(R260, canonical if canonical in _R260 - GENERAL else roles.CAREGIVER)]}


def relation_type(code: str) -> dict[str, Any] | None:
    """Return RelatedPerson.relationship:RelationType; None for what TRE_R216 has not."""
    concept = nomenclatures.get("relation_complete", code)
    if concept is None:
        return None
    return {"coding": [{"system": R216, "code": code, "display": concept.display}]}


def codings(concepts: Iterable[Any]) -> list[tuple[str, str]]:
    """Return the (system, code) of every coding, national names in place of HL7's."""
    return [
        (_SAME.get(one.get("system", ""), one.get("system", "")), one["code"])
        for concept in concepts
        for one in concept.get("coding", [])
        if one.get("code")
    ]


def roles_said(concepts: Iterable[Any]) -> list[str]:
    """Return the roles of the circle that these concepts name, the most telling first; QUAL is NOK (CDS-30)."""
    own = settings.FHIR_SYSTEM_ROLES
    found = []
    for system, code in codings(concepts):
        known = {
            R259: {roles.PCP}, R260: _R260, own: {r for r in roles.all_roles() if not r.isdigit()},
            R85: {r for r in roles.all_roles() if r.isdigit()},
        }.get(system, ())  # fmt: skip
        if code in known:
            found.append(roles.canonical(code))
    return sorted(dict.fromkeys(found), key=lambda code: code in GENERAL)


def role_for(concepts: Iterable[Any], kind: str, profession: str = "") -> str | None:
    """Return the role of such a member that these concepts name; None when they name none he may hold (CDS-25)."""
    said = roles_said(concepts)
    return next((code for code in said if roles.may_hold(code, kind, profession)), None)
