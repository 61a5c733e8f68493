"""The pages of the footer: open to everybody, linked from everywhere, honest about who answers for the service."""

import re
from pathlib import Path

import pytest
from django.urls import reverse

from coordination.common import context
from tests.accounts.factories import UserFactory

ROOT = Path(__file__).parents[2]
TEMPLATES, ROOMS = ROOT / "templates", ("coordination", "circle", "agenda", "habilitations")
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


def test_the_help_names_what_the_screens_show():
    said = (TEMPLATES / "pages/help.html").read_text()
    screens = [path.read_text() for path in TEMPLATES.rglob("*.html") if path.name != "help.html"]
    screens += [path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    named = set(re.findall(r"« ([^»]+) »", said))
    assert len(named) > 10
    assert {name for name in named if not any(name in screen for screen in screens)} == set()
    # A relative has a way of its own, beside that of a professional whom the directory lacks.
    relatives = said.partition("<h2>Ajouter un proche")[2].partition("<h2>")[0]
    assert "« Un aidant, un proche »" in relatives


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
