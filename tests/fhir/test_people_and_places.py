"""The people and places of a circle over HTTP, with what HL7 and the guides give as examples."""

import json
from pathlib import Path

import pytest

from coordination.directory.models import Structure
from coordination.dossiers.models import Dossier
from coordination.fhir import formats, french
from tests.fhir import packages
from tests.fhir.api import XML, issues, matches, read
from tests.fhir.samples import sample

pytestmark = pytest.mark.django_db

HL7 = Path(__file__).parent / "hl7"
WRONG_KEY = {("invalid", "Patient.identifier[0].value")}
# What is accepted (nothing is said against it), and why the others are not: the national profiles, or INS-1.
EXAMPLES = {
    HL7 / "organization-1.json": set(),
    HL7 / "organization-example.json": set(),
    HL7 / "practitioner-example.json": set(),
    HL7 / "patient-example.json": {
        ("required", "Patient.telecom[0].system"), ("required", "Patient.telecom[0].value"),
    },
    HL7 / "practitionerrole-example.json": {("code-invalid", "PractitionerRole.specialty[0]")},
    "ans.fhir.fr.annuaire-1.1.0/examples/Organization-example-organization-fictive.json": set(),
    "ans.fhir.fr.cds/examples/Organization-cds-organization-example.json": set(),
    "ans.fhir.fr.pdsm/examples/Organization-org-example.json": set(),
    "ans.fhir.fr.pdsm/examples/Patient-fr-patient-123.json": set(),
    # Invented matricules, whose key is wrong, under the OID of real ones.
    "ans.fhir.fr.cds/examples/Patient-cds-patient-example.json": WRONG_KEY,
    "hl7.fhir.fr.core-2.1.0/examples/Patient-ExampleFRCorePatient001.json": WRONG_KEY,
}  # fmt: skip


@pytest.mark.req("CDS-8", "CDS-9", "CDS-12", "INS-1")
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: Path(path).name)
def test_examples_are_refused_by_the_element_or_come_back_equal(api, path):
    body = json.loads(Path(path).read_bytes()) if isinstance(path, Path) else packages.resource(path)
    body.pop("id", None)
    for address in body.get("address", []):
        for extension in address.get("extension", []):
            if extension.get("valueCoding", {}).get("code") == "18000":
                # The example writes the postal code of Bourges where its INSEE code stands.
                extension["valueCoding"]["code"] = "18033"
    answer = api.post(body["resourceType"], body)
    if EXAMPLES[path]:
        assert answer.status_code == 422
        assert {(code, where) for _, code, where in issues(answer)} == EXAMPLES[path]
        return
    assert answer.status_code == 201
    there = read(api.get(answer["Location"].split("/_history")[0]))
    lost = [
        name for name in body if name not in ("meta", "identifier") and there.get(name) != french.tidied(body[name])
    ]
    assert not lost
    assert all(one in there["identifier"] for one in body.get("identifier", []))


@pytest.mark.req("CDS-8", "CDS-9", "CDS-10", "CDS-12", "CDS-13", "CDS-14", "CDS-15")
@pytest.mark.parametrize("media", ["json", "xml"])
def test_each_type_is_created_read_replaced_and_found(api, media):
    as_media = {"Accept": XML} if media == "xml" else {}

    def send(method, path, body):
        sent = formats.write_xml(body) if media == "xml" else body
        return api.ask(method, path, sent, **({"media": XML} if media == "xml" else {}), **as_media)

    made = {}
    for name in ("Patient", "Organization", "Practitioner", "PractitionerRole"):
        body = sample(name)
        for element, target in (("practitioner", "Practitioner"), ("organization", "Organization")):
            if name == "PractitionerRole":
                body[element] = {"reference": f"{target}/{made[target]}"}
        answer = send("POST", name, body)
        assert answer.status_code == 201, answer.content
        there = read(answer)
        made[name] = there["id"]
        version = f"/fhir/{name}/{there['id']}/_history/{there['meta']['versionId']}"
        assert answer["Location"] == f"http://testserver{version}"
        assert read(api.get(version)) == there
        changed = body | {"id": there["id"], "language": "fr"}
        answer = send("PUT", f"{name}/{there['id']}", changed)
        assert answer.status_code == 200, answer.content
        after = read(api.get(f"{name}/{there['id']}", **as_media))
        assert after["language"] == "fr"
        assert after["meta"]["versionId"] != there["meta"]["versionId"]
        assert api.get(version).status_code == 404
        criteria = {
            "Patient": "family=fictif&gender=female&birthdate=1950-03-04",
            "Organization": "name=maison&identifier=990000001",
            "Practitioner": "name=fictif&identifier=99900000007",
            "PractitionerRole": f"practitioner=Practitioner/{made.get('Practitioner')}"
            f"&organization=Organization/{made.get('Organization')}&practitioner.name=fictif",
        }[name]
        found = matches(read(api.get(f"{name}?{criteria}")))
        assert [one["id"] for one in found] == [there["id"]]


def test_what_the_columns_cannot_hold_comes_back(api):
    masked = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "masked"}
    degrees = [{"url": "latitude", "valueDecimal": 43.5}, {"url": "longitude", "valueDecimal": 2.25}]
    odd = {
        "address": [
            {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/geolocation", "extension": degrees}]}
        ],
        "alias": [None, "Le Test"],
        "_alias": [{"extension": [masked]}, None],
        "identifier": [{"system": "https://finess.esante.gouv.fr", "value": "990000009"}],
        "telecom": [{"system": "phone", "value": "poste 12"}, {"system": "url", "value": "https://exemple.example"}],
    }
    there = read(api.post("Organization", sample("Organization", **odd)))
    assert {name: there[name] for name in odd} == odd
    row = Structure.objects.get(pk=there["id"])
    assert (row.short_name, row.finess, row.phone) == ("Le Test", "", "")
    hidden = {"extension": [masked]}
    said = [
        {
            "family": "FICTIF", "prefix": [None], "_prefix": [hidden], "given": [None, "Paul"],
            "_given": [hidden, None],
        }
    ]  # fmt: skip
    there = read(api.post("Practitioner", sample("Practitioner", name=said)))
    assert there["name"] == said


def test_a_role_brings_its_professional_and_its_place(api):
    place = read(api.post("Organization", sample("Organization")))["id"]
    person = read(api.post("Practitioner", sample("Practitioner")))["id"]
    said = {
        "practitioner": {"reference": f"Practitioner/{person}"},
        "organization": {"reference": f"Organization/{place}"},
    }
    api.post("PractitionerRole", sample("PractitionerRole", **said))
    bundle = read(api.get(f"PractitionerRole?practitioner={person}&_include=*"))
    assert {one["resource"]["resourceType"] for one in bundle["entry"]} == {
        "PractitionerRole", "Practitioner", "Organization",
    }  # fmt: skip


def test_a_person_known_already_is_a_duplicate_unless_the_call_says_why(api):
    assert api.post("Patient", sample("Patient")).status_code == 201
    answer = api.post("Patient", sample("Patient"))
    assert (answer.status_code, issues(answer)[0][1]) == (409, "duplicate")
    assert api.post("Patient", sample("Patient"), Duplicate_Reason="Jumelle").status_code == 201
    assert Dossier.objects.filter(birth_name="FICTIF").count() == 2


def test_the_same_call_twice_makes_one(api):
    for name, table in (("Organization", Structure), ("Patient", Dossier)):
        before = table.objects.count()
        answers = [api.post(name, sample(name), Idempotency_Key=f"un-seul-{name}") for _ in range(2)]
        assert len({answer["Location"] for answer in answers}) == 1
        assert table.objects.count() == before + 1
