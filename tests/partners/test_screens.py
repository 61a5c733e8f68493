"""« Partenaires » of « Administration »: nothing is there for anybody else, no dossier and no secret is shown."""

import re
import time
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from coordination.partners.actions import change_partner
from coordination.partners.models import Partner, State
from tests.accounts.factories import UserFactory
from tests.circle.conftest import publish_default_matrix
from tests.partners.factories import SECRET, PartnerFactory, RelayFactory

pytestmark = pytest.mark.django_db
LIST, ADD, RELAYS = (f"/administration/partenaires/{end}" for end in ("", "ajouter/", "echanges/"))
TYPED = {
    "name": "Groupement des Maquettes", "base_url": "https://cercles.exemple/fhir/",
    "token_url": "https://cercles.exemple/token", "client_id": "coordination", "secret": SECRET, "scope": "",
    "acting_header": "Acting-Professional", "active": "on",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _matrix(db):
    publish_default_matrix()


@pytest.fixture
def anna(client):
    user = UserFactory(administrator=True, family_name="PREMIÈRE", given_name="Anna")
    client.force_login(user)
    return user


def text(answer):
    return answer.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def test_nobody_else_finds_anything(client):
    client.force_login(UserFactory())
    relay = RelayFactory()
    for address in (LIST, ADD, RELAYS, reverse("partners:edit", args=[relay.partner_id])):
        assert client.get(address).status_code == 404
    for act in ("retry", "cancel"):
        assert client.post(reverse(f"partners:{act}", args=[relay.pk])).status_code == 404


def test_a_partner_is_added_then_changed_and_its_secret_is_never_shown(client, anna):
    assert "Aucun partenaire" in text(client.get(LIST))
    assert client.post(ADD, TYPED).status_code == 303
    partner = Partner.objects.get()
    assert (partner.base_url, partner.secret, partner.created_by) == ("https://cercles.exemple/fhir", SECRET, anna)
    page = text(client.get(LIST))
    assert "Groupement des Maquettes" in page and "En service" in page
    edit = reverse("partners:edit", args=[partner.pk])
    assert SECRET not in text(client.get(edit))
    changed = TYPED | {"name": "Groupement des Modèles", "secret": "", "version": 1}
    changed.pop("active")
    assert client.post(edit, changed).status_code == 303
    partner.refresh_from_db()
    assert (partner.name, partner.secret, partner.active) == ("Groupement des Modèles", SECRET, False)
    assert "Hors service" in text(client.get(LIST))


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_change_a_partner_sees_both_texts(client, anna):
    partner = PartnerFactory(name="Ancien nom")
    change_partner(partner, name="Nom de l’autre", scope="", by=anna)
    edit = reverse("partners:edit", args=[partner.pk])
    sent = TYPED | {"name": "Mon nom", "base_url": partner.base_url, "token_url": partner.token_url, "version": 1}
    first = client.post(edit, sent)
    page = text(first)
    assert first.status_code == 409
    assert "pendant votre saisie" in page and "Mon nom" in page and "Nom de l’autre" in page
    assert SECRET not in page and Partner.objects.get().name == "Nom de l’autre"
    shown = re.search(r'name="version"\s+id="id_version"\s+value="(\d+)"', page)[1]
    assert client.post(edit, sent | {"version": shown}).status_code == 303
    partner.refresh_from_db()
    assert (partner.name, partner.version) == ("Mon nom", 3)
    # A form of before there were versions, or one that lost its own: it is compared too.
    assert client.post(edit, TYPED | {"version": ""}).status_code == 409


@pytest.mark.parametrize(
    ("field", "said", "sentence"),
    [
        ("base_url", "http://cercles.exemple/fhir", "Une adresse commence par https://"),
        ("token_url", "https://moi:secret@cercles.exemple/", "Une adresse commence par https://"),
        ("secret", "", "Donnez le secret que le partenaire a remis."),
        ("acting_header", "Authorization", "Ce n’est pas un nom d’en-tête utilisable."),
        ("acting_header", "X: a", "Ce n’est pas un nom d’en-tête utilisable."),
        ("name", "Déjà là", "Un partenaire porte déjà ce nom."),
    ],
)
def test_what_cannot_be(client, anna, settings, field, said, sentence):
    settings.PARTNERS_ALLOW_PRIVATE = False
    PartnerFactory(name="Déjà là")
    answer = client.post(ADD, TYPED | {field: said})
    assert answer.status_code == 422 and sentence in text(answer)
    assert Partner.objects.count() == 1


@pytest.mark.req("SEC-18")
def test_choosing_where_circles_go_asks_again_who_is_there(client, anna):
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    answer = client.post(ADD, TYPED)
    assert answer.status_code == 302 and "/compte/" in answer.url
    assert not Partner.objects.exists()


def test_the_queue_is_seen_retried_and_called_off(client, anna):
    partner = PartnerFactory(name="Groupement des Maquettes")
    dead = RelayFactory(partner=partner, state=State.ECHEC, attempts=1, last_error="Le partenaire refuse (422).")
    RelayFactory(partner=partner, attempts=3, last_error="Le partenaire ne répond pas.")
    RelayFactory(partner=partner, state=State.ANNULE)
    page = text(client.get(RELAYS))
    assert "Le partenaire refuse (422)." in page and "3 essais" in page and "Annulé" not in page
    assert str(dead.object_id) not in page and dead.asked_by.family_name in page
    assert "Annulé" in text(client.get(RELAYS + "?vue=tout"))
    assert client.post(reverse("partners:retry", args=[dead.pk])).status_code == 303
    dead.refresh_from_db()
    assert (dead.state, dead.attempts) == (State.EN_ATTENTE, 0)
    assert client.post(reverse("partners:cancel", args=[dead.pk])).status_code == 303
    dead.refresh_from_db()
    assert dead.state == State.ANNULE
    assert "Rien n’attend" not in text(client.get(RELAYS))
    assert client.post(reverse("partners:retry", args=[uuid.uuid4()])).status_code == 404


def test_counts_and_pages_are_flat(client, anna):
    def asked(address):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(address)
        return len(queries)

    partner = PartnerFactory()
    RelayFactory(partner=partner)
    asked(LIST)
    before = asked(LIST), asked(RELAYS)
    for _ in range(4):
        RelayFactory()
        RelayFactory(partner=partner)
    assert (asked(LIST), asked(RELAYS)) == before
    assert max(before) <= 12


def test_the_queue_has_pages(client, anna, monkeypatch):
    monkeypatch.setattr("coordination.partners.views.PER_PAGE", 2)
    for _ in range(3):
        RelayFactory()
    page = text(client.get(RELAYS))
    assert "Page suivante" in page and page.count("Annuler") == 2
    following = text(client.get(RELAYS + "?vue=a-voir&depuis=2"))
    assert "Page suivante" not in following and following.count("Annuler") == 1
    assert client.get(RELAYS + "?depuis=x").status_code == 200
