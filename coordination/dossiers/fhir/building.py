"""From a dossier to a Patient. Pure: plain dictionaries, no statement.

Profiles: fr-core-patient 2.1.0, and fr-core-patient-ins once the identity is qualified (INS-9); before that the INS
is nowhere in what goes out (INS-4).
"""

from __future__ import annotations

from typing import Final

from django.conf import settings

from coordination.common.ins import OID_NIA, TYPE_CODES
from coordination.dossiers.models import DatePrecision, Dossier, IdentityStatus
from coordination.fhir import french
from coordination.fhir.keeping import Resource

PROFILE: Final = f"{french.CORE}/StructureDefinition/fr-core-patient"
PROFILE_INS: Final = f"{french.CORE}/StructureDefinition/fr-core-patient-ins"
RELIABILITY: Final = f"{french.CORE}/StructureDefinition/fr-core-identity-reliability"
RELIABILITIES: Final = f"{french.CORE}/CodeSystem/fr-core-cs-v2-0445"
BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
BIRTH_LIST: Final = f"{french.CORE}/StructureDefinition/fr-core-patient-birth-list-given-name"
# Of a place of birth that nobody knows (INS reference).
UNKNOWN_PLACE: Final = "99999"
# The table has no word for what INSi said: with its identifier beside it, a validated identity is a qualified one.
CHECKED: Final = frozenset({IdentityStatus.VALI.value, IdentityStatus.QUAL.value})
ATTRIBUTES: Final = {"homonym": "HOMA", "doubtful": "DOUT", "fictitious": "FICT"}
_SHAPES = {DatePrecision.DAY.value: "%Y-%m-%d", DatePrecision.MONTH.value: "%Y-%m", DatePrecision.YEAR.value: "%Y"}


def profiles(dossier: Dossier) -> tuple[str, ...]:
    """Return the profiles that the Patient of a dossier conforms to."""
    return (PROFILE_INS, PROFILE) if dossier.is_qualified else (PROFILE,)


def patient(dossier: Dossier) -> Resource:
    """Return the Patient of a dossier, as the dossier alone says it."""
    said: Resource = {
        "resourceType": "Patient",
        "id": str(dossier.pk),
        "extension": [*reliability(dossier), *birth_place(dossier)],
        "identifier": identifiers(dossier),
        "active": dossier.status != Dossier.Status.CLOS,
        "name": names(dossier),
    }
    if points := telecoms(dossier):
        said["telecom"] = points
    said |= {"gender": dossier.sex, "birthDate": f"{dossier.birth_date:{_SHAPES[dossier.birth_date_precision]}}"}
    place = french.address(
        line=dossier.address, postal_code=dossier.postal_code, city=dossier.town, insee=dossier.commune_code,
        use="home",
    )  # fmt: skip
    return said | {"address": [place]} if place else said


def identifiers(dossier: Dossier) -> list[Resource]:
    """Ours (PI), and the INS of a qualified identity (INS-4)."""
    kind = french.concept(french.V2_TYPES, "PI", "Patient internal identifier")
    system = settings.FHIR_IDENTIFIER_SYSTEM_PATIENT
    found: list[Resource] = [{"use": "usual", "type": kind, "system": system, "value": str(dossier.pk)}]
    if dossier.is_qualified:
        # A NIA waits for the NIR that will replace it.
        use = "temp" if dossier.ins_oid == OID_NIA else "official"
        ins_system, kind_code = f"urn:oid:{dossier.ins_oid}", TYPE_CODES[dossier.ins_oid]
        found.append(french.identifier(ins_system, dossier.ins_matricule, kind_code, use=use))
    return found


def reliability(dossier: Dossier) -> list[Resource]:
    """The trust in the identity, then its attributes: one extension each."""
    status = IdentityStatus.VALI if dossier.identity_status in CHECKED else IdentityStatus.PROV
    said = [status.value, *(code for name, code in ATTRIBUTES.items() if getattr(dossier, name))]
    return [
        {
            "extension": [{"url": "identityStatus", "valueCoding": french.coding(RELIABILITIES, code)}],
            "url": RELIABILITY,
        }
        for code in said
    ]


def birth_place(dossier: Dossier) -> list[Resource]:
    """Return the extension that tells where she was born, none when nobody knows."""
    code = dossier.birth_place_code or (UNKNOWN_PLACE if dossier.is_qualified else "")
    place = french.address(city=dossier.birth_place, insee=code)
    return [{"url": BIRTH_PLACE, "valueAddress": place}] if place else []


def names(dossier: Dossier) -> list[Resource]:
    """The name of birth (official), then the one in use when it is another."""
    found: list[Resource] = [
        {
            "extension": [{"url": BIRTH_LIST, "valueString": dossier.birth_given_names}],
            "use": "official",
            "family": dossier.birth_name,
            "given": [dossier.first_given_name],
        }
    ]
    if dossier.used_name or dossier.used_given_name:
        usual: Resource = {"use": "usual"}
        if dossier.used_name:
            usual["family"] = dossier.used_name
        if dossier.used_given_name:
            usual["given"] = [dossier.used_given_name]
        found.append(usual)
    return found


def telecoms(dossier: Dossier) -> list[Resource]:
    """Return the telephones and the e-mail of a person."""
    found = [
        french.phone(dossier.phone, "home") if dossier.phone else None,
        french.phone(dossier.mobile, "mobile") if dossier.mobile else None,
        french.email(dossier.email, "home") if dossier.email else None,
    ]
    return [one for one in found if one]
