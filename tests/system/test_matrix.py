"""Two administrators and the matrix: written with the keyboard, asked, published; on a phone; without JavaScript."""

import pytest

from habilitations import published
from habilitations.models import MatrixDraft
from habilitations.rubriques import Niveau
from tests.accounts.factories import UserFactory
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
HOME = "/administration/habilitations/"


@pytest.fixture
def second(world):
    return UserFactory(administrator=True, family_name="RÉSERVÉ", given_name="Noé")


@pytest.fixture
def educators(world):
    entry = worlds.circle_of(world)
    for rank in range(3):
        user = factories.account("48", structure=world.ehpad, family_name=f"MODÈLE{rank}", given_name="Éva")
        factories.add(entry, user.attachment.professional, role="PROV", wanted="oui")
    return entry


def cell(visitor, row, column):
    """Return a cell of the grid by its profile and the place of its rubric (1 is the first)."""
    return visitor.page.locator(f"tr[data-row={row}] td").nth(column - 1)


def test_a_change_is_written_with_the_keyboard_asked_and_published_by_another(visit, world, second, educators):
    camille = visit()
    acts.signs_in(camille, world.administrator)
    camille.clicks("Administration")
    camille.arrives_at("Matrice d’habilitation")
    camille.checks_the_page("matrice")
    # One stop for the whole grid; arrows go from cell to cell, letters write.
    cell(camille, "coordinateur_sante", 1).focus()
    for key in ("Control+Home", "ArrowDown", *["ArrowRight"] * 13, *["ArrowDown"] * 4):
        camille.page.keyboard.press(key)
    camille.page.keyboard.press("e")
    camille.sees("1 modification en attente")
    camille.sees("Pharmacien")
    assert cell(camille, "pharmacien", 14).inner_text().startswith("L → É")
    camille.page.keyboard.press("End")
    cell(camille, "educateur", 10).focus()
    camille.page.keyboard.press("a")
    camille.sees("2 modifications en attente")
    camille.sees("3 personnes perdent")
    camille.checks_the_page("matrice-brouillon")
    camille.page.get_by_label("Lignes modifiées seulement").check()
    assert camille.page.locator("tbody tr:visible").count() == 2
    camille.page.get_by_label("Lignes modifiées seulement").uncheck()
    camille.fills("Filtrer les profils", "educ")
    assert camille.page.locator(".matrix tbody tr:visible").count() == 3
    camille.fills("Filtrer les profils", "")
    camille.presses("Rétablir Pharmacien")
    camille.sees("1 modification en attente")
    assert cell(camille, "pharmacien", 14).get_attribute("class") == "m-lecture"
    camille.clicks("Voir les personnes et les dossiers")
    camille.arrives_at("Effet de la publication")
    camille.sees("MODÈLE0 Éva")
    camille.checks_the_page("matrice-effet")
    camille.page.go_back()
    camille.presses("Demander la publication")
    camille.sees("1 champ à corriger")
    camille.checks_the_page("matrice-erreur")
    camille.fills("Motif de la modification", "Avis du comité éthique du 18/11")
    camille.presses("Demander la publication")
    camille.sees("La publication est demandée.")
    camille.checks_the_page("matrice-demandee")
    assert camille.page.get_by_role("button", name="Publier", exact=True).count() == 0
    assert published.current().level("educateur", "social") == Niveau.LECTURE

    noe = visit(phone=True)
    acts.signs_in(noe, second)
    noe.goes_to(HOME)
    noe.sees("Avis du comité éthique du 18/11")
    noe.checks_the_page("matrice-a-publier")
    noe.presses("Publier")
    noe.sees("La nouvelle version est en vigueur.")
    assert published.current().level("educateur", "social") == Niveau.AUCUN


def test_rows_and_columns_are_filled_and_the_pointer_is_enough(visit, world):
    camille = visit()
    acts.signs_in(camille, world.administrator)
    camille.goes_to(f"{HOME}actions/")
    camille.arrives_at("Droits d’action")
    camille.checks_the_page("actions")
    cell(camille, "benevole", 1).click()
    camille.presses("tous les membres")
    camille.sees("1 modification en attente")
    camille.presses("Remplir la ligne")
    camille.sees("9 modifications en attente")
    camille.checks_the_page("actions-brouillon")


def test_the_second_is_told_and_keeps_what_he_wrote(visit, world, second):
    camille, noe = visit(), visit()
    acts.signs_in(camille, world.administrator)
    acts.signs_in(noe, second)
    camille.goes_to(HOME)
    noe.goes_to(HOME)
    cell(camille, "educateur", 10).focus()
    camille.page.keyboard.press("a")
    camille.sees("1 modification en attente")
    cell(noe, "educateur", 10).focus()
    noe.page.keyboard.press("e")
    noe.sees("GESTION Camille a modifié ce brouillon pendant votre saisie.")
    noe.checks_the_page("matrice-conflit")
    noe.presses("Enregistrer ma saisie")
    noe.sees("Le brouillon est enregistré.")
    assert cell(noe, "educateur", 10).inner_text().startswith("L → É")
    cell(camille, "pharmacien", 14).focus()
    camille.page.keyboard.press("e")
    camille.sees("RÉSERVÉ Noé a aussi modifié : Éducateur, Volet social")
    assert cell(camille, "educateur", 10).inner_text().startswith("L → É")


def test_one_profile_at_a_time_on_a_phone(visit, world):
    camille = visit(phone=True)
    acts.signs_in(camille, world.administrator)
    camille.goes_to(HOME)
    camille.checks_the_page("matrice-telephone")
    camille.clicks("Éducateur")
    camille.arrives_at("Éducateur")
    camille.checks_the_page("profil")
    camille.selects("Volet social", "aucun accès")
    camille.presses("Enregistrer dans le brouillon")
    camille.sees("Le brouillon est enregistré.")
    camille.sees("En vigueur : lire")
    camille.checks_the_page("profil-brouillon")
    camille.clicks("Modifications en attente")
    camille.sees("1 modification en attente")


def test_everything_is_done_without_javascript(visit, world, second):
    camille, noe = visit(javascript=False), visit(javascript=False)
    acts.signs_in(camille, world.administrator)
    camille.goes_to(HOME)
    camille.clicks("Volet social")
    camille.arrives_at("Volet social")
    camille.selects("Éducateur", "lire et écrire")
    camille.presses("Enregistrer dans le brouillon")
    camille.clicks("Modifications en attente")
    camille.fills("Motif de la modification", "Comité")
    camille.presses("Demander la publication")
    camille.sees("La publication est demandée.")
    acts.signs_in(noe, second)
    noe.goes_to(HOME)
    noe.fills("Motif du refus", "À revoir")
    noe.presses("Refuser la publication")
    noe.sees("La publication est refusée")
    camille.goes_to(HOME)
    camille.sees("À revoir")
    camille.clicks("Tout annuler")
    camille.presses("Abandonner le brouillon")
    camille.sees("Aucune modification en attente.")
    assert not MatrixDraft.objects.open().exists()


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_versions_professions_and_profiles_are_looked_at(visit, world, phone):
    factories.account("ZZ9", family_name="TRACÉ")
    camille = visit(phone=phone)
    acts.signs_in(camille, world.administrator)
    for path, heading, name in (
        ("versions/", "Versions", "versions"),
        ("versions/comparer/", "Comparer deux versions", "comparer"),
        ("versions/importer/", "Importer un fichier", "importer"),
        ("versions/rejouer/?version=1&profil=medecin&rubrique=plan", "Rejouer une décision", "rejouer"),
        ("professions/", "Professions", "professions"),
        ("professions/ligne/?profession=60", "Profil d’une profession", "profession"),
        ("voir/?profil=aide_domicile", "Voir comme un profil", "voir"),
        ("colonnes/niveau/plan/", "Plan personnalisé", "colonne"),
        ("brouillon/effet/", "Effet de la publication", "effet-vide"),
    ):
        camille.goes_to(HOME + path)
        camille.arrives_at(heading)
        camille.checks_the_page(f"matrice-{name}")
    camille.goes_to(HOME + "versions/importer/")
    camille.page.get_by_label("Fichier CSV ou XLSX").set_input_files(
        {"name": "m.csv", "mimeType": "text/csv", "buffer": b"profil;plan\nmagicien;lecture"}
    )
    camille.presses("Importer dans le brouillon")
    camille.sees("Case A2 : Le profil « magicien » n’existe pas.")
    camille.checks_the_page("matrice-import-refuse")
