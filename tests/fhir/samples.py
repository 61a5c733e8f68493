"""Invented resources, valid for their profile, to be spoilt one element at a time."""

from copy import deepcopy
from typing import Any

CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition/"
FR = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
AS = "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/"
NOS = "https://mos.esante.gouv.fr/NOS/"
R260 = f"{NOS}TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"
R216 = f"{NOS}TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"
R345 = f"{NOS}TRE_R345-TypeIdentifiantAutre/FHIR/TRE-R345-TypeIdentifiantAutre"
V2_0203 = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"

_CARETEAM = {
    "resourceType": "CareTeam",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "1"}],
    "status": "active",
    "name": "Cercle de soins de Mme FICTIF",
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2026-01-12"},
    "participant": [
        {
            "role": [{"coding": [{"system": R260, "code": "CAREGIVER"}]}],
            "member": {"reference": "RelatedPerson/r1"},
            "period": {"start": "2026-01-12"},
        },
        {"member": {"reference": "PractitionerRole/e1"}, "period": {"start": "2026-01-12", "end": "2026-02-01"}},
        {"member": {"reference": "Organization/o1"}, "period": {"start": "2026-01-12"}},
    ],
}
_RELATED = {
    "resourceType": "RelatedPerson",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "aidant-1"}],
    "patient": {"reference": "Patient/p1"},
    "relationship": [
        {"coding": [{"system": R260, "code": "CAREGIVER"}]},
        {"coding": [{"system": R216, "code": "DAUC"}]},
    ],
    "name": [{"family": "FICTIF", "given": ["Zoé"]}],
    "telecom": [{"system": "phone", "value": "0123456789"}],
}
_APPOINTMENT = {
    "resourceType": "Appointment",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "rdv-1"}],
    "status": "booked",
    "start": "2027-03-04T10:00:00+01:00",
    "end": "2027-03-04T10:30:00+01:00",
    "participant": [
        {"actor": {"reference": "Patient/p1"}, "required": "required", "status": "accepted"},
        {"actor": {"reference": "Practitioner/d1"}, "required": "required", "status": "accepted"},
    ],
}
_ORGANIZATION = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://finess.esante.gouv.fr", "value": "990000001"}],
    "name": "Maison de santé fictive",
    "telecom": [{"system": "phone", "value": "0123456789"}],
}
_PATIENT = {
    "resourceType": "Patient",
    "name": [{"use": "official", "family": "FICTIF", "given": ["Ada"]}],
    "gender": "female",
    "birthDate": "1950-03-04",
}
_PRACTITIONER = {
    "resourceType": "Practitioner",
    "identifier": [
        {
            "use": "official",
            "type": {"coding": [{"system": V2_0203, "code": "RPPS"}]},
            "system": "https://rpps.esante.gouv.fr",
            "value": "99900000007",
        }
    ],
    "name": [{"family": "FICTIF", "given": ["Paul"]}],
}
_ROLE = {
    "resourceType": "PractitionerRole",
    "practitioner": {"reference": "Practitioner/x1"},
    "organization": {"reference": "Organization/o1"},
}
_GAP_EXTENSIONS = [
    {
        "url": f"{FR}fr-core-schedule-availability-time",
        "extension": [
            {"url": "identifier", "valueIdentifier": {"system": "urn:oid:1.2.3.4", "value": "plage-1"}},
            {
                "url": "type",
                "valueCoding": {
                    "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type", "code": "free",
                },
            },
            {"url": "start", "valueDateTime": "2026-11-09T09:00:00+01:00"},
            {"url": "end", "valueDateTime": "2026-11-09T12:00:00+01:00"},
            {
                "url": "rrule",
                "extension": [
                    {"url": "freq", "valueCoding": {"system": "https://www.ietf.org/rfc/rfc2445", "code": "WEEKLY"}},
                    {"url": "byDay", "valueString": "MO"},
                ],
            },
        ],
    },
    {
        "url": f"{FR}fr-core-service-type-duration",
        "extension": [
            {"url": "serviceType", "valueCodeableConcept": {"text": "suivi"}},
            {
                "url": "duration",
                "valueDuration": {"value": 15, "system": "http://unitsofmeasure.org", "code": "min"},
            },
        ],
    },
]  # fmt: skip
R38 = f"{NOS}TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
_SPECIALITY = {"coding": [{"system": R38, "code": "SM54"}]}
_SCHEDULE = {
    "resourceType": "Schedule",
    "extension": _GAP_EXTENSIONS,
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "agenda-1"}],
    "specialty": [_SPECIALITY],
    "actor": [{"reference": "PractitionerRole/e1"}, {"reference": "Practitioner/x1"}],
}
_SLOT = {
    "resourceType": "Slot",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "creneau-1"}],
    "specialty": [_SPECIALITY],
    "schedule": {"reference": "Schedule/s1"},
    "status": "free",
    "start": "2026-11-09T09:00:00+01:00",
    "end": "2026-11-09T09:15:00+01:00",
}
_LOCATION = {
    "resourceType": "Location",
    "identifier": [
        {
            "type": {"coding": [{"system": V2_0203, "code": "INTRN"}]},
            "system": "urn:oid:1.2.3.4",
            "value": "salle-1",
        }
    ],
    "name": "Salle fictive",
    "telecom": [{"system": "phone", "value": "0123456789"}],
}  # fmt: skip
_SERVICE = {
    "resourceType": "HealthcareService",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "service-1"}],
    "name": "Équipe fictive",
    "telecom": [{"system": "phone", "value": "0123456789"}],
}
_DEVICE = {
    "resourceType": "Device",
    "identifier": [{"system": "urn:oid:1.2.3.4", "value": "appareil-1"}],
    "deviceName": [{"name": "Appareil fictif", "type": "user-friendly-name"}],
}
_ALL = {
    one["resourceType"]: one
    for one in (
        _APPOINTMENT, _CARETEAM, _RELATED, _ORGANIZATION, _PATIENT, _PRACTITIONER, _ROLE, _SCHEDULE, _SLOT, _LOCATION,
        _SERVICE, _DEVICE,
    )
}  # fmt: skip


TYPES = sorted(_ALL)


def sample(resource_type: str, **changed: Any) -> dict[str, Any]:
    """A valid resource of this type; a change to None takes the element out."""
    made = {**deepcopy(_ALL[resource_type]), **changed}
    return {name: value for name, value in made.items() if value is not None}


def entry(resource: dict[str, Any], number: int, method: str = "POST") -> dict[str, Any]:
    name = resource["resourceType"]
    url = name if method == "POST" else f"{name}/{resource.get('id', 'x')}"
    return {
        "fullUrl": f"urn:uuid:0188d2a4-0000-7000-8000-{number:012d}",
        "resource": resource,
        "request": {"method": method, "url": url},
    }


def transaction(*resources: dict[str, Any], profile: str = "", method: str = "POST") -> dict[str, Any]:
    """A transaction of these resources, declaring one of the guide's profiles when it is named."""
    made: dict[str, Any] = {"resourceType": "Bundle", "type": "transaction"}
    if profile:
        made["meta"] = {"profile": [CDS + profile]}
    if resources:
        made["entry"] = [entry(one, number, method) for number, one in enumerate(resources)]
    return made
