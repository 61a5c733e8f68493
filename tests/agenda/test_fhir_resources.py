"""The eight types of flow 1 as « Gestion d’agendas partagés » asks for them, whichever guide brought them."""

import pytest

from coordination.fhir import formats
from tests.agenda import fhir_world as world
from tests.agenda.fhir_world import at, created, lasting, morning, of, range_, schedule, search
from tests.agenda.test_fhir_schedules import api, nurse, nurse_api, structure  # noqa: F401 - the same world
from tests.circle import factories as make
from tests.fhir.api import XML, Api, issues, matches, read
from tests.fhir.samples import R38, sample
from tests.fhir.test_profiles import INS

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine(client, entry):
    """The API as a coordinator's own programs call it."""
    return Api.of(client, entry.user)


def sent(name, entry):
    """Return a valid resource of a type, which names what is there."""
    changed = {}
    if name == "RelatedPerson":
        changed = {"patient": {"reference": f"Patient/{entry.dossier.pk}"}}
    if name == "PractitionerRole":
        house, someone = make.StructureFactory(), make.listed(structure=make.StructureFactory())
        changed = {
            "practitioner": {"reference": f"Practitioner/{someone.pk}"},
            "organization": {"reference": f"Organization/{house.pk}"},
        }
    return sample(name, **changed)


EIGHT = (
    "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Location", "HealthcareService", "Organization",
    "Device",
)  # fmt: skip


@pytest.mark.req("GAP-6", "GAP-7", "GAP-8", "GAP-10")
@pytest.mark.parametrize("name", EIGHT)
def test_each_type_is_created_then_replaced(mine, entry, name):
    answer = mine.post(name, sent(name, entry))
    made = created(answer)
    assert f"/fhir/{name}/{made['id']}/" in answer["Location"]
    if name != "PractitionerRole":
        # The national files give situations d’exercice no number, and the guide asks for none.
        assert made["identifier"]
    assert mine.put(f"{name}/{made['id']}", made | {"language": "fr"}).status_code == 200
    assert read(mine.get(f"{name}/{made['id']}"))["language"] == "fr"


@pytest.mark.req("GAP-14", "GAP-15", "GAP-16", "GAP-17", "GAP-18")
@pytest.mark.parametrize(
    ("name", "changed", "where"),
    [
        ("Patient", {"name": [{"use": "official", "given": ["Ada"]}]}, "Patient.name[0].family"),
        ("RelatedPerson", {"identifier": None}, "RelatedPerson.identifier"),
        ("RelatedPerson", {"identifier": [{"value": "1"}, {"value": "2"}]}, "RelatedPerson.identifier"),
        ("RelatedPerson", {"patient": None}, "RelatedPerson.patient"),
        ("Location", {"identifier": [{"system": "urn:x:y", "value": "1"}]}, "Location.identifier[0].type"),
        ("PractitionerRole", {"specialty": [{"text": "Médecine"}]}, "PractitionerRole.specialty[0]"),
        ("PractitionerRole", {"specialty": [{"coding": [{"system": "urn:x"}]}]}, "PractitionerRole.specialty[0]"),
    ],
)
def test_what_a_profile_refuses(mine, name, changed, where):
    answer = mine.post(name, sample(name, **changed))
    assert answer.status_code in (400, 422)
    assert where in {at for _, _, at in issues(answer)}


@pytest.mark.req("GAP-15")
def test_an_identity_that_is_validated_has_its_matricule(mine):
    said = sample("Patient", **INS)
    said["identifier"] = [{"system": "urn:oid:1.2.3.4", "value": "1"}]
    answer = mine.post("Patient", said)
    assert answer.status_code == 422
    assert any("fr-core-1" in one["diagnostics"] for one in read(answer)["issue"])


@pytest.mark.req("GAP-19")
@pytest.mark.parametrize("name", ["Patient", "Practitioner", "RelatedPerson"])
def test_where_to_write_to_people_is_kept(mine, entry, name):
    points = [{"system": "email", "value": "ada.fictif@exemple.fr"}]
    made = created(mine.post(name, sent(name, entry) | {"telecom": points}))
    assert points[0]["value"] in {one["value"] for one in made["telecom"]}


@pytest.mark.req("GAP-2", "GAP-3")
def test_agendas_and_slots_are_of_both_formats(api, nurse):  # noqa: F811
    body = formats.write_xml(morning(nurse))
    answer = api.post("Schedule", body, media=XML, Accept=XML)
    assert answer.status_code == 201
    made = read(answer)
    assert read(api.get(f"Schedule/{made['id']}")) == made
    both = [read(api.get("Slot?_include=Slot:schedule", Accept=accept)) for accept in (XML, "application/fhir+json")]
    assert [one["resource"] for one in both[0]["entry"]] == [one["resource"] for one in both[1]["entry"]]


@pytest.mark.req("GAP-4", "GAP-5")
@pytest.mark.parametrize("name", ["Schedule", "Slot", "Location", "HealthcareService", "Device"])
def test_every_refusal_says_why(client, api, name):  # noqa: F811
    nobody = "0188d2a4-0000-7000-8000-00000000dead"
    for answer, status in (
        (client.get(f"/fhir/{name}"), 401),
        (api.get(f"{name}/{nobody}"), 404),
        (api.ask("DELETE", f"{name}/{nobody}"), 405 if name == "Slot" else 404),
        # No software is given the right to write a slot.
        (api.post(name, {"resourceType": name, "inconnu": 1}), 403 if name == "Slot" else 400),
        (api.put(f"{name}/{nobody}", sample(name, id=nobody)), 403 if name == "Slot" else 404),
        (api.get(f"{name}?_count=x"), 400),
        (api.get(f"{name}?_format=pdf"), 406),
    ):
        assert answer.status_code == status, answer.content
        assert issues(answer)


@pytest.mark.req("GAP-90", "GAP-25")
def test_either_name_of_a_professional_finds_his_agenda(api, nurse):  # noqa: F811
    made = created(api.post("Schedule", morning(nurse)))
    for reference in of(nurse):
        assert [one["id"] for one in matches(search(api, f"Schedule?actor={reference}"))] == [made["id"]]


def test_agendas_are_searched_by_what_they_say(api, nurse):  # noqa: F811
    body = morning(
        nurse, identifier=[{"system": "urn:oid:1.2.3.4", "value": "A1"}],
        specialty=[{"coding": [{"system": R38, "code": "SM54"}]}],
        planningHorizon={"start": "2020-01-01", "end": "2190-01-01"},
    )  # fmt: skip
    made = created(api.post("Schedule", body))
    for query, found in {
        "identifier=urn:oid:1.2.3.4|A1": True, "identifier=urn:oid:1.2.3.4|A2": False,
        f"identifier={made['id']}": True,
        "specialty=SM54": True, "specialty=SM26": False, f"service-type={world.SERVICES}|1": True,
        "service-type=2": False, "active=true": True, "active=false": False, "date=ge2030-01-01": True,
        "date=lt2019-01-01": False, "_lastUpdated=ge2026-01-01": True, "_lastUpdated=lt2026-01-01": False,
    }.items():  # fmt: skip
        said = {one["id"] for one in matches(search(api, f"Schedule?{query}"))}
        assert (made["id"] in said) is found, query


@pytest.mark.req("GAP-59", "PERF-3")
def test_sql_does_not_grow_with_agendas(api, nurse, structure):  # noqa: F811
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked():
        with CaptureQueriesContext(connection) as captured:
            search(api, "Slot?status=free&_include=Slot:schedule&_include=Schedule:actor&_count=200")
        return len(captured)

    created(api.post("Schedule", morning(nurse)))
    asked()
    few = asked()
    for number in range(6):
        someone = make.listed(structure=structure)
        body = schedule(
            f"Practitioner/{someone.pk}", f"PractitionerRole/{someone.activities.get().pk}",
            extensions=[range_(at(9), at(11)), range_(at(14), at(16), identifier="b"), lasting(20, code=str(number))],
        )  # fmt: skip
        created(api.post("Schedule", body))
    assert asked() == few
