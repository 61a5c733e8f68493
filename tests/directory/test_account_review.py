"""« Revue des accès » of a structure: counts by account, no dossier named; a profession ended or an account kept."""

import datetime as dt
import io
import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from coordination.directory.actions.reviewing import keep_account
from habilitations.actions import name_administrator
from habilitations.errors import NotOfYourStructure, NotVouched, OwnProfession
from habilitations.models import AccessKept, AccountKept, AccountTrace, Habilitation, Trace
from habilitations.usage import Use, uses_of
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory.search_data import house
from tests.dossiers.factories import DossierFactory, habilitate

pytestmark = pytest.mark.django_db
PATH = "/annuaire/comptes/revue/"


@pytest.fixture
def ssiad():
    publish_default_matrix()
    return house("SSIAD EXEMPLE", category="354", finess="810009983")


@pytest.fixture
def director(ssiad):
    user = make.account("359", structure=ssiad, family_name="GABARIT", given_name="Denis")
    name_administrator(ssiad, user, by=UserFactory(administrator=True))
    return user


@pytest.fixture
def helper(ssiad):
    """Two dossiers, granted a year ago, in one of which he came last month."""
    user = make.account("35", structure=ssiad, family_name="ÉBAUCHE", given_name="Nora")
    rows = [habilitate(user, DossierFactory(birth_name="MODÈLE")) for _ in range(2)]
    Habilitation.objects.update(state_at=timezone.now() - dt.timedelta(days=400))
    come(user, rows[0], 30)
    user.rows = rows
    return user


def come(user, row, days):
    at = timezone.now() - dt.timedelta(days=days)
    Trace.objects.bulk_create([
        Trace(at=at, dossier_id=row.dossier_id, actor_id=user.pk, actor_name="X", habilitation_id=row.pk,
              action="lecture", outcome="ok")
    ])  # fmt: skip


def text_of(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).replace("\xa0", " ").split())


def test_counts_and_no_dossier(client, director, helper):
    client.force_login(director)
    page = text_of(client.get(PATH))
    assert "2 dossiers ouverts à son nom, 1 sans usage depuis 6 mois." in page
    assert "MODÈLE" not in page
    assert not any(str(row.dossier_id) in client.get(PATH).content.decode() for row in helper.rows)
    assert AccountTrace.objects.filter(actor_id=director.pk, object_kind="revue des comptes").exists()


def test_what_counts_as_asleep(settings, helper):
    assert uses_of([helper.pk])[helper.pk].asleep == 1
    AccessKept.objects.create(dossier=helper.rows[1].dossier, habilitation=helper.rows[1], by=helper)
    assert uses_of([helper.pk])[helper.pk].asleep == 0, "kept in its dossier"
    AccessKept.objects.update(at=timezone.now() - dt.timedelta(days=300))
    assert uses_of([helper.pk])[helper.pk].asleep == 1
    settings.ACCESS_UNUSED_MONTHS = 0
    assert uses_of([helper.pk])[helper.pk].asleep == 0
    Habilitation.objects.update(access_until=timezone.localdate() - dt.timedelta(days=1))
    assert uses_of([helper.pk]).get(helper.pk, Use()).opened == 0, "over"


def test_keeping_is_dated_and_comes_back(client, director, helper):
    client.force_login(director)
    assert "À revoir 1 compte" in text_of(client.get(PATH))
    assert client.post(f"/annuaire/comptes/{helper.pk}/garder/").status_code == 303
    assert AccountKept.objects.get().by == director
    assert "Aucun compte de votre structure" in text_of(client.get(PATH))
    AccountKept.objects.update(at=timezone.now() - dt.timedelta(days=190))
    assert "À revoir 1 compte" in text_of(client.get(PATH))
    assert f"/annuaire/comptes/{helper.pk}/retirer/" in client.get(PATH).content.decode()


def test_of_his_structure_only_and_never_his_own(director, helper):
    with pytest.raises(OwnProfession):
        keep_account(director, by=director)
    with pytest.raises(NotOfYourStructure):
        keep_account(make.account(), by=director)
    with pytest.raises(NotOfYourStructure):
        keep_account(helper, by=helper)
    with pytest.raises(NotVouched):
        keep_account(make.account(vouched=False), by=director)


@pytest.mark.req("SEC-1")
def test_nobody_else_finds_it(client, director, helper):
    for user in (helper, UserFactory(administrator=True)):
        client.force_login(user)
        for path in (PATH, f"{PATH}revue-des-comptes.xlsx"):
            assert client.get(path).status_code == 404
        assert client.post(f"/annuaire/comptes/{director.pk}/garder/").status_code == 404


@pytest.mark.req("SECT-4")
def test_an_account_of_others_and_one_that_does_not_exist_are_answered_alike(client, director):
    client.force_login(director)
    for user_id in (make.account().pk, make.account(vouched=False).pk, uuid.uuid4()):
        assert client.post(f"/annuaire/comptes/{user_id}/garder/").status_code == 404


def test_the_file(client, director, helper):
    client.force_login(director)
    answer = client.get(f"{PATH}revue-des-comptes.xlsx")
    rows = list(load_workbook(io.BytesIO(answer.content)).active.values)
    line = next(row for row in rows if row[0] and "ÉBAUCHE" in row[0])
    assert (line[3], line[4], line[6]) == (2, 1, "Oui")
    assert "MODÈLE" not in str(rows)


@pytest.mark.req("PERF-3")
def test_as_many_statements_for_thirty_as_for_two(client, director, ssiad):
    client.force_login(director)
    counted = []
    for more in (2, 28):
        for _ in range(more):
            habilitate(make.account("35", structure=ssiad), DossierFactory())
        with CaptureQueriesContext(connection) as captured:
            assert client.get(PATH).status_code == 200
        counted.append(len(captured))
    assert counted[0] == counted[1] <= 12, counted
