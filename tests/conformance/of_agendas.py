"""Of what was captured, what the guide of agendas judges: its own types, and the answers to searches of them."""

import json
import shutil

from tests.conformance.planted import with_, without

GAP = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition"
TYPES = frozenset({"Schedule", "Slot", "Appointment", "Location", "HealthcareService", "Device"})
_ANSWERS = {
    "Appointment": f"{GAP}/gap-bundle-reponse-demande-consult-rdv",
    "Slot": f"{GAP}/gap-bundle-reponse-demande-consult-dispo",
}


def is_of_agendas(path):
    """Say whether a captured file is judged with the packages of the agenda."""
    if path.name.partition("-")[0] in TYPES:
        return True
    if not path.name.startswith("Bundle-"):
        return False
    text = path.read_text()
    return any(f'"resourceType":"{name}"' in text or f"<{name} xmlns" in text or f"<{name}>" in text for name in TYPES)


def split(captured, ours, others):
    """Copy what was captured into two folders; each answer to a search in JSON says which answer it is."""
    ours.mkdir(parents=True)
    others.mkdir(parents=True)
    for path in sorted(captured.iterdir()):
        if not is_of_agendas(path):
            shutil.copy(path, others / path.name)
        elif path.name.startswith("Bundle-") and path.suffix == ".json":
            (ours / path.name).write_text(json.dumps(declared(json.loads(path.read_text()))))
        else:
            shutil.copy(path, ours / path.name)


def declared(bundle):
    matches = {one["resource"]["resourceType"] for one in bundle.get("entry", []) if _is_a_match(one)}
    if bundle.get("type") != "searchset" or len(matches) != 1 or not matches & _ANSWERS.keys():
        return bundle
    return bundle | {"meta": {"profile": [_ANSWERS[matches.pop()]]}}


def _is_a_match(entry):
    return entry.get("search", {}).get("mode") == "match"


APPOINTMENT = {
    "resourceType": "Appointment",
    "id": "planted",
    "meta": {"profile": [f"{GAP}/gap-fr-appointment"]},
    "identifier": [{"system": "https://exemple.test/rdv", "value": "1"}],
    "status": "booked",
    "start": "2026-12-01T10:00:00+01:00",
    "end": "2026-12-01T10:30:00+01:00",
    "participant": [{"actor": {"reference": "Patient/1"}, "status": "accepted"}],
}
ANSWER = {
    "resourceType": "Bundle",
    "id": "planted",
    "meta": {"profile": [_ANSWERS["Appointment"]]},
    "type": "searchset",
    "link": [{"relation": "self", "url": "https://exemple.test/fhir/Appointment"}],
    "entry": [
        {"fullUrl": "https://exemple.test/fhir/Appointment/planted", "resource": APPOINTMENT,
         "search": {"mode": "match"}},
    ],
}  # fmt: skip
RIGHT = {"appointment": APPOINTMENT, "answer": ANSWER}
WRONG = {
    "no-end": without(APPOINTMENT, "end"),
    "no-status-of-who-attends": without(APPOINTMENT, "participant", 0, "status"),
    "nobody": without(APPOINTMENT, "participant"),
    "why-it-is-cancelled-and-is-not": with_(APPOINTMENT, cancelationReason={"text": "x"}),
    "speciality-of-another-table": with_(
        APPOINTMENT, specialty=[{"coding": [{"system": "https://exemple.test/x", "code": "1"}]}]
    ),
    "included-and-not-asked": with_(ANSWER, entry=[ANSWER["entry"][0] | {"search": {"mode": "include"}}]),
    "with-a-request": with_(ANSWER, entry=[ANSWER["entry"][0] | {"request": {"method": "GET", "url": "x"}}]),
}  # fmt: skip


def write_planted(folder):
    for kind, resources in (("right", RIGHT), ("wrong", WRONG)):
        (folder / kind).mkdir(parents=True)
        for name, resource in resources.items():
            (folder / kind / f"{name}.json").write_text(json.dumps(resource))
