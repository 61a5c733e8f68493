"""The same creation sent twice makes one thing, also at the same time (REL-7)."""

import pytest
from django.test import Client

from circle.circles import Circle
from circle.models import Member
from coordination.directory.models import Activity, Professional, Structure
from coordination.dossiers.models import Dossier
from coordination.fhir import registry, replays
from coordination.fhir.models import Replay
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.conformance import plan
from tests.fhir import replaying
from tests.fhir.api import Api, issues, read
from tests.fhir.callers import acting, connect, professional, token_of
from tests.fhir.circles import Sent, ids
from tests.fhir.replaying import TIMES, create_twice, place, twice

# Every type that is created, and the table where it is; tests/agenda/test_fhir_replays.py replays those of agendas.
MADE = {
    "Patient": Dossier, "Organization": Structure, "Practitioner": Professional, "PractitionerRole": Activity,
    "RelatedPerson": Member, "CareTeam": Circle,
}  # fmt: skip
ELSEWHERE = {"Appointment", "Device", "HealthcareService", "Location", "Schedule"}
KEY = {"Idempotency_Key": "envoi-1"}


@pytest.mark.django_db
@pytest.mark.req("REL-7")
def test_a_call_that_names_itself_is_done_once(api):
    sent = Sent()
    first = api.post("Patient", sent.patient(), **KEY)
    again = api.post("Patient", sent.patient(), **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first["Location"] == again["Location"]
    assert Dossier.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.req("REL-7")
def test_the_same_key_for_something_else_is_refused(api):
    assert api.post("Patient", Sent().patient(), **KEY).status_code == 201
    answer = api.post("Patient", Sent().patient(), **KEY)
    assert (answer.status_code, issues(answer)[0][0]) == (422, "error")
    assert Dossier.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.req("REL-7")
def test_a_key_that_comes_back_long_after_gives_nobody_else(api):
    """Its answer is forgotten (`RETENTION_DAYS`), what it made is not."""
    sent = Sent()
    first = api.post("Patient", sent.patient(), **KEY)
    Replay.objects.all().delete()
    answer = api.post("Patient", Sent().patient(), **KEY)
    assert (answer.status_code, issues(answer)[0][:2]) == (409, ("error", "duplicate"))
    assert api.post("Patient", sent.patient(), **KEY)["Location"] == first["Location"]
    assert Dossier.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.req("REL-7")
def test_a_transaction_that_names_itself_is_done_once(api):
    bundle = Sent().bundle()
    first, again = (read(api.post("", bundle, **KEY)) for _ in range(2))
    assert ids(first) == ids(again)
    assert Circle.objects.count() == 1
    # What was made is not kept a second time in the answer.
    assert not [one for one in Replay.objects.get().body["entry"] if "resource" in one]


@pytest.mark.django_db
def test_a_refused_call_leaves_its_key_free(api):
    assert api.post("Patient", Sent().patient(birthDate=None), **KEY).status_code == 422
    assert api.post("Patient", Sent().patient(), **KEY).status_code == 201


@pytest.mark.django_db
def test_the_answer_to_one_professional_is_not_given_to_another(client, matrix):
    house = make.StructureFactory()
    program, secret = connect(house, scopes=("system/Patient.crus",))
    token, body = token_of(client, program, secret), Sent().patient()
    calls = [Api(client, acting(token, professional(house, make.DOCTOR)[1])) for _ in range(2)]
    assert calls[0].post("Patient", body, **KEY).status_code == 201
    assert calls[1].post("Patient", body, **KEY).status_code == 422


@pytest.mark.django_db
def test_two_callers_may_choose_the_same_key(api, client):
    other = Api.of(client, make.coordinator())
    assert api.post("Patient", Sent().patient(), **KEY).status_code == 201
    assert other.post("Patient", Sent().patient(), **KEY).status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 129, "a\tb"])
def test_a_key_that_cannot_be_one(api, key):
    assert api.post("Patient", Sent().patient(), Idempotency_Key=key).status_code == 400


@pytest.mark.django_db
@pytest.mark.req("REL-7")
def test_created_unless_it_exists(api):
    sent = Sent()
    condition = {"If_None_Exist": f"identifier=https://hopital.example/ipp|{sent.number}"}
    first, again = (api.post("Patient", sent.patient(), **condition) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert read(first)["id"] == read(again)["id"]
    assert api.post("Patient", sent.patient(), If_None_Exist="gender=female&couleur=bleu").status_code == 400


@pytest.mark.django_db
def test_a_condition_that_several_answer(api):
    for _ in range(2):
        assert api.post("Patient", Sent().patient()).status_code == 201
    answer = api.post("Patient", Sent().patient(), If_None_Exist="gender=female")
    assert (answer.status_code, issues(answer)[0][1]) == (412, "multiple-matches")


@pytest.mark.django_db
def test_old_answers_are_forgotten(api):
    assert api.post("Patient", Sent().patient(), **KEY).status_code == 201
    assert replays.purge() == 0
    Replay.objects.update(at="2020-01-01T00:00:00Z")
    assert replays.purge() == 1


def creates(provider):
    return registry.CREATE in provider.interactions


@pytest.fixture
def user(settings, transactional_db):
    settings.FHIR_CALLS_PER_MINUTE = 0
    publish_default_matrix()
    return Api.of(Client(), make.coordinator()).headers


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.req("REL-7")
@pytest.mark.parametrize(("by", "times"), replaying.WAYS)
def test_each_creating_route_replayed_in_parallel_makes_one_thing_each_time(user, by, times):
    assert set(MADE) | ELSEWHERE == {name for name in registry.types() if any(map(creates, registry.for_type(name)))}
    circles, known = [plan.resources(Sent()) for _ in range(times)], [{} for _ in range(times)]
    for name in plan.ORDER:
        before = MADE[name].objects.count()
        bodies = [plan.filled(circle[name], made) for circle, made in zip(circles, known, strict=True)]
        for made, id in zip(known, create_twice(user, name, bodies, by), strict=True):
            made[name] = id
        assert MADE[name].objects.count() - before == times, name


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.req("REL-7")
def test_each_transaction_replayed_in_parallel_makes_one_circle_each_time(user):
    bundles = [Sent().bundle() for _ in range(TIMES)]
    named = [{"Idempotency_Key": f"cercle-{turn}"} for turn in range(TIMES)]
    calls = [lambda api, b=b, h=h: api.post("", b, **h) for b, h in zip(bundles, named, strict=True)]
    pairs = [[ids(read(answer)) for answer in pair] for pair in twice(user, calls)]
    assert [one for one, _ in pairs] == [other for _, other in pairs]
    assert Circle.objects.count() == Dossier.objects.count() == Structure.objects.count() == TIMES
    assert Api(Client(), user).post("", bundles[1], **named[0]).status_code == 422


@pytest.mark.req("REL-7", "CDS-36")
def test_without_a_key_a_person_has_one_circle_whoever_is_first(user):
    api = Api(Client(), user)
    subjects = [{"reference": place(api.post("Patient", Sent().patient()))} for _ in range(5)]
    teams = [Sent().team(subject=subject, participant=None) for subject in subjects]
    pairs = twice(user, [lambda api, t=team: api.post("CareTeam", t) for team in teams])
    assert {tuple(sorted(one.status_code for one in pair)) for pair in pairs} == {(201, 409)}
    assert Circle.objects.count() == 5
