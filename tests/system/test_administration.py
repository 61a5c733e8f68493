"""An administrator allows a structure, names its delegate, makes a role unique, looks after accounts."""

import pytest

from habilitations.access import may_administer, to_dossier
from habilitations.officers import may_search_journals
from tests.accounts.factories import UserFactory
from tests.dossiers.factories import habilitation
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


def opens(visitor, tab, heading):
    if visitor.phone:
        visitor.goes_to("/administration/habilitations/")
        visitor.page.get_by_text("Pages d’administration").click()
    else:
        visitor.clicks("Administration")
    visitor.arrives_at("Matrice d’habilitation")
    visitor.page.get_by_role("navigation", name="Administration").get_by_role("link", name=tab).click()
    visitor.arrives_at(heading)


@pytest.mark.drawn(1)
@pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without-javascript"]
)
def test_a_structure_is_allowed_and_its_delegate_named_then_ended(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    habilitation(entry.dossier, "oui", structure=world.ehpad, state_by=world.coordinator)
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    camille.goes_to("/administration/structures/")
    camille.arrives_at("Structures personnes morales")
    shown("admin-structures-vide")
    camille.clicks("Autoriser une structure")
    camille.arrives_at("Autoriser une structure")
    shown("admin-structure-chercher")
    camille.picks("Quelle structure de l’annuaire ?", "maquettes", worlds.EHPAD)
    if not javascript:
        camille.presses("Rechercher")
        camille.presses("Autoriser cette structure")
    camille.arrives_at(worlds.EHPAD)
    camille.fills("Nom et prénom exacts, ou adresse e-mail", "Lointain")
    camille.presses("Chercher", inside=camille.page.locator("main"))
    camille.sees("Aucun compte ouvert, de profession confirmée")
    shown("admin-delegue-inconnu")
    camille.fills("Nom et prénom exacts, ou adresse e-mail", "Lointain Odile")
    camille.presses("Chercher", inside=camille.page.locator("main"))
    camille.sees(world.outsider.email)
    shown("admin-delegue-trouve")
    camille.presses("Nommer LOINTAIN Odile")
    camille.sees("LOINTAIN Odile agit pour cette structure")
    assert to_dossier(world.outsider, entry.dossier.pk) is not None
    shown("admin-structure")
    camille.presses("Terminer la délégation de LOINTAIN Odile")
    camille.sees("n’agit plus pour cette structure")
    assert to_dossier(world.outsider, entry.dossier.pk) is None
    camille.clicks("Fermer la structure")
    camille.arrives_at(f"Fermer {worlds.EHPAD}")
    shown("admin-structure-fermer")
    camille.presses("Fermer la structure")
    camille.sees("Autoriser de nouveau")
    camille.goes_to("/administration/structures/")
    camille.sees("Fermée")
    shown("admin-structures")
    camille.does_not_see(entry.dossier.birth_name)


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_roles_and_officers(visit, world, phone):
    camille = visit(phone=phone)
    acts.signs_in(camille, world.administrator)
    opens(camille, "Rôles uniques", "Rôles uniques")
    camille.presses("Rendre unique : Personne de confiance")
    camille.sees("Personne de confiance : tenu par un seul membre à la fois")
    camille.checks_the_page("admin-roles")
    opens(camille, "Protection des données", "Délégués à la protection des données")
    camille.checks_the_page("admin-dpo-vide")
    camille.fills("Nom et prénom exacts, ou adresse e-mail", world.outsider.email)
    camille.presses("Chercher", inside=camille.page.locator("main"))
    camille.presses("Nommer LOINTAIN Odile")
    camille.sees("cherche dans les journaux, sans ouvrir de dossier")
    camille.checks_the_page("admin-dpo")
    assert may_search_journals(world.outsider)
    camille.presses("Terminer la désignation de LOINTAIN Odile")
    camille.sees("ne cherche plus dans les journaux")
    assert not may_search_journals(world.outsider)
    camille.checks_the_page("admin-dpo-termine")


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_accounts(visit, world, phone):
    UserFactory(suspended=True, family_name="CROQUIS", given_name="Yann")
    camille = visit(phone=phone)
    acts.signs_in(camille, world.administrator)
    opens(camille, "Comptes", "Comptes")
    camille.sees("CROQUIS Yann")
    camille.checks_the_page("admin-comptes")
    camille.fills("Nom, prénom ou début de l’adresse e-mail", "attendu")
    camille.page.keyboard.press("Enter")
    camille.page.get_by_text("CROQUIS Yann").wait_for(state="detached")
    camille.clicks("ATTENDU Luc")
    camille.arrives_at("ATTENDU Luc")
    camille.checks_the_page("admin-compte")
    camille.clicks("Confirmer la profession")
    camille.arrives_at("Confirmer la profession : ATTENDU Luc")
    camille.checks_the_page("admin-compte-profession")
    camille.presses("Confirmer", inside=camille.page.locator("main"))
    camille.sees("La profession de ATTENDU Luc est confirmée.")
    camille.clicks("Nommer administrateur")
    camille.presses("Nommer administrateur")
    camille.sees("1 champ à corriger")
    camille.checks_the_page("admin-compte-acte-erreur")
    camille.fills("Motif", "Remplacement de Camille")
    camille.presses("Nommer administrateur")
    camille.sees("ATTENDU Luc est administrateur.")
    world.nobody_yet.refresh_from_db()
    assert may_administer(world.nobody_yet)
    camille.clicks("Suspendre le compte")
    camille.fills("Motif", "Fin de mission")
    camille.checks_the_page("admin-compte-suspendre")
    camille.presses("Suspendre le compte")
    camille.sees("Le compte de ATTENDU Luc est suspendu.")
    camille.checks_the_page("admin-compte-suspendu")
