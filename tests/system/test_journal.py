"""The journal of a dossier and the search of the data-protection officer, at a desk and on a phone, with axe."""

import pytest

from habilitations import verification
from habilitations.actions import name_officer
from tests.accounts.factories import UserFactory
from tests.system import acts
from tests.system import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.req("SEC-11")]


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_coordinator_sees_who_came_and_filters_without_an_address_saying_it(visit, world, phone):
    entry = worlds.circle_of(world)
    verification.check()
    home = f"/dossiers/{entry.dossier.pk}/"
    paul, rose = visit(), visit()
    acts.signs_in(paul, world.doctor)
    paul.goes_to(f"{home}cercle/")
    acts.signs_in(rose, world.social_worker)
    rose.goes_to(f"{home}journal/")
    rose.sees("pas ouverte")
    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"{home}journal/")
    maelle.sees("Journal intègre, vérifié à")
    maelle.sees("DESSIN Paul")
    maelle.sees("n’a pas pu lire")
    maelle.checks_the_page("journal")
    maelle.fills("Qui", "dessin")
    maelle.field("Qui").press("Enter")
    maelle.page.locator("input[type=hidden][name=qui]").wait_for(state="attached")
    maelle.does_not_see("ÉCHANTILLON-ROC")
    maelle.sees("DESSIN Paul")
    maelle.selects("Action", "Accès bloqué")
    maelle.sees("Aucune ligne du journal pour ces filtres.")
    maelle.checks_the_page("journal-vide")
    maelle.clicks("Effacer les filtres")
    maelle.fills("Du", "31/02/2026")
    maelle.field("Du").press("Enter")
    maelle.sees("n’existe pas")
    maelle.checks_the_page("journal-erreur")
    maelle.goes_to(f"{home}journal/")
    maelle.presses("Imprimer")
    maelle.sees("Journal lu le")
    maelle.checks_the_page("journal-imprime")


def test_without_javascript_the_journal_is_filtered_and_turned(visit, world):
    entry = worlds.circle_of(world)
    maelle = visit(javascript=False)
    acts.signs_in(maelle, world.coordinator)
    path = f"/dossiers/{entry.dossier.pk}/journal/"
    for _ in range(52):
        maelle.goes_to(path)
    maelle.presses("Plus anciennes")
    maelle.presses("Revenir aux plus récentes")
    maelle.selects("Rubrique", "Journal des accès")
    maelle.presses("Appliquer")
    maelle.sees("Plus anciennes")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_officer_searches_across_dossiers(visit, world, phone):
    entry = worlds.circle_of(world)
    officer = UserFactory(family_name="GARDE", given_name="Aline")
    name_officer(officer, by=world.administrator)
    paul = visit()
    acts.signs_in(paul, world.doctor)
    paul.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/")
    aline = visit(phone=phone)
    acts.signs_in(aline, officer)
    aline.goes_to("/dossiers/")
    aline.page.locator("details.account > summary").click()
    aline.clicks("Journaux des accès")
    aline.arrives_at("Journaux des accès")
    aline.checks_the_page("journaux")
    aline.presses("Chercher")
    aline.sees("Indiquez une personne")
    aline.checks_the_page("journaux-erreur")
    aline.fills("Qui a agi", "dessin")
    aline.presses("Chercher")
    aline.sees("DESSIN Paul")
    aline.sees(f"Dossier {entry.dossier.pk}")
    aline.checks_the_page("journaux-trouve")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_coordinator_asks_why_and_is_answered(visit, world, phone):
    entry = worlds.circle_of(world)
    journal = f"/dossiers/{entry.dossier.pk}/journal/"
    paul, maelle = visit(phone=phone), visit(phone=phone)
    acts.signs_in(paul, world.doctor)
    paul.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/")
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(journal)
    maelle.checks_the_page("journal-a-verifier")
    maelle.page.get_by_role("button", name="Demander pourquoi").first.press("Enter")
    maelle.sees("Question envoyée à DESSIN Paul")
    maelle.sees("sans réponse")
    maelle.checks_the_page("journal-question")
    paul.goes_to("/a-faire/")
    paul.sees("demande pourquoi vous avez ouvert")
    paul.checks_the_page("a-faire-question")
    paul.clicks("Répondre")
    paul.arrives_at("Pourquoi cet accès")
    paul.presses("Répondre")
    paul.checks_the_page("question-erreur")
    paul.fills("Votre réponse", "Appelé pour un renouvellement.")
    paul.presses("Répondre")
    paul.sees("Réponse transmise")
    maelle.goes_to(journal)
    maelle.sees("« Appelé pour un renouvellement. »")
