"""« Protection des données » of « Administration »: named by an administrator, ended by one, never by oneself."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from habilitations import published
from habilitations.actions import name_officer
from habilitations.models import AccountTrace, DataProtectionOfficer
from habilitations.officers import may_search_journals
from tests.circle.conftest import publish_default_matrix
from tests.dossiers.factories import DossierFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/administration/habilitations/protection-des-donnees/"
MISSED = "Aucun compte ouvert n’a exactement ce nom ou cette adresse."


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()
    yield
    published.forget()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


@pytest.fixture
def denis():
    return UserFactory(family_name="GABARIT", given_name="Denis")


def text(answer):
    return answer.content.decode().replace("\xa0", " ")


def test_one_is_found_by_exact_name_named_then_ended(client, anna, denis):
    DossierFactory(birth_name="CANARI")
    assert denis.email not in text(client.post(PAGE, {"q": "Gabarit"}))
    assert denis.email in text(client.post(PAGE, {"q": "gabarit denis"}))
    assert not may_search_journals(denis)
    assert client.post(PAGE, {"compte": denis.pk}).status_code == 303
    assert may_search_journals(denis)
    page = text(client.get(PAGE))
    assert "GABARIT Denis" in page and "par PREMIÈRE Anna" in page and "CANARI" not in page
    named = DataProtectionOfficer.objects.get()
    assert client.post(reverse("habilitations:end_officer", args=[named.pk])).status_code == 303
    assert not may_search_journals(denis)
    assert "terminée par PREMIÈRE Anna" in text(client.get(PAGE))
    assert client.post(reverse("habilitations:end_officer", args=[named.pk])).status_code == 404
    said = AccountTrace.objects.filter(actor_id=anna.pk, object_id=denis.pk).order_by("at")
    assert [one.action for one in said] == ["désignation DPO", "fin désignation DPO"]


@pytest.mark.req("SEC-6")
def test_nobody_and_oneself_get_one_sentence(client, anna, denis):
    for typed in ("Personne Inconnue", "Gabarit", denis.email[:-1], anna.email, "Première Anna"):
        assert MISSED in text(client.post(PAGE, {"q": typed})), typed
    client.post(PAGE, {"compte": anna.pk})
    assert not DataProtectionOfficer.objects.exists()


@pytest.mark.req("SEC-18")
def test_naming_asks_again_who_is_there_and_ending_does_not(client, anna, denis):
    named = name_officer(denis, by=anna)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    answer = client.post(PAGE, {"compte": UserFactory().pk})
    assert answer.status_code == 302 and "/compte/" in answer.url
    assert DataProtectionOfficer.objects.count() == 1
    assert client.post(reverse("habilitations:end_officer", args=[named.pk])).status_code == 303


@pytest.mark.req("PERF-3")
def test_statements_do_not_grow(client, anna):
    counted = []
    for _ in range(3):
        for _ in range(4):
            name_officer(UserFactory(), by=anna)
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        counted.append(len(captured))
    assert len(set(counted)) == 1 and counted[0] <= 12, counted
