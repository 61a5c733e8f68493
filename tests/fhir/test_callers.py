"""Who may call the API: known, for somebody who acts, in the house of the software; and nobody by a cookie."""

import datetime as dt
from unittest import mock

import pytest
from django.core.cache import caches
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from coordination.accounts import actions as accounts
from coordination.common.ids import uuid7
from coordination.directory.models import Structure
from coordination.dossiers import door
from coordination.fhir import throttling
from coordination.fhir.outcomes import Forbidden, Throttled, Unauthenticated
from habilitations import access, actions, clients, published, secrets
from habilitations.models import (
    AccountTrace,
    ActingFor,
    ClientToken,
    Delegate,
    EmergencyAccess,
    LegalStructure,
    Trace,
    VouchedProfession,
)
from habilitations.rubriques import Rubrique
from habilitations.scopes import digest_of
from habilitations.traces import OWN_PROGRAM
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.circle.fhir_calls import circle_id
from tests.fhir.api import Api, read
from tests.fhir.callers import EVERY_SCOPE, acting, connect, personal, professional, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-24", "SECT-24", "CDS-6")]


@pytest.fixture(autouse=True)
def _nothing_counted():
    caches[throttling.CACHE].clear()
    throttling.forget()


@pytest.fixture
def house():
    return make.StructureFactory(finess="810000019", finess_ej="810000001")


@pytest.fixture
def software(house):
    return connect(house)


@pytest.fixture
def token(client, software):
    return token_of(client, *software)


@pytest.fixture
def nurse(house):
    return professional(house, family_name="TESTARD", given_name="Ada")


def call(headers, **more):
    request = RequestFactory().get("/fhir/Patient", headers=headers, **more)
    request.id = "0" * 32
    return clients.authenticate(request)


# ---- a software ----------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-10.3.2")
def test_a_software_acts_for_a_professional_of_its_structure(software, token, nurse):
    user, number = nurse
    caller = call(acting(token, number), REMOTE_ADDR="192.0.2.7")
    assert (caller.user, caller.owner) == (user, f"client:{software[0].pk}")
    assert (caller.client_id, caller.name) == (str(software[0].pk), "Logiciel Exemple")
    assert caller.scopes == set(EVERY_SCOPE)
    assert (caller.via.request_id, caller.via.address, caller.via.software) == (
        "0" * 32, "192.0.2.7", "Logiciel Exemple",
    )  # fmt: skip
    assert caller.may("CareTeam", "u")
    assert not caller.may("CareTeam", "d")
    assert not caller.may("Organization", "r")
    assert not caller.may("Practitioner", "c")


def test_the_bare_identification_is_understood(token, nurse):
    user, number = nurse
    assert call({"Authorization": f"Bearer {token}", "Acting-Professional": number}).user == user


@pytest.mark.parametrize("said", [None, "", "   "])
def test_nobody_named_is_401_and_says_what_is_missing(token, said):
    headers = {"Authorization": f"Bearer {token}"} | ({} if said is None else {"Acting-Professional": said})
    with pytest.raises(Unauthenticated, match="Acting-Professional") as refused:
        call(headers)
    assert refused.value.headers == {"WWW-Authenticate": "Bearer"}


def elsewhere():
    return professional(make.StructureFactory())[1]


def suspended(house):
    user, number = professional(house)
    accounts.suspend_account(user, by=UserFactory(administrator=True))
    return number


def no_longer_confirmed(house):
    user, number = professional(house)
    actions.end_profession(user, by=UserFactory(administrator=True))
    return number


def never_confirmed(house):
    return make.account(structure=house, vouched=False).attachment.professional.national_id


def gone_from_the_house(house):
    user, number = professional(None)
    LegalStructure.objects.create(structure=house)
    Delegate.objects.create(structure=house, user=user, started_by=user, ended_at=timezone.now())
    return number


STRANGERS = {
    "of another structure": lambda house: elsewhere(),
    "without an account": lambda house: make.listed(structure=house).national_id,
    "suspended": suspended,
    "not confirmed any more": no_longer_confirmed,
    "never confirmed": never_confirmed,
    "delegate of before": gone_from_the_house,
    "unknown": lambda house: "899799999999",
    "another system": lambda house: f"urn:oid:1.2.250.1.71.4.2.2|{professional(house)[1]}",
    "two": lambda house: f"{professional(house)[1]}, {professional(house)[1]}",
    "a pattern": lambda house: "8997%",
    "an injection": lambda house: "' OR 1=1 --",
    "too long": lambda house: "8" * 500,
    "a letter from elsewhere": lambda house: "８９９７００００００００",
}


@pytest.mark.asvs("v5.0.0-10.3.3")
@pytest.mark.parametrize("name", STRANGERS)
def test_unknown_and_not_of_the_structure_are_403_in_the_same_words(house, token, name):
    headers = {"Authorization": f"Bearer {token}", "Acting-Professional": STRANGERS[name](house)}
    request = RequestFactory().get("/fhir/Patient", HTTP_AUTHORIZATION=headers["Authorization"])
    request.META["HTTP_ACTING_PROFESSIONAL"] = headers["Acting-Professional"]
    with pytest.raises(Forbidden) as refused:
        clients.authenticate(request)
    assert [issue.diagnostics for issue in refused.value.issues] == [clients.NOT_HERE]


def by_delegation(house):
    user, number = professional(None)
    LegalStructure.objects.get_or_create(structure=house)
    Delegate.objects.create(structure=house, user=user, started_by=user)
    return user, number


def by_activity(house):
    user, number = professional(None)
    make.ActivityFactory(professional=user.attachment.professional, structure=house)
    return user, number


def in_a_twin(house):
    return professional(make.StructureFactory(merged_into=house))


def in_a_place_of_the_entity(house):
    return professional(make.StructureFactory(finess="810000027", finess_ej=house.finess_ej))


def in_the_entity(house):
    return professional(make.StructureFactory(finess=house.finess_ej, kind="ej"))


@pytest.mark.parametrize("way", [by_delegation, by_activity, in_a_twin, in_a_place_of_the_entity, in_the_entity])
def test_of_the_house_in_every_way(house, token, way):
    user, number = way(house)
    assert call(acting(token, number)).user == user
    assert set(clients.of_one_house(house.pk)) >= set(Structure.objects.values_list("pk", flat=True))


def test_a_software_of_the_entity_serves_its_places(client, house):
    entity = make.StructureFactory(finess=house.finess_ej, kind="ej")
    user, number = professional(house)
    assert call(acting(token_of(client, *connect(entity)), number)).user == user
    stranger = elsewhere()
    with pytest.raises(Forbidden):
        call(acting(token_of(client, *connect(entity, name="Autre")), stranger))


def test_structures_without_numbers_are_no_house_together(client):
    one, other = make.StructureFactory(), make.StructureFactory()
    token = token_of(client, *connect(one))
    assert call(acting(token, professional(one)[1]))
    with pytest.raises(Forbidden):
        call(acting(token, professional(other)[1]))


# ---- what opens nothing --------------------------------------------------------------------------


def bearers():
    made = secrets.make(secrets.CLIENT_TOKEN)
    return {
        "nothing": None,
        "basic": "Basic YTpi",
        "scheme alone": "Bearer",
        "empty": "Bearer ",
        "a word": "Bearer abc",
        "unsigned JWT": "Bearer eyJhbGciOiJub25lIn0.e30.",
        "unknown": f"Bearer {made}",
        "unknown of a person": f"Bearer {secrets.make(secrets.PERSONAL_TOKEN)}",
        "a secret for a token": f"Bearer {secrets.make(secrets.CLIENT_SECRET)}",
        "two": f"Bearer {made} {made}",
        "hash": "Bearer " + secrets.hashed(made),
        "zero": "Bearer \0",
        "accents": "Bearer é",
        "long": "Bearer " + "x" * 5000,
        "other scheme": f"Digest {made}",
    }


BEARERS = bearers()


@pytest.mark.asvs("v5.0.0-10.3.1")
@pytest.mark.parametrize("name", BEARERS)
def test_a_token_that_is_none_is_401(nurse, name):
    request = RequestFactory().get("/fhir/Patient")
    request.META["HTTP_ACTING_PROFESSIONAL"] = nurse[1]
    if BEARERS[name] is not None:
        request.META["HTTP_AUTHORIZATION"] = BEARERS[name]
    with pytest.raises(Unauthenticated) as refused:
        clients.authenticate(request)
    assert refused.value.status == 401


@pytest.mark.asvs("v5.0.0-10.4.9")
@pytest.mark.req("SECT-7")
@pytest.mark.parametrize("act", ["expired", "revoked", "renewed", "narrowed"])
def test_what_is_ended_opens_nothing_at_the_next_call(software, token, nurse, act):
    app, by = software[0], UserFactory(administrator=True)
    headers = acting(token, nurse[1])
    call(headers)
    if act == "expired":
        ClientToken.objects.update(expires_at=timezone.now())
    elif act == "revoked":
        actions.revoke_client(app, by=by)
    elif act == "renewed":
        actions.renew_secret(app, by=by)
    else:
        actions.change_scopes(app, scopes=["system/Patient.rs"], seen=digest_of(app.scopes), by=by)
    with pytest.raises(Unauthenticated, match="inconnu, terminé ou révoqué"):
        call(headers)


@pytest.mark.asvs("v5.0.0-3.5.2")
def test_a_session_calls_nothing(client, nurse):
    client.force_login(nurse[0])
    request = RequestFactory().get("/fhir/Patient")
    request.COOKIES = {name: cookie.value for name, cookie in client.cookies.items()}
    request.user = nurse[0]
    with pytest.raises(Unauthenticated):
        clients.authenticate(request)


@pytest.mark.asvs("v5.0.0-16.3.2")
def test_a_refused_call_is_in_the_journal(token):
    for headers in ({}, {"Authorization": f"Bearer {token}"}, acting(token, "899799999999")):
        before = AccountTrace.objects.filter(action="appel", outcome="refus").count()
        with pytest.raises((Unauthenticated, Forbidden)):
            call(headers)
        assert AccountTrace.objects.filter(action="appel", outcome="refus").count() == before + 1
    # Who was named is not written: it may be anything.
    assert not AccountTrace.objects.filter(object_kind__contains="8997").exists()


# ---- a person ------------------------------------------------------------------------------------


def test_a_person_s_program_acts_as_herself():
    user = make.account()
    made, secret = personal(user)
    caller = call({"Authorization": f"Bearer {secret}", "Acting-Professional": "899799999999"})
    assert (caller.user, caller.owner, caller.client_id) == (user, f"user:{user.pk}", "")
    assert caller.scopes == {"user/CareTeam.crus"}
    assert caller.via.software == OWN_PROGRAM
    assert caller.may("CareTeam", "c")
    assert not caller.may("Patient", "r")


@pytest.mark.req("SECT-7")
@pytest.mark.parametrize("act", ["revoked", "over", "suspended"])
def test_a_personal_token_ended_opens_nothing(act):
    user = make.account()
    made, secret = personal(user)
    headers = {"Authorization": f"Bearer {secret}"}
    call(headers)
    if act == "revoked":
        actions.revoke_personal_token(user, made.pk)
    elif act == "over":
        day = timezone.localdate() - dt.timedelta(days=1)
        type(made).objects.update(created_on=day, expires_on=day)
    else:
        accounts.suspend_account(user, by=UserFactory(administrator=True))
    with pytest.raises(Unauthenticated):
        call(headers)


# ---- last use, counting, cost --------------------------------------------------------------------


def test_the_last_use_is_written_once_a_minute(software, token, nurse):
    app, headers = software[0], acting(token, nurse[1])
    call(headers)
    app.refresh_from_db()
    first = app.last_used_at
    assert timezone.now() - first < dt.timedelta(seconds=30)
    call(headers)
    app.refresh_from_db()
    assert app.last_used_at == first
    type(app).objects.update(last_used_at=first - dt.timedelta(minutes=2))
    call(headers)
    app.refresh_from_db()
    assert app.last_used_at > first


def test_a_refused_call_is_not_a_use(software, token):
    with pytest.raises(Forbidden):
        call(acting(token, "899799999999"))
    software[0].refresh_from_db()
    assert software[0].last_used_at is None


def test_one_statement(token, nurse):
    mine = {"Authorization": f"Bearer {personal(nurse[0])[1]}"}
    for headers in (acting(token, nurse[1]), mine):
        call(headers)
        with CaptureQueriesContext(connection) as captured:
            call(headers)
        assert len(captured) == 1, [query["sql"][:80] for query in captured]


@pytest.mark.asvs("v5.0.0-10.3.3")
def test_two_accounts_under_one_number_are_nobody(house, token, nurse):
    VouchedProfession.objects.filter(user=professional(house)[0]).update(national_id=nurse[1])
    with pytest.raises(Forbidden):
        call(acting(token, nurse[1]))


def for_another(user):
    today = timezone.localdate()
    ActingFor.objects.create(
        kind=ActingFor.Kind.STAND_IN, principal=make.account(), substitute=user, first_day=today, last_day=today,
        accepted_at=timezone.now(),
    )  # fmt: skip


def in_emergency(user):
    EmergencyAccess.objects.create(
        dossier=make.open_circle(make.coordinator()).dossier, user=user, opened_at=timezone.now(),
        ends_at=timezone.now() + dt.timedelta(hours=1), reason=EmergencyAccess.Reason.values[0], detail="Exemple",
    )  # fmt: skip


@pytest.mark.parametrize("act", [None, for_another, in_emergency])
def test_the_account_knows_how_it_comes_as_that_of_a_session_does(token, nurse, act):
    publish_default_matrix()
    if act:
        act(nurse[0])
    for headers in (acting(token, nurse[1]), {"Authorization": f"Bearer {personal(nurse[0])[1]}"}):
        assert access.comes_by_himself(call(headers).user) is (act is None)
    published.forget()


def is_answered(headers):
    try:
        call(headers)
    except Throttled:
        return False
    return True


def test_calls_taken_by_the_handful_are_never_more_than_allowed(settings, token, nurse):
    settings.FHIR_CALLS_PER_MINUTE = 250
    headers = acting(token, nurse[1])
    done = sum(is_answered(headers) for _ in range(260))
    assert 248 <= done <= 250


@pytest.mark.asvs("v5.0.0-2.4.1")
def test_beyond_so_many_calls_one_waits(settings, token, nurse):
    settings.FHIR_CALLS_PER_MINUTE = 3
    headers = acting(token, nurse[1])
    for _ in range(3):
        call(headers)
    with pytest.raises(Throttled) as refused:
        call(headers)
    assert refused.value.status == 429
    assert 1 <= int(refused.value.headers["Retry-After"]) <= 60
    # Somebody else is not concerned, nor is the next minute.
    call({"Authorization": f"Bearer {personal(nurse[0])[1]}"})


def test_who_tries_tokens_waits_too(settings):
    settings.FHIR_CALLS_PER_MINUTE = 3
    tried = [f"Bearer {secrets.make(secrets.CLIENT_TOKEN)}" for _ in range(4)]
    for bearer in tried[:3]:
        with pytest.raises(Unauthenticated):
            call({"Authorization": bearer})
    with pytest.raises(Throttled):
        call({"Authorization": tried[3]})


def test_a_cache_that_is_down_stops_no_call(settings, token, nurse):
    settings.FHIR_CALLS_PER_MINUTE = 1
    settings.CACHES = settings.CACHES | {
        "calls": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    }
    for _ in range(3):
        assert call(acting(token, nurse[1])).user == nurse[0]
    # Silent a moment ago, it is not waited for again at once (REL-17).
    with mock.patch.object(throttling, "caches") as asked:
        assert call(acting(token, nurse[1])).user == nurse[0]
    asked.__getitem__.assert_not_called()


def test_no_limit(settings, token, nurse):
    settings.FHIR_CALLS_PER_MINUTE = 0
    for _ in range(3):
        call(acting(token, nurse[1]))
    assert throttling._counted("x", 1) == 1


# ---- what the journal says -----------------------------------------------------------------------


@pytest.mark.req("SEC-9")
def test_the_journal_of_a_dossier_names_the_software(token, house):
    publish_default_matrix()
    user, number = professional(house, make.DOCTOR)
    entry = make.open_circle(make.coordinator())
    make.add(entry, user.attachment.professional, wanted="oui")
    caller = call(acting(token, number))
    door.enter_many(caller.user, [entry.dossier.pk], Rubrique.CERCLE, via=caller.via)
    line = Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=user.pk).latest("seq")
    assert (line.software, line.actor_national_id) == ("Logiciel Exemple", number)
    published.forget()


def test_a_call_outside_dossiers_is_told_once(token, nurse):
    caller = call(acting(token, nurse[1]))
    clients.record_call(caller, kind="Practitioner", count=12)
    line = AccountTrace.objects.latest("id")
    assert (line.action, line.actor_id, line.object_kind, line.count) == ("appel", nurse[0].pk, "Practitioner", 12)
    assert (line.outcome, line.software) == ("ok", "Logiciel Exemple")


def calls_told(since):
    told = AccountTrace.objects.filter(action="appel", id__gt=since)
    return list(told.order_by("id").values_list("object_kind", "outcome"))


def test_every_call_is_in_the_journal_once(client, token, nurse, house):
    headers, since = acting(token, nurse[1]), uuid7()
    assert client.get("/fhir/Practitioner", headers=headers).status_code == 200
    assert client.get(f"/fhir/Practitioner/{uuid7()}", headers=headers).status_code == 404
    assert client.get("/fhir/Organization", headers=headers).status_code == 403
    assert client.get("/fhir/Practitioner").status_code == 401
    assert client.get("/fhir/metadata").status_code == 200
    assert calls_told(since) == [
        ("Practitioner", "ok"), ("Practitioner", "refus"), ("Organization", "refus"), ("api", "refus"),
    ]  # fmt: skip


def test_a_call_that_enters_a_dossier_is_told_there(client, token, house):
    publish_default_matrix()
    user, number = professional(house, make.DOCTOR)
    entry = make.open_circle(make.coordinator())
    make.add(entry, user.attachment.professional, wanted="oui")
    since = uuid7()
    answer = client.get(f"/fhir/CareTeam/{circle_id(entry)}", headers=acting(token, number))
    assert answer.status_code == 200, answer.content
    assert calls_told(since) == []
    line = Trace.objects.filter(dossier_id=entry.dossier.pk, actor_id=user.pk).get()
    assert (line.action, line.rubrique, line.software) == ("lecture", "cercle", "Logiciel Exemple")
    published.forget()


@pytest.mark.req("SEC-9", "SEC-11")
def test_who_reads_the_journal_sees_by_what_it_was_done(client, token, house):
    publish_default_matrix()
    user, number = professional(house, make.DOCTOR)
    reader = make.coordinator()
    entry = make.open_circle(reader)
    make.add(entry, user.attachment.professional, wanted="oui")
    for headers in (acting(token, number), {"Authorization": f"Bearer {personal(user)[1]}"}):
        assert client.get(f"/fhir/CareTeam/{circle_id(entry)}", headers=headers).status_code == 200
    client.force_login(reader)
    page = client.get(f"/dossiers/{entry.dossier.pk}/journal/").content.decode().replace("\xa0", " ")
    assert "par le logiciel Logiciel Exemple, a lu" in page
    assert "par un jeton d’accès personnel, a lu" in page
    assert "Mon tableur" not in page
    published.forget()


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}])
def test_a_refusal_is_an_outcome_and_sets_no_cookie(client, headers):
    answer = client.get("/fhir/Practitioner", headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    said = answer.json()
    assert (said["resourceType"], said["issue"][0]["code"]) == ("OperationOutcome", "login")
    assert "Set-Cookie" not in answer.headers


def test_too_many_calls_say_when_to_come_back(client, settings, token, nurse):
    settings.FHIR_CALLS_PER_MINUTE = 1
    answers = [client.get("/fhir/Practitioner", headers=acting(token, nurse[1])) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert int(answers[1]["Retry-After"]) >= 1
    assert answers[1].json()["issue"][0]["code"] == "throttled"


def test_a_signed_in_person_calls_nothing_by_her_session(client, nurse):
    client.force_login(nurse[0])
    assert client.get("/fhir/Practitioner").status_code == 401
    assert client.post("/fhir/Practitioner", {}, content_type="application/json").status_code == 401


@pytest.mark.req("SEC-13")
def test_a_writing_that_is_refused_or_fails_is_in_the_journal_of_its_dossier(client):
    publish_default_matrix()
    writer, reader = make.coordinator(), make.account(make.ROLE_ONLY)
    entry = make.open_circle(writer)
    make.add(entry, reader.attachment.professional, wanted="oui")
    relative = make.relative(entry)
    id = circle_id(entry)
    for user, outcome, status in ((reader, "refus", 403), (writer, "echec", 422)):
        api = Api.of(client, user)
        for path in (f"CareTeam/{id}", f"RelatedPerson/{relative.pk}"):
            body = read(Api.of(client, writer).get(path))
            body |= {"subject": {"reference": f"Patient/{id}"}} if "subject" in body else {"name": [{"family": "1"}]}
            before = Trace.objects.filter(dossier_id=entry.dossier.pk).count()
            assert api.put(path, body).status_code == status, path
            lines = Trace.objects.filter(dossier_id=entry.dossier.pk).order_by("seq")[before:]
            assert [(line.actor_id, line.action, line.rubrique, line.outcome) for line in lines] == [
                (user.pk, "écriture", "cercle", outcome)
            ], path
    published.forget()
