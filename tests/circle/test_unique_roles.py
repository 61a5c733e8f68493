"""« Rôles uniques » of « Administration »: which they are, changed with a trace, refused where the rule is broken."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from circle.models import RoleSetting
from habilitations.models import AccountTrace
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = pytest.mark.django_db
PAGE = "/administration/roles/"


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


def text(answer):
    return answer.content.decode().replace("\xa0", " ")


def unique(page):
    return {
        re.search(r"<th[^>]*>(.*?)</th>", line)[1]
        for line in re.findall(r"<tr>.*?</tr>", page, re.S)
        if "Un seul membre" in line
    }


@pytest.mark.req("SEC-1", "SEC-25")
def test_whoever_is_no_administrator_finds_nothing(client):
    for user in (make.coordinator(), UserFactory()):
        client.force_login(user)
        assert client.get(PAGE).status_code == 404
        assert client.post(PAGE, {"unique": "ECON"}).status_code == 404
    assert not RoleSetting.objects.exists()


def test_the_page_says_which_roles_are_unique_and_changes_them(client, anna):
    usual = {"Médecin traitant", "Aidant principal", "Référent du parcours"}
    assert unique(text(client.get(PAGE))) == usual
    assert client.post(PAGE, {"unique": "NOK"}).status_code == 303
    page = text(client.get(PAGE))
    assert unique(page) == usual | {"Personne de confiance"}
    assert "PREMIÈRE Anna" in page
    client.post(PAGE, {"several": "NOK"})
    assert unique(text(client.get(PAGE))) == usual
    said = AccountTrace.objects.filter(actor_id=anna.pk, object_kind="rôle NOK").order_by("at")
    assert [one.action for one in said] == ["rôle unique", "fin de rôle unique"]


def test_what_breaks_the_rule_is_refused_and_names_nobody(client, anna):
    entry = make.open_circle(make.coordinator())
    for name in ("CANARI", "CANARI-BIS"):
        make.relative(entry, role="ECON", family_name=name)
    answer = client.post(PAGE, {"unique": "ECON"})
    page = text(answer)
    assert answer.status_code == 422
    assert "est tenu par plusieurs membres à la fois dans 1 dossier" in page
    assert str(entry.dossier.pk) in page
    assert "CANARI" not in page and entry.dossier.birth_name not in page
    assert client.get(f"/dossiers/{entry.dossier.pk}/").status_code == 404
    assert not RoleSetting.objects.exists()
    assert not AccountTrace.objects.filter(actor_id=anna.pk, action="rôle unique").exists()


def test_an_unknown_role_is_refused(client, anna):
    assert client.post(PAGE, {"unique": "RIEN"}).status_code == 422


@pytest.mark.req("PERF-3")
def test_statements_do_not_grow(client, anna):
    counted = []
    for code in ("", "NOK", "ECON", "CON", "GUARD"):
        if code:
            client.post(PAGE, {"unique": code})
        client.get(PAGE)
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        counted.append(len(captured))
    assert len(set(counted)) == 1 and counted[0] <= 12, counted
