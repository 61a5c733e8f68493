"""An administrator names a profile and a rubric, withdraws one and brings it back: desk, phone, without JavaScript."""

import pytest

from habilitations import actions, published
from habilitations.differences import LEVEL, Edit, Key
from habilitations.models import CatalogProfile
from tests.accounts.factories import UserFactory
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
CASES = [(False, True), (True, True), (False, False)]
IDS = ["desk", "phone", "without-javascript"]


def opens(visitor, tab, heading):
    visitor.goes_to("/administration/habilitations/")
    if visitor.phone:
        visitor.page.get_by_text("Pages d’administration").click()
    visitor.page.get_by_role("navigation", name="Administration").get_by_role("link", name=tab, exact=True).click()
    visitor.arrives_at(heading)


@pytest.mark.drawn(1)
@pytest.mark.parametrize(("phone", "javascript"), CASES, ids=IDS)
def test_a_profile_is_made_renamed_and_closed(visit, world, phone, javascript):
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    opens(camille, "Profils", "Profils")
    shown("profils")
    camille.clicks("Ajouter un profil")
    camille.arrives_at("Nouveau profil")
    camille.presses("Enregistrer")
    camille.sees("1 champ à corriger")
    shown("profil-erreur")
    camille.fills("Nom", "Ergothérapeute conseil")
    camille.fills("Qui il réunit", "ergothérapeutes")
    camille.presses("Enregistrer")
    camille.sees("Le profil « Ergothérapeute conseil » est créé.")
    assert CatalogProfile.objects.get(code="ergotherapeute_conseil").created_by == world.administrator
    camille.clicks("Modifier Ergothérapeute conseil")
    camille.arrives_at("Profil Ergothérapeute conseil")
    shown("profil")
    camille.fills("Nom", "Ergothérapeute")
    camille.presses("Enregistrer")
    camille.sees("Le profil est à jour.")
    camille.clicks("Modifier Médecin", exact=True)
    camille.clicks("Fermer ce profil")
    camille.arrives_at("Fermer un profil")
    shown("profil-fermer")
    camille.presses("Fermer le profil")
    camille.sees("mènent à ce profil dans la version en vigueur")
    camille.clicks("Modifier Ergothérapeute", exact=True)
    camille.clicks("Fermer ce profil")
    camille.presses("Fermer le profil")
    camille.sees("Le profil « Ergothérapeute » est fermé.")
    shown("profils-ferme")
    camille.clicks("Modifier Ergothérapeute", exact=True)
    camille.sees("Dernières modifications")
    camille.presses("Rouvrir ce profil")
    camille.sees("est rouvert")


@pytest.mark.drawn(1)
@pytest.mark.parametrize(("phone", "javascript"), CASES, ids=IDS)
def test_a_rubric_is_made_opened_by_a_version_withdrawn_and_back(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    camille = visit(phone=phone, javascript=javascript)
    shown = lambda name: camille.checks_the_page(name, axe=javascript)  # noqa: E731
    acts.signs_in(camille, world.administrator)
    opens(camille, "Liste des rubriques", "Liste des rubriques")
    shown("rubriques")
    camille.clicks("Ajouter une rubrique")
    camille.arrives_at("Nouvelle rubrique")
    shown("rubrique-nouvelle")
    camille.fills("Nom", "Activité physique")
    camille.fills("Description", "Sport adapté, marche, gymnastique.")
    camille.selects("Groupe", "Accompagnement")
    camille.selects("Icône", "Courbe")
    camille.presses("Enregistrer")
    camille.sees("La rubrique « Activité physique » est créée.")
    camille.clicks("Modifier Activité physique")
    camille.arrives_at("Rubrique Activité physique")
    shown("rubrique")

    maelle = visit(phone=phone, javascript=javascript)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    maelle.sees("sur 17")
    second = UserFactory(administrator=True)
    profile = world_profile(world)
    draft = actions.edit_draft([Edit(Key(LEVEL, profile, "activite_physique"), "lecture")], by=second).draft
    draft.refresh_from_db()
    actions.request_publication(draft, reason="Essai", revision=draft.revision, by=second)
    draft.refresh_from_db()
    actions.publish_draft(draft, revision=draft.revision, by=world.administrator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    maelle.sees("Sport adapté, marche, gymnastique.")
    maelle.checks_the_page("acces-rubrique-nouvelle", axe=javascript)
    if phone:
        assert maelle.page.locator("main summary").first.bounding_box()["height"] >= 44

    opens(camille, "Liste des rubriques", "Liste des rubriques")
    camille.clicks("Modifier Activité physique")
    camille.clicks("Retirer de l’usage")
    camille.arrives_at("Retirer une rubrique")
    shown("rubrique-retirer")
    camille.presses("Retirer la rubrique")
    camille.sees("Ses données sont gardées.")
    shown("rubriques-retiree")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    maelle.sees("sur 16")
    maelle.does_not_see("Activité physique")
    camille.clicks("Remettre en usage : Activité physique")
    camille.arrives_at("Remettre une rubrique en usage")
    shown("rubrique-remettre")
    camille.presses("Remettre en usage")
    camille.sees("est de nouveau en usage")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    maelle.sees("Activité physique")


def world_profile(world):
    from habilitations.access import profile_of

    return profile_of(world.coordinator)


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_the_matrix_is_readable_in_the_dark(visit, world, phone):
    world.administrator.theme = "dark"
    world.administrator.save(update_fields=["theme"])
    actions.edit_draft([Edit(Key(LEVEL, "educateur", "social"), "")], by=world.administrator)
    camille = visit(phone=phone)
    acts.signs_in(camille, world.administrator)
    for path in ("", "actions/", "professions/", "profils/educateur/", "versions/", "catalogue/profils/",
                 "catalogue/rubriques/", "voir/"):  # fmt: skip
        camille.goes_to(f"/administration/habilitations/{path}")
        camille.checks_the_page(f"sombre-{path.replace('/', '-') or 'matrice'}")
    assert published.current().number


def test_every_screen_of_administration_is_in_the_menu_of_a_phone(visit, world):
    camille = visit(phone=True)
    acts.signs_in(camille, world.administrator)
    # A page with nothing behind the menu: what it covers is no target.
    camille.goes_to("/a-faire/")
    camille.page.get_by_label("Menu principal").click()
    menu = camille.page.get_by_role("navigation", name="Principale, menu")
    camille.checks_the_page("menu-administration")
    menu.get_by_role("link", name="Comptes", exact=True).click()
    camille.arrives_at("Comptes")
    link = camille.page.locator(".table-rows th a").first.bounding_box()
    assert link["height"] >= 44
