"""Places, services and equipment in FHIR, what agendas are searched by, what is taken away (agenda.md §3.1, §3.4)."""

import json
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from agenda.actions.taking import Taken, take_time
from agenda.models import OpenTime, Room, Schedule
from coordination.common.ids import uuid7
from coordination.directory.models import Activity, Place, SavoirFaire
from coordination.fhir import formats
from tests.agenda import fhir_world as world
from tests.agenda.fhir_world import at, created, lasting, morning, of, range_, schedule, search
from tests.agenda.test_fhir_schedules import api, nurse, nurse_api, structure  # noqa: F401 - the same world
from tests.circle import factories as make
from tests.fhir.api import issues, matches, read

pytestmark = pytest.mark.django_db
INTERNAL = {"coding": [{"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203", "code": "INTRN"}]}
PARIS, LYON = (48.8566, 2.3522), (45.7640, 4.8357)


def location(name="Salle 3", position=PARIS, town="Paris", **more):
    return {
        "resourceType": "Location",
        "identifier": [{"type": INTERNAL, "system": "urn:oid:1.2.3.4", "value": name}],
        "name": name,
        "address": {"line": ["3 rue des Essais"], "city": town, "postalCode": "75011"},
        "position": {"latitude": position[0], "longitude": position[1], "altitude": 1.5},
        "telecom": [{"system": "phone", "value": "0123456789"}],
        **more,
    }


def service(house, **more):
    return {
        "resourceType": "HealthcareService",
        "identifier": [{"system": "urn:oid:1.2.3.4", "value": "SERVICE-1"}],
        "providedBy": {"reference": f"Organization/{house.pk}"},
        "name": "Équipe mobile",
        "type": [{"coding": [{"system": "urn:x:types", "code": "em"}]}],
        "extension": [lasting(45)],
        **more,
    }


def device(**more):
    return {
        "resourceType": "Device",
        "identifier": [{"system": "urn:oid:1.2.3.4", "value": "IRM-1"}],
        "type": {"coding": [{"system": "urn:x:equipements", "code": "irm"}]},
        "deviceName": [{"name": "IRM du matin", "type": "user-friendly-name"}],
        "modelNumber": "Modèle X-9",
        **more,
    }


def resource(name, house):
    return {"Location": location, "Device": device, "HealthcareService": lambda: service(house)}[name]()


KINDS = ("Location", "HealthcareService", "Device")


@pytest.mark.req("GAP-6", "GAP-7", "GAP-8", "GAP-11", "GAP-2")
@pytest.mark.parametrize("name", KINDS)
def test_each_is_created_read_and_replaced(api, structure, name):  # noqa: F811
    sent = resource(name, structure)
    answer = api.post(name, sent)
    made = created(answer)
    assert f"/fhir/{name}/{made['id']}/_history/" in answer["Location"]
    assert {key: made[key] for key in sent} == formats.read(json.dumps(sent).encode(), "json")
    made = json.loads(answer.content)
    again = made | {"language": "fr"}
    assert api.put(f"{name}/{made['id']}", again, If_Match=answer["ETag"]).status_code == 200
    assert read(api.get(f"{name}/{made['id']}"))["language"] == "fr"
    assert api.put(f"{name}/{made['id']}", made, If_Match=answer["ETag"]).status_code == 412
    bare = {key: value for key, value in sent.items() if key != "identifier"}
    assert created(api.post(name, bare))["identifier"][0]["value"]


@pytest.mark.req("GAP-17")
@pytest.mark.parametrize("name", ["type", "system", "value"])
def test_an_identifier_of_a_place_is_whole(api, name):  # noqa: F811
    said = {"type": INTERNAL, "system": "urn:oid:1.2.3.4", "value": "1"}
    said.pop(name)
    answer = api.post("Location", location() | {"identifier": [said]})
    assert answer.status_code == 422
    assert f"Location.identifier[0].{name}" in {where for _, _, where in issues(answer)}


@pytest.mark.parametrize(
    ("name", "changed", "where"),
    [
        ("Location", {"type": [{"text": "a"}, {"text": "b"}]}, "Location.type"),
        ("Location", {"position": {"latitude": 99, "longitude": 2}}, "Location.position"),
        ("Location", {"partOf": {"reference": "Location/0188d2a4-0000-7000-8000-00000000dead"}}, "Location.partOf"),
        ("Location", {"managingOrganization": {"reference": "Organization/x"}}, "Location.managingOrganization"),
        ("HealthcareService", {"category": [{"text": "a"}, {"text": "b"}]}, "HealthcareService.category"),
        ("Device", {"owner": {"reference": "Organization/0188d2a4-0000-7000-8000-00000000dead"}}, "Device.owner"),
        ("Device", {"status": "cassé"}, "Device.status"),
    ],
)
def test_what_is_wrong_is_pointed_to(api, structure, name, changed, where):  # noqa: F811
    answer = api.post(name, resource(name, structure) | changed)
    assert answer.status_code in (400, 422)
    assert where in {place for _, _, place in issues(answer)}
    assert not Place.objects.exists()


def test_they_are_their_senders_to_change(client, api, structure):  # noqa: F811
    beside = [{"url": "https://exemple.fr/note", "valueString": "CANARI"}]
    made = created(api.post("Device", device(patient={"display": "CANARI-PERSONNE"}, extension=beside)))
    other, _ = world.software(client, world.structure())
    told = other.get(f"Device/{made['id']}")
    assert told.status_code == 200
    assert "CANARI" not in told.content.decode()
    assert "CANARI" in api.get(f"Device/{made['id']}").content.decode()
    assert other.put(f"Device/{made['id']}", read(told)).status_code == 403
    assert other.ask("DELETE", f"Device/{made['id']}").status_code == 403


@pytest.mark.req("GAP-53")
def test_a_room_of_the_screens_is_a_place(client, api, structure):  # noqa: F811
    room = Room.objects.create(structure=structure, name="Salle bleue", address="2 rue des Essais")
    said = world.sound(read(api.get(f"Location/{room.pk}")))
    assert (said["name"], said["status"]) == ("Salle bleue", "active")
    body = schedule(f"Location/{room.pk}", extensions=[range_(at(9), at(10)), lasting()])
    made = created(api.post("Schedule", body))
    assert agendas(api, "schedule.actor:Location.name=salle") == {made["id"]}
    assert [one["id"] for one in matches(search(api, "Location?name=salle&organization=" + str(structure.pk)))] == [
        str(room.pk)
    ]
    assert api.put(f"Location/{room.pk}", said).status_code == 405
    assert api.ask("DELETE", f"Location/{room.pk}").status_code == 403
    other, _ = world.software(client, world.structure())
    assert other.get(f"Location/{room.pk}").status_code == 404


# ---- Chains ------------------------------------------------------------------------------------------------------


@pytest.fixture
def things(api, structure):  # noqa: F811
    """A place, a service and an equipment, each with its agenda."""
    made = {}
    for name in KINDS:
        one = created(api.post(name, resource(name, structure)))
        body = schedule(f"{name}/{one['id']}", extensions=[range_(at(9), at(10)), lasting()])
        made[name] = one["id"], created(api.post("Schedule", body))["id"]
    return made


def agendas(api, query):  # noqa: F811
    """Return the agendas whose slots a search finds."""
    return {one["schedule"]["reference"].removeprefix("Schedule/") for one in matches(search(api, f"Slot?{query}"))}


@pytest.mark.req("GAP-53")
@pytest.mark.parametrize(
    ("name", "said", "none"),
    [
        ("Location", "Location.name=salle", "Location.name=cave"),
        ("Location", "Location.identifier=urn:oid:1.2.3.4|Salle 3", "Location.identifier=urn:x|Salle 3"),
        ("Location", "Location.address=paris", "Location.address=lyon"),
        ("Location", "Location.near=48.85|2.35|5|km", "Location.near=45.76|4.83|5|km"),
        ("Device", "Device.identifier=IRM-1", "Device.identifier=IRM-2"),
        ("Device", "Device.type=urn:x:equipements|irm", "Device.type=urn:x:equipements|scanner"),
        ("Device", "Device.device-name=irm", "Device.device-name=scanner"),
        ("Device", "Device.model=modele", "Device.model=autre"),
        ("HealthcareService", "HealthcareService.identifier=SERVICE-1", "HealthcareService.identifier=SERVICE-2"),
        ("HealthcareService", "HealthcareService.name=equipe", "HealthcareService.name=autre"),
        ("HealthcareService", "HealthcareService.service-type=em", "HealthcareService.service-type=ex"),
    ],
)
def test_chains_to_places_and_things(api, things, name, said, none):  # noqa: F811
    assert agendas(api, f"schedule.actor:{quote(said, safe='=')}") == {things[name][1]}
    assert agendas(api, f"schedule.actor:{quote(none, safe='=')}") == set()


@pytest.mark.req("GAP-54")
def test_chains_of_two_levels(api, things, structure):  # noqa: F811
    structure.finess, structure.address, structure.town = "990000019", "1 place des Essais", "TESTVILLE"
    structure.save()
    for said in (f"name={quote(structure.name)}", "identifier=990000019", "address=testville"):
        found = agendas(api, f"schedule.actor:HealthcareService.organization.{said}")
        assert found == {things["HealthcareService"][1]}, said
    assert agendas(api, "schedule.actor:HealthcareService.organization.name=personne") == set()


@pytest.fixture
def doctor(api, nurse):  # noqa: F811
    """The nurse, told as a general practitioner who practises in Paris; and her agenda."""
    someone = nurse.attachment.professional
    where = someone.activities.get()
    Activity.objects.filter(pk=where.pk).update(
        speciality="SM54", town="PARIS", postal_code="75011", phone="+33123456789", profession="10"
    )
    return created(
        api.post("Schedule", morning(nurse, specialty=[{"coding": [{"system": world.R38, "code": "SM54"}]}]))
    )


@pytest.mark.req("GAP-50", "GAP-51")
@pytest.mark.parametrize(
    ("said", "none"),
    [
        ("PractitionerRole.specialty={R38}|SM54", "PractitionerRole.specialty={R38}|SM26"),
        ("PractitionerRole.role=10", "PractitionerRole.role=60"),
        ("PractitionerRole.telecom=0123456789", "PractitionerRole.telecom=0123456780"),
        ("PractitionerRole.address=Paris", "PractitionerRole.address=Lyon"),
        ("Practitioner.identifier={number}", "Practitioner.identifier=899999999999"),
        ("Practitioner.family={family}", "Practitioner.family=PERSONNE"),
        ("PractitionerRole.name={family}", "PractitionerRole.name=PERSONNE"),
    ],
)
def test_chains_to_professionals(api, nurse, doctor, said, none):  # noqa: F811
    someone = nurse.attachment.professional
    said, none = (
        one.format(R38=world.R38, number=someone.national_id, family=someone.family_name) for one in (said, none)
    )
    assert agendas(api, f"schedule.actor:{quote(said, safe='=')}") == {doctor["id"]}
    assert agendas(api, f"schedule.actor:{quote(none, safe='=')}") == set()


@pytest.mark.req("GAP-50")
def test_a_savoir_faire_of_the_directory_is_a_speciality(api, nurse, doctor):  # noqa: F811
    SavoirFaire.objects.create(professional=nurse.attachment.professional, profession="10", kind="S", code="SM26")
    assert agendas(api, f"schedule.actor:PractitionerRole.specialty={quote(world.R38 + '|SM26')}") == {doctor["id"]}


@pytest.mark.req("GAP-51")
def test_where_one_practises_is_the_structure_or_a_place_that_was_sent(api, nurse, doctor, structure):  # noqa: F811
    structure.town, structure.postal_code = "TESTVILLE", "99000"
    structure.save()
    assert agendas(api, "schedule.actor:PractitionerRole.location.address=testville") == {doctor["id"]}
    made = created(api.post("Location", location(position=LYON, town="Lyon")))
    role = of(nurse)[0]
    assert agendas(api, "schedule.actor:PractitionerRole.location.near=45.76|4.83|10|km") == set()
    said = read(api.get(role)) | {"location": [{"reference": f"Location/{made['id']}"}]}
    assert api.put(role, said).status_code == 200
    assert agendas(api, "schedule.actor:PractitionerRole.location.near=45.76|4.83|10|km") == {doctor["id"]}
    assert agendas(api, "schedule.actor:PractitionerRole.location.address=Lyon") == {doctor["id"]}
    assert agendas(api, "schedule.actor:PractitionerRole.location.near=48.85|2.35|10|km") == set()


@pytest.mark.req("GAP-51")
@pytest.mark.parametrize(
    "said", ["", "1", "a|b", "91|2|1|km", "1|2|3|lieues", "1|2|-1", "nan|2|1", "1|2|inf", "1|2|3|km|x"]
)
def test_a_distance_that_is_none_is_refused(api, things, said):  # noqa: F811
    answer = api.get(f"Slot?schedule.actor:Location.near={quote(said)}")
    assert answer.status_code == (200 if said == "" else 400)


@pytest.mark.req("GAP-56", "GAP-55")
def test_the_guides_own_question(api, nurse, doctor):  # noqa: F811
    first, last = world.day(7), world.day(8)
    query = (
        f"_include=Slot:schedule&_include=Schedule:actor&start=ge{first}&start=le{last}"
        f"&schedule.actor:PractitionerRole.specialty={world.R38}|SM54"
        "&schedule.actor:PractitionerRole.address=Paris&status=free"
    )
    bundle = search(api, f"Slot?{query}")
    assert len(matches(bundle)) == 4
    assert {one["resource"]["resourceType"] for one in bundle["entry"]} == {
        "Slot", "Schedule", "Practitioner", "PractitionerRole",
    }  # fmt: skip
    assert not [one for one in bundle["entry"] if one["search"]["mode"] == "outcome"]


# ---- Persons -----------------------------------------------------------------------------------------------------


@pytest.fixture
def around(client, structure, entry):  # noqa: F811
    """The software of a structure acting for the coordinator, and agendas of the person and of a relative."""
    from habilitations.clients import NATIONAL_ID_SYSTEM
    from tests.fhir.api import Api

    relative = make.relative(entry, family_name="PROCHE", given_name="Anna", phone="+33612345678", town="TESTVILLE")
    mine = Api.of(client, entry.user)
    made = {}
    for reference in (f"Patient/{entry.dossier.pk}", f"RelatedPerson/{relative.pk}"):
        body = schedule(reference, extensions=[range_(at(9), at(10)), lasting()])
        made[reference.partition("/")[0]] = created(mine.post("Schedule", body))["id"]
    assert NATIONAL_ID_SYSTEM
    return mine, made, relative


@pytest.mark.req("GAP-52")
def test_chains_to_persons(around, entry):
    mine, made, relative = around
    dossier = entry.dossier
    for said in (f"identifier={dossier.pk}", f"family={dossier.birth_name}", f"given={dossier.first_given_name}"):
        assert agendas(mine, f"schedule.actor:Patient.{quote(said, safe='=')}") == {made["Patient"]}, said
    for said in (f"identifier={relative.pk}", "name=proche", "address=testville", "telecom=0612345678"):
        assert agendas(mine, f"schedule.actor:RelatedPerson.{said}") == {made["RelatedPerson"]}, said
    assert agendas(mine, "schedule.actor:Patient.family=PERSONNE") == set()


@pytest.mark.req("GAP-5", "GAP-68")
def test_the_agenda_of_a_person_is_for_who_reads_hers(client, around, entry):
    from habilitations.models import Trace

    mine, made, _ = around
    other, _ = world.software(client, world.structure())
    assert search(other, "Slot").get("entry") is None
    assert search(other, "Schedule").get("entry") is None
    for id in made.values():
        assert other.get(f"Schedule/{id}").status_code == 404
        assert other.ask("DELETE", f"Schedule/{id}").status_code == 404
    # One trace for each dossier that is returned, however many resources.
    before = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
    search(mine, "Slot?_include=Slot:schedule")
    assert Trace.objects.filter(dossier_id=entry.dossier.pk).count() == before + 1


@pytest.mark.req("AGD-12")
def test_the_slots_of_a_relative_say_nothing_of_another_whom_he_helps(around):
    """His time taken around somebody of whom this caller knows nothing is told by nothing here."""
    mine, made, relative = around
    take_time(uuid7(), [Taken(relative.pk, exclusive=False)], at(9), at(9, 30))
    told = search(mine, f"Slot?schedule={made['RelatedPerson']}")["entry"]
    assert {one["resource"]["status"] for one in told} == {"free"}


@pytest.mark.req("PERF-3")
def test_the_agendas_of_several_persons_cost_the_statements_of_one(around, entry):
    mine, made, _ = around
    query = "Slot?_count=200"
    search(mine, query)
    with CaptureQueriesContext(connection) as few:
        search(mine, query)
    for _ in range(3):
        other = make.open_circle(entry.user)
        said = [range_(at(9), at(10), identifier=uuid7().hex), lasting()]
        created(mine.post("Schedule", schedule(f"Patient/{other.dossier.pk}", extensions=said)))
    search(mine, query)
    with CaptureQueriesContext(connection) as many:
        bundle = search(mine, query)
    assert len({one["schedule"]["reference"] for one in matches(bundle)}) == len(made) + 3
    assert len(many) == len(few), [one["sql"][:150] for one in many]


def test_who_may_not_write_her_agenda_declares_none(client, entry):
    other, _ = world.software(client, world.structure())
    answer = other.post("Schedule", schedule(f"Patient/{entry.dossier.pk}"))
    assert answer.status_code == 422
    assert ("error", "not-found", "Schedule.actor[0]") in issues(answer)


# ---- Taken away --------------------------------------------------------------------------------------------------


def remove(api, path, **headers):  # noqa: F811
    return api.ask("DELETE", path, **headers)


@pytest.mark.req("GAP-9", "GAP-10", "GAP-12", "GAP-27")
@pytest.mark.parametrize("name", KINDS)
def test_an_agenda_goes_with_its_only_actor(api, things, name):  # noqa: F811
    id, agenda = things[name]
    assert remove(api, f"{name}/{id}").status_code == 204
    assert api.get(f"{name}/{id}").status_code == 404
    assert api.get(f"Schedule/{agenda}").status_code == 404
    assert agendas(api, "status=free") == {other for _, other in things.values() if other != agenda}
    assert remove(api, f"{name}/{id}").status_code == 404


@pytest.mark.req("GAP-13")
def test_an_agenda_that_is_shared_stays_with_the_others(api, nurse):  # noqa: F811
    room = created(api.post("Location", location()))
    body = schedule(*of(nurse), f"Location/{room['id']}", extensions=[range_(at(9), at(10)), lasting()])
    made = created(api.post("Schedule", body))
    assert remove(api, f"Location/{room['id']}").status_code == 204
    left = read(api.get(f"Schedule/{made['id']}"))
    assert [one["reference"] for one in left["actor"]] == list(of(nurse))
    assert Schedule.objects.get(pk=made["id"]).key == nurse.attachment.professional.pk
    assert OpenTime.objects.get().key == nurse.attachment.professional.pk


@pytest.mark.req("GAP-9")
def test_what_is_named_stays(client, api, structure):  # noqa: F811
    room = created(api.post("Location", location()))
    created(api.post("HealthcareService", service(structure, location=[{"reference": f"Location/{room['id']}"}])))
    assert remove(api, f"Location/{room['id']}").status_code == 409
    assert api.get(f"Location/{room['id']}").status_code == 200
    other, _ = world.software(client, structure)
    theirs = created(api.post("Device", device(owner={"reference": f"Organization/{structure.pk}"})))
    created(other.post("Schedule", schedule(f"Device/{theirs['id']}")))
    assert remove(api, f"Device/{theirs['id']}").status_code == 409


@pytest.mark.req("GAP-9")
def test_the_directory_is_never_deleted(api, nurse, structure):  # noqa: F811
    for path in (*of(nurse), f"Organization/{structure.pk}"):
        assert remove(api, path).status_code == 403, path
    assert remove(api, f"Location/{structure.pk}").status_code == 403


@pytest.mark.req("GAP-9")
def test_what_a_software_alone_made_known_goes(api):  # noqa: F811
    person = {"resourceType": "Practitioner", "name": [{"family": "FICTIF", "given": ["Paul"]}]}
    made = created(api.post("Practitioner", person))
    role = created(api.post("PractitionerRole", {
        "resourceType": "PractitionerRole", "practitioner": {"reference": f"Practitioner/{made['id']}"},
    }))  # fmt: skip
    assert remove(api, f"Practitioner/{made['id']}").status_code == 409
    assert remove(api, f"PractitionerRole/{role['id']}").status_code == 204
    assert remove(api, f"Practitioner/{made['id']}", If_Match='W/"x"').status_code == 412
    assert remove(api, f"Practitioner/{made['id']}").status_code == 204
    assert api.get(f"Practitioner/{made['id']}").status_code == 404


@pytest.mark.req("GAP-9")
def test_people_are_not_deleted(around, entry):
    mine, _, relative = around
    assert remove(mine, f"Patient/{entry.dossier.pk}").status_code == 409
    assert remove(mine, f"RelatedPerson/{relative.pk}").status_code == 409
    assert mine.get(f"Patient/{entry.dossier.pk}").status_code == 200


def test_a_circle_is_not_deleted_at_all(around):
    mine, *_ = around
    assert remove(mine, "CareTeam/0188d2a4-0000-7000-8000-00000000dead").status_code == 405


@pytest.mark.req("GAP-27")
def test_an_agenda_is_taken_away(api, nurse):  # noqa: F811
    made = created(api.post("Schedule", morning(nurse)))
    assert remove(api, f"Schedule/{made['id']}", If_Match='W/"autre"').status_code == 412
    assert remove(api, f"Schedule/{made['id']}").status_code == 204
    assert api.get(f"Schedule/{made['id']}").status_code == 404
    assert agendas(api, "status=free") == set()
    assert not OpenTime.objects.exists()
