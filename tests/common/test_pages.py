"""The pages of the footer: open to everybody, linked from everywhere, honest about who answers for the service."""

import pytest
from django.urls import reverse

from coordination.common import context
from tests.accounts.factories import UserFactory

PAGES = {
    "accessibility": "Déclaration d’accessibilité",
    "ecodesign": "Déclaration d’écoconception",
    "help": "Aide",
    "shortcuts": "Raccourcis clavier",
    "site_map": "Plan du site",
    "legal": "Mentions légales",
}


@pytest.mark.parametrize(("name", "title"), PAGES.items())
def test_a_visitor_reads_it_and_finds_the_others(client, db, name, title):
    response = client.get(reverse(name))
    text = response.content.decode()
    assert response.status_code == 200
    assert f">{title}</h1>" in text
    assert f"<title>{title} – " in text
    for other in PAGES:
        assert f'href="{reverse(other)}"' in text


def test_the_accessibility_page_says_its_state_and_the_ways_to_complain(client, db, settings):
    settings.CONTACT_EMAIL = "aide@coordination.example"
    text = client.get("/accessibilite/").content.decode()
    for said in ("non conforme", "Défenseur des droits", "mailto:aide@coordination.example"):
        assert said in text


@pytest.mark.req("RGAA")
def test_the_map_leads_where_the_bars_lead(client, db):
    user = UserFactory(administrator=True)
    client.force_login(user)
    text = client.get("/plan/").content.decode()
    main = text.partition("<main")[2].partition("</main>")[0]
    led = [one for place in ("nav", "account", "footer") for one in context.links(place, user)]
    under = [one for link in led for one in link.get("under", [])]
    assert len(led) >= 10 and under, "the bars lead nowhere: nothing is proved"
    for link in [*led, *under]:
        assert f'href="{link["url"]}"' in main, link["label"]
        assert client.get(link["url"]).status_code == 200, link["label"]


def test_a_visitor_has_no_single_letter_to_turn_off(client, db):
    assert "data-shortcuts" not in client.get("/aide/").content.decode()
    client.force_login(UserFactory())
    assert "data-shortcuts" in client.get("/aide/").content.decode()


def test_what_the_operator_did_not_say_is_not_invented(client, db, settings):
    settings.LEGAL_PUBLISHER, settings.LEGAL_HOST = "GCS EXEMPLE", ""
    text = client.get("/mentions-legales/").content.decode()
    assert "GCS EXEMPLE" in text
    assert "Non renseigné" in text
