"""The pages of the footer: open to everybody, linked from everywhere, honest about who answers for the service."""

import pytest
from django.urls import reverse

PAGES = {
    "accessibility": "Déclaration d’accessibilité",
    "help": "Aide",
    "shortcuts": "Raccourcis clavier",
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


def test_what_the_operator_did_not_say_is_not_invented(client, db, settings):
    settings.LEGAL_PUBLISHER, settings.LEGAL_HOST = "GCS EXEMPLE", ""
    text = client.get("/mentions-legales/").content.decode()
    assert "GCS EXEMPLE" in text
    assert "Non renseigné" in text
