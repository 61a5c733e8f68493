"""All of one person (`$everything`, the screen's export), and all that a structure manages (NDJSON)."""

import gc
import json
from dataclasses import replace

import pytest

from circle import actions
from coordination.common import long_answers
from coordination.fhir import everything, exporting
from habilitations.models import Trace
from tests.circle import factories as make
from tests.circle.fhir_calls import caller, close_transaction
from tests.fhir.api import Api, read
from tests.fhir.callers import acting, connect, professional, token_of
from tests.fhir.circles import Sent, ids

pytestmark = pytest.mark.django_db
SOCIAL_WORKER = "44"


@pytest.fixture
def made(api):
    return ids(read(api.post("", Sent().bundle())))


def names(bundle):
    return [(one["resource"]["resourceType"], one["resource"]["id"]) for one in bundle["entry"]]


def test_everything_of_a_person(api, made):
    bundle = read(api.get(f"Patient/{made['Patient']}/$everything"))
    assert set(names(bundle)) >= set(made.items())
    assert len(names(bundle)) == len(set(names(bundle)))
    assert bundle["entry"][0]["search"] == {"mode": "match"}
    assert Trace.objects.filter(dossier_id=made["Patient"], action="export").count() == 2


def test_everything_of_some_types(api, made):
    bundle = read(api.get(f"Patient/{made['Patient']}/$everything?_type=CareTeam,RelatedPerson&_type=Observation"))
    assert {kind for kind, _ in names(bundle)} == {"CareTeam", "RelatedPerson"}
    assert bundle["total"] == 0
    assert "_type=CareTeam" in bundle["link"][0]["url"]
    alone = read(api.get(f"Patient/{made['Patient']}/$everything?_type=Patient"))
    assert (names(alone), alone["total"]) == ([("Patient", made["Patient"])], 1)


def test_what_everything_does_not_understand_is_said_or_refused(api, made):
    """It was ignored without a word: who asked for a month was given all of it."""
    address = f"Patient/{made['Patient']}/$everything?_since=2026-01-01"
    bundle = read(api.get(address))
    assert bundle["entry"][-1]["search"] == {"mode": "outcome"}
    assert "_since" in bundle["entry"][-1]["resource"]["issue"][0]["diagnostics"]
    assert "_since" not in bundle["link"][0]["url"]
    assert api.get(address, Prefer="handling=strict").status_code == 400


@pytest.mark.req("CDS-6")
def test_everything_is_what_the_caller_may_read(client, entry):
    hidden = make.relative(entry, family_name="SECRET")
    actions.set_discreet(entry, hidden, discreet=True)
    social = make.account(SOCIAL_WORKER)
    make.add(entry, social.attachment.professional, wanted="oui")
    close_transaction()
    answer = Api.of(client, social).get(f"Patient/{entry.dossier.pk}/$everything")
    assert answer.status_code == 200
    assert b"SECRET" not in answer.content
    stranger = Api.of(client, make.account())
    assert stranger.get(f"Patient/{entry.dossier.pk}/$everything").status_code == 404


def test_the_screen_gives_the_same_as_a_file(client, coordinator, api, made):
    client.force_login(coordinator)
    answer = client.get(f"/dossiers/{made['Patient']}/dossier.fhir.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/fhir+json")
    assert answer["Content-Disposition"] == 'attachment; filename="dossier.fhir.json"'
    bundle = json.loads(answer.content)
    assert bundle["type"] == "collection"
    assert set(names(bundle)) == set(names(read(api.get(f"Patient/{made['Patient']}/$everything"))))
    # Her identity and her circle, once each; the program's own call is told apart.
    told = Trace.objects.filter(dossier_id=made["Patient"], action="export", software="")
    assert sorted(told.values_list("rubrique", flat=True)) == ["cercle", "identite"]


def test_a_structure_exports_the_circles_it_manages(client, matrix):
    house = make.StructureFactory()
    user, number = professional(house)
    program, secret = connect(house, scopes=("system/Patient.rs", "system/CareTeam.rs", "system/RelatedPerson.rs"))
    ours, theirs = make.open_circle(make.coordinator()), make.open_circle(make.coordinator())
    for entry, structure in ((ours, house), (theirs, make.StructureFactory())):
        entry.dossier.referent_structure = structure
        entry.dossier.save()
        make.relative(entry)
        make.add(entry, user.attachment.professional, wanted="oui")
    close_transaction()
    api = Api(client, acting(token_of(client, program, secret), number))
    answer = api.get("$export", Accept="application/fhir+ndjson")
    assert answer["Content-Type"] == "application/fhir+ndjson"
    lines = [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    assert [one["id"] for one in lines if one["resourceType"] == "Patient"] == [str(ours.dossier.pk)]
    # What the software was not given is not there.
    assert {one["resourceType"] for one in lines} == {"Patient", "CareTeam", "RelatedPerson"}
    told = Trace.objects.filter(dossier_id=ours.dossier.pk, software="Logiciel Exemple")
    assert list(told.values_list("action", "rubrique")) == [("export", "")]


def test_an_export_goes_on_batch_after_batch(client, coordinator, api, monkeypatch):
    house = make.StructureFactory()
    monkeypatch.setattr(exporting, "BATCH", 2)
    monkeypatch.setattr(exporting, "NAMED", 4)
    told = []
    monkeypatch.setattr(long_answers, "_says_so", [lambda: told.append(gc.isenabled())])
    coordinator.attachment.structure = house
    coordinator.attachment.save()
    for _ in range(5):
        entry = make.open_circle(coordinator)
        entry.dossier.referent_structure = house
        entry.dossier.save()
    close_transaction()
    lines = [json.loads(line) for line in b"".join(api.get("$export").streaming_content).splitlines()]
    kinds = [one["resourceType"] for one in lines]
    assert (kinds.count("Patient"), kinds.count("CareTeam")) == (5, 5)
    # The same professional is in each circle, and said once.
    assert kinds.count("Practitioner") == 1
    # The server knows after each batch that the export goes on; the collector is back by then.
    assert told == [True] * 3


def test_where_a_member_works_comes_with_him(client, coordinator, api):
    entry, house = make.open_circle(coordinator), make.StructureFactory()
    make.add(entry, make.listed(structure=house))
    close_transaction()
    bundle = read(api.get(f"Patient/{entry.dossier.pk}/$everything"))
    assert ("Organization", str(house.pk)) in names(bundle)


@pytest.mark.parametrize(
    ("scope", "told"), [("system/Patient.rs", False), ("system/Patient.rs system/CareTeam.rs", True)]
)
def test_no_circle_is_entered_for_who_may_read_nothing_of_it(entry, scope, told):
    close_transaction()
    called = replace(caller(entry.user), scopes=frozenset(scope.split()))
    before = Trace.objects.filter(dossier_id=entry.dossier.pk, rubrique="cercle").count()
    assert bool(everything.resources(called, [entry.dossier.pk])) is told
    assert (Trace.objects.filter(dossier_id=entry.dossier.pk, rubrique="cercle").count() > before) is told


def test_the_statement_names_the_export_and_where_it_is_defined(client):
    (named,) = read(client.get("/fhir/metadata"))["rest"][0]["operation"]
    defined = read(client.get(named["definition"]))
    assert (defined["url"], defined["code"], defined["system"]) == (named["definition"], named["name"], True)
    assert client.get(f"/fhir/${defined['code']}").status_code == 401
