"""« Comptes » of « Administration »: the list, searched without an address, and what is done to an account."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import actions as accounts
from coordination.accounts import drafts
from coordination.accounts.errors import AccountClosed, NotAnAdministrator, OwnAccount
from coordination.accounts.models import AccountChange, Session, User
from coordination.directory.actions import administration as actions
from coordination.directory.errors import ReasonMissing
from coordination.directory.views import all_accounts as views
from habilitations.access import hat_of, may_administer, to_dossier
from habilitations.errors import AccountNotOpen, NotAllowed, OwnProfession
from habilitations.models import AccountTrace, VouchedProfession
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory.search_data import learn, person
from tests.dossiers.factories import DossierFactory, StructureFactory, habilitate

pytestmark = pytest.mark.django_db
LIST = "/administration/comptes/"
WHY = {"reason": "Départ du service"}


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


@pytest.fixture
def nora():
    place = StructureFactory(name="SSIAD EXEMPLE")
    return make.account("60", structure=place, family_name="ÉBAUCHE", given_name="Nora")


def of(user, name="account", *more):
    return reverse(f"administration:{name}", args=[user.pk, *more])


def act(user, name):
    return of(user, "account_act", name)


def text(answer):
    return answer.content.decode().replace("\xa0", " ")


def names(answer):
    return re.findall(rf'<a href="{LIST}[^"]+">(.*?)</a>', text(answer))


def test_the_list_says_who_and_in_which_state_and_no_dossier(client, anna, nora):
    dossier = DossierFactory(birth_name="CANARI", created_by=nora)
    habilitate(nora, dossier)
    User.objects.filter(pk=nora.pk).update(last_login=timezone.now())
    UserFactory(suspended=True, family_name="ZÉBRURE", given_name="Luc")
    page = text(client.get(LIST))
    assert names(client.get(LIST)) == ["ÉBAUCHE Nora", "PREMIÈRE Anna", "ZÉBRURE Luc"]
    for said in ("Infirmier", "SSIAD EXEMPLE", nora.email, "Suspendu", "Administrateur", "Jamais"):
        assert said in page, said
    for path in (LIST, of(nora), act(nora, "suspendre")):
        shown = text(client.get(path))
        assert "CANARI" not in shown and str(dossier.pk) not in shown
    assert AccountTrace.objects.filter(actor_id=anna.pk, action="liste", object_kind="compte").exists()


@pytest.mark.req("SEC-22")
def test_a_search_is_posted_and_what_an_address_says_is_not_read(client, anna, nora):
    assert names(client.post(LIST, {"q": "nora ebau"})) == ["ÉBAUCHE Nora"]
    assert names(client.post(LIST, {"q": nora.email.upper()})) == ["ÉBAUCHE Nora"]
    assert names(client.post(LIST, {"q": "personne de ce nom"})) == []
    assert names(client.post(LIST, {"etat": "administrateurs"})) == ["PREMIÈRE Anna"]
    assert names(client.post(LIST, {"etat": "fermes"})) == []
    assert len(names(client.get(f"{LIST}?q=nora"))) == 2
    assert 'method="post"' in text(client.get(LIST))


def test_the_list_goes_on_after_the_last_account_seen(client, anna, monkeypatch):
    monkeypatch.setattr(views, "PER_PAGE", 2)
    for given in ("Ana", "Élie", "Zoé"):
        UserFactory(family_name="MODÈLE", given_name=given)
    seen, after = [], ""
    for _ in range(3):
        answer = client.post(LIST, {"q": "", "apres": after})
        seen += names(answer)
        found = re.search(r'name="apres"\s+value="([^"]+)"', text(answer))
        after = found[1] if found else ""
    assert seen[:4] == ["MODÈLE Ana", "MODÈLE Élie", "MODÈLE Zoé", "PREMIÈRE Anna"]
    assert client.post(LIST, {"apres": "rien"}).status_code == 200


@pytest.mark.req("PERF-3")
def test_statements_do_not_grow(client, anna, nora):
    counted = []
    for _ in range(3):
        for _ in range(4):
            make.account("60", structure=StructureFactory())
        for path in (LIST, of(nora)):
            client.get(path)
            with CaptureQueriesContext(connection) as captured:
                client.get(path)
            counted.append((path, len(captured)))
    assert len(set(counted)) == 2 and max(count for _, count in counted) <= 12, counted


def test_an_account_is_suspended_reopened_and_closed_with_its_reason(client, anna, nora):
    dossier = DossierFactory()
    habilitate(nora, dossier)
    Session.objects.create(session_key="x" * 32, user=nora, expire_date=timezone.now())
    drafts.save(anna, "compte-suspendre", nora.pk, "reason=D%C3%A9part")
    assert "Départ" in text(client.get(act(nora, "suspendre")))
    assert client.post(act(nora, "suspendre"), {"reason": " "}).status_code == 422
    assert client.post(act(nora, "suspendre"), WHY).status_code == 303
    assert drafts.load(anna, "compte-suspendre", nora.pk) is None
    nora.refresh_from_db()
    assert nora.suspended_at and to_dossier(nora, dossier.pk) is None
    assert not Session.objects.filter(user=nora).exists()
    assert client.get(act(nora, "suspendre")).status_code == 404
    client.post(act(nora, "rouvrir"), WHY)
    nora.refresh_from_db()
    assert to_dossier(nora, dossier.pk) is not None
    client.post(act(nora, "fermer"), WHY)
    nora.refresh_from_db()
    assert nora.closed_at
    said = AccountTrace.objects.filter(actor_id=anna.pk, object_id=nora.pk).exclude(action="lecture").order_by("at")
    assert [one.action for one in said] == ["suspension", "réouverture", "fermeture"]
    page = text(client.get(of(nora)))
    assert page.count("Départ du service") == 3 and "par PREMIÈRE Anna" in page


def test_an_administrator_is_named_then_no_longer(client, anna, nora):
    dossier = DossierFactory()
    assert client.post(act(nora, "nommer-administrateur"), WHY).status_code == 303
    nora.refresh_from_db()
    assert may_administer(nora) and to_dossier(nora, dossier.pk) is None
    assert client.post(act(nora, "retirer-administrateur"), WHY).status_code == 303
    nora.refresh_from_db()
    assert not may_administer(nora)
    kinds = AccountChange.objects.filter(user=nora).order_by("at").values_list("kind", flat=True)
    assert list(kinds) == ["admin_named", "admin_ended"]


@pytest.mark.req("SECT-22")
def test_sessions_end_when_the_role_changes(anna, nora):
    for change in (accounts.name_administrator, accounts.end_administrator):
        Session.objects.create(session_key="x" * 32, user=nora, expire_date=timezone.now())
        change(nora, by=anna)
        assert not Session.objects.filter(user=nora).exists()


def test_one_administrator_always_remains(client, anna, nora):
    """Nobody un-names himself, and of two who un-name each other the second is no longer one."""
    with pytest.raises(OwnAccount):
        accounts.end_administrator(anna, by=anna)
    accounts.name_administrator(nora, by=anna)
    nora.refresh_from_db()
    accounts.end_administrator(anna, by=nora)
    with pytest.raises(NotAnAdministrator):
        accounts.end_administrator(nora, by=anna)  # as read before: still said to be one
    assert User.objects.administrators().get() == nora


@pytest.mark.req("SEC-1")
def test_nothing_is_offered_on_one_s_own_account(client, anna):
    page = text(client.get(of(anna)))
    assert "un autre administrateur agit sur lui" in page and "Agir sur ce compte" not in page
    for name in views.ACTS:
        assert client.get(act(anna, name)).status_code == 404
        assert client.post(act(anna, name), WHY).status_code == 404
    assert client.get(of(anna, "confirm_account")).status_code == 404
    assert client.get(act(UserFactory(), "inconnu")).status_code == 404


@pytest.mark.req("SEC-1")
def test_the_actions_refuse_who_may_not(anna, nora):
    shut = UserFactory(suspended=True)
    with pytest.raises(AccountClosed):
        actions.name_administrator(shut, reason="x", by=anna)
    activity = nora.attachment.professional.activities.get()
    with pytest.raises(AccountNotOpen):
        actions.confirm(shut, activity, by=anna)
    for refused in (actions.suspend, actions.close, actions.reopen, actions.name_administrator):
        with pytest.raises(NotAnAdministrator):
            refused(anna, reason="x", by=nora)
        with pytest.raises(ReasonMissing):
            refused(nora, reason=" ", by=anna)
    with pytest.raises(NotAllowed):
        actions.confirm(UserFactory(), activity, by=nora)
    with pytest.raises(OwnProfession):
        actions.confirm(anna, activity, by=anna)
    with pytest.raises(OwnProfession):
        actions.end_profession(anna, reason="x", by=anna)
    with pytest.raises(ReasonMissing):
        actions.end_profession(nora, reason=" ", by=anna)


@pytest.mark.parametrize("name", ["suspend", "close", "reopen", "name_administrator", "end_administrator"])
def test_an_act_on_an_account_is_in_its_history_and_in_the_journal_once(anna, name):
    before = {"reopen": {"suspended": True}, "end_administrator": {"administrator": True}}
    user = UserFactory(**before.get(name, {}))
    getattr(actions, name)(user, by=anna, **WHY)
    assert AccountChange.objects.filter(user=user, by=anna, **WHY).count() == 1
    assert AccountTrace.objects.filter(actor_id=anna.pk, object_id=user.pk).count() == 1


def test_a_profession_is_ended_then_confirmed_again_from_the_directory(client, anna, nora):
    assert client.get(of(nora, "confirm_account")).status_code == 404
    client.post(act(nora, "terminer-profession"), WHY)
    assert hat_of(nora).profession == ""
    page = text(client.get(of(nora, "confirm_account")))
    assert "SSIAD EXEMPLE" in page and "Qui est-ce dans l’annuaire" not in page
    activity = nora.attachment.professional.activities.get()
    other = make.listed("10").activities.get()
    assert client.post(of(nora, "confirm_account"), {"activite": other.pk}).status_code == 404
    assert client.post(of(nora, "confirm_account"), {"activite": "rien"}).status_code == 404
    assert client.post(of(nora, "confirm_account"), {"activite": activity.pk}).status_code == 303
    assert hat_of(nora).profession == "60"
    current = VouchedProfession.objects.current().get(user=nora)
    assert (current.how, current.vouched_by) == ("administrateur", anna)


def test_ending_and_confirming_a_profession_are_in_the_journal_once(anna, nora):
    activity = nora.attachment.professional.activities.get()
    actions.end_profession(nora, by=anna, **WHY)
    actions.confirm(nora, activity, by=anna)
    traced = AccountTrace.objects.filter(actor_id=anna.pk, object_id=nora.pk, action__contains="confirmation")
    assert list(traced.order_by("at").values_list("action", flat=True)) == ["fin de confirmation", "confirmation"]
    assert hat_of(nora).profession == "60"


def test_a_new_account_is_matched_with_the_directory(client, anna):
    luc = UserFactory(family_name="TESTARD", given_name="Luc")
    person("TESTARD", "Luc", profession="10")
    learn()
    page = text(client.post(of(luc, "confirm_account"), {"q": "testard luc"}))
    chosen = re.search(r'name="activite"\s+value="([^"]+)"', page)[1]
    assert hat_of(luc).profession == ""
    client.post(of(luc, "confirm_account"), {"activite": chosen})
    assert hat_of(luc).profession == "10"
    assert AccountTrace.objects.filter(actor_id=anna.pk, action="confirmation", object_id=luc.pk).exists()


@pytest.mark.req("SEC-18")
def test_what_opens_asks_again_who_is_there_and_what_closes_does_not(client, anna, nora):
    fresh, shut = UserFactory(), UserFactory(suspended=True)
    activity = make.listed("60").activities.get()
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    opening = (
        (act(shut, "rouvrir"), WHY), (act(nora, "nommer-administrateur"), WHY),
        (of(fresh, "confirm_account"), {"activite": activity.pk}),
    )  # fmt: skip
    for path, said in opening:
        answer = client.post(path, said)
        assert answer.status_code == 302 and "/compte/" in answer.url, path
    shut.refresh_from_db()
    nora.refresh_from_db()
    assert not shut.is_active and not nora.is_administrator and hat_of(fresh).profession == ""
    assert client.post(act(nora, "terminer-profession"), WHY).status_code == 303
    assert client.post(act(nora, "suspendre"), WHY).status_code == 303
