"""Appointments as a software sends them, and a software that acts for the coordinator of a dossier."""

import uuid

from agenda.models import Appointment
from coordination.fhir import formats
from tests.agenda.factories import HOUR, at
from tests.fhir.api import read

SYSTEM = "https://hopital.example/rdv"
GAP = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/"


def patient(entry):
    return {"actor": {"reference": f"Patient/{entry.dossier.pk}"}, "required": "required", "status": "accepted"}


def professional(id, status="accepted", type_name="Practitioner", **said):
    return {"actor": {"reference": f"{type_name}/{id}"}, "required": "required", "status": status} | said


def sent(entry, *others, status="booked", starts=None, minutes=30, number=None, **said):
    """Return an Appointment of the person of a dossier, a week ahead, with an identifier of the hospital."""
    starts = starts or at()
    ends = starts + HOUR * minutes / 60
    resource = {
        "resourceType": "Appointment",
        "identifier": [{"system": SYSTEM, "value": number or uuid.uuid4().hex}],
        "status": status,
        "start": starts.isoformat(),
        "end": ends.isoformat(),
        "participant": [*([patient(entry)] if entry else []), *others],
    } | said
    return {name: value for name, value in resource.items() if value is not None}


def created(api, resource, status=201, **headers):
    """POST it; return what is answered."""
    answer = api.post("Appointment", resource, **headers)
    assert answer.status_code == status, answer.content.decode()
    return read(answer)


def put(api, resource, status=200, **headers):
    answer = api.put(f"Appointment/{resource['id']}", resource, **headers)
    assert answer.status_code == status, answer.content.decode()
    return read(answer)


def row(resource):
    return Appointment.objects.get(pk=resource["id"])


def found(api, query, status=200):
    """Return the ids that a search finds."""
    answer = api.get(f"Appointment?{query}")
    assert answer.status_code == status, answer.content.decode()
    return {one["resource"]["id"] for one in read(answer).get("entry", []) if one["search"]["mode"] == "match"}


def written(resource, media):
    return formats.write_json(resource) if "json" in media else formats.write_xml(resource)
