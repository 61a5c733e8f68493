"""The footer's pages and the one that asks before printing two pages: accessible, at a desk and on a phone."""

import pytest

from circle.exports import sheet
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser

PAGES = {
    "Aide": "Aide",
    "Raccourcis clavier": "Raccourcis clavier",
    "Plan du site": "Plan du site",
    "Accessibilité": "Déclaration d’accessibilité",
    "Mentions légales": "Mentions légales",
}


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_visitor_reads_the_pages_of_the_footer(visit, world, phone):
    visitor = visit(phone=phone)
    visitor.goes_to("/compte/connexion/")
    for link, heading in PAGES.items():
        visitor.clicks(link, inside=visitor.page.get_by_role("contentinfo"))
        visitor.arrives_at(heading)
        visitor.checks_the_page(f"pied-{heading.split()[0].lower()}")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_second_page_is_printed_only_when_asked(visit, world, monkeypatch, phone):
    monkeypatch.setattr(sheet, "_set_in_type", lambda asked: sheet.Sheet(b"%PDF-", 2))
    entry = worlds.circle_of(world)
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/fiche.pdf")
    maelle.arrives_at("Fiche du cercle")
    maelle.sees("La fiche en prendra 2.")
    maelle.checks_the_page("fiche-trop-longue")
    agreed = maelle.page.get_by_role("link", name="Imprimer sur 2 pages").get_attribute("href")
    assert maelle.page.request.get(agreed).headers["content-type"] == "application/pdf"


def test_a_password_is_shown_while_one_types_it_and_masked_to_be_sent(visit, world):
    """A browser keeps what leaves as a text among the words one has typed."""
    visitor = visit(phone=True)
    visitor.goes_to("/compte/connexion/")
    field = visitor.page.locator("#id_password")
    field.fill("un mot de passe")
    visitor.presses("Afficher le mot de passe")
    assert field.get_attribute("type") == "text"
    visitor.checks_the_page("connexion-mot-de-passe")
    visitor.presses("Masquer le mot de passe")
    assert field.get_attribute("type") == "password"
    visitor.presses("Afficher le mot de passe")
    visitor.page.evaluate(
        "document.addEventListener('submit', (event) => {"
        " event.preventDefault(); window.sentAs = document.getElementById('id_password').type; })"
    )
    visitor.presses("Se connecter")
    assert visitor.page.evaluate("window.sentAs") == "password"


def test_without_javascript_no_button_promises_to_show_a_password(visit, world):
    visitor = visit(javascript=False)
    visitor.goes_to("/compte/connexion/")
    assert visitor.page.locator("[data-reveal]").count() == 1
    assert not visitor.page.locator("[data-reveal]").is_visible()
