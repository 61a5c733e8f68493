"""Resources that are wrong on purpose: a judge that lets them pass judges nothing."""

import copy
import json

CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/StructureDefinition"
ROLE = "https://mos.esante.gouv.fr/NOS/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"

CIRCLE = {
    "resourceType": "CareTeam",
    "id": "planted",
    "meta": {"profile": [f"{CDS}/cds-ihe-careteam"]},
    "identifier": [{"system": "https://exemple.test/cercles", "value": "1"}],
    "status": "active",
    "name": "Cercle de soins",
    "subject": {"reference": "Patient/1"},
    "period": {"start": "2026-01-12"},
    "participant": [{"member": {"reference": "RelatedPerson/2"}, "period": {"start": "2026-01-12"}}],
}
AIDANT = {
    "resourceType": "RelatedPerson",
    "id": "planted",
    "meta": {"profile": [f"{CDS}/cds-fr-related-person"]},
    "identifier": [{"system": "https://exemple.test/cercles", "value": "2"}],
    "patient": {"reference": "Patient/1"},
    "relationship": [{"coding": [{"system": ROLE, "code": "CAREGIVER"}]}],
    "name": [{"family": "TESTINI"}],
    "telecom": [{"system": "phone", "value": "0600000000"}],
}


def without(resource, *path):
    changed = copy.deepcopy(resource)
    inside = changed
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return changed


def with_(resource, **values):
    return {**copy.deepcopy(resource), **values}


RIGHT = {"circle": CIRCLE, "aidant": AIDANT}
WRONG = {
    "no-identifier": without(CIRCLE, "identifier"),
    "status-of-nobody": with_(CIRCLE, status="vivant"),
    "no-start": without(CIRCLE, "period", "start"),
    "no-member": without(CIRCLE, "participant", 0, "member"),
    "unknown-element": with_(CIRCLE, cercle=True),
    "day-that-is-not": with_(CIRCLE, period={"start": "2026-02-30"}),
    "unknown-extension": with_(CIRCLE, extension=[{"url": "https://example.org/rien", "valueBoolean": True}]),
    "no-role": with_(AIDANT, relationship=[{"text": "Fils"}]),
    "two-given": with_(AIDANT, name=[{"family": "TESTINI", "given": ["A", "B"]}]),
    "telecom-without-system": with_(AIDANT, telecom=[{"value": "0600000000"}]),
}  # fmt: skip


def write(folder):
    """Write `right/` and `wrong/` in a folder."""
    for kind, resources in (("right", RIGHT), ("wrong", WRONG)):
        (folder / kind).mkdir(parents=True)
        for name, resource in resources.items():
            (folder / kind / f"{name}.json").write_text(json.dumps(resource))
    (folder / "wrong/two-values.xml").write_text(
        '<CareTeam xmlns="http://hl7.org/fhir"><status value="active"/><status value="inactive"/></CareTeam>'
    )
