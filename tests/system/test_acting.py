"""A doctor goes away: a stand-in asked, who accepts and enters; a secretary, where the person agreed. Both widths."""

import pytest

from habilitations import access
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = [pytest.mark.browser, pytest.mark.req("SEC-15")]


@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_stand_in_is_asked_accepts_and_enters(visit, world, phone):
    entry = worlds.circle_of(world)
    other = factories.account(factories.DOCTOR, family_name="RÉSERVÉ", given_name="Anne")
    paul = visit(phone=phone)
    acts.signs_in(paul, world.doctor)
    paul.page.locator("details.account > summary").click()
    paul.clicks("Absences et remplaçants")
    paul.arrives_at("Absences et remplaçants")
    paul.checks_the_page("remplacements-vide")
    paul.clicks("Déclarer une absence")
    paul.arrives_at("Déclarer une absence")
    paul.presses("Déclarer l’absence")
    paul.sees("2 champs à corriger")
    paul.checks_the_page("absence-erreurs")
    paul.fills("Premier jour d’absence", acts.today())
    paul.fills("Dernier jour d’absence", acts.today(9))
    paul.fills("Remplaçant", other.email)
    paul.checks_the_page("absence")
    paul.presses("Déclarer l’absence")
    paul.sees("En attente de sa réponse")
    paul.checks_the_page("remplacements-attente")

    anne = visit(phone=not phone)
    acts.signs_in(anne, other)
    anne.goes_to("/compte/")
    anne.sees("On vous demande un remplacement.")
    anne.clicks("Répondre à ")
    anne.arrives_at("Demande de remplacement")
    anne.checks_the_page("remplacement-demande")
    anne.presses("Accepter")
    anne.sees("vous avez accepté")
    anne.checks_the_page("remplacements-pour")
    anne.goes_to("/dossiers/")
    anne.sees("Remplacement de DESSIN Paul")
    anne.checks_the_page("patients-remplacement")
    anne.goes_to(f"/dossiers/{entry.dossier.pk}/acces/")
    anne.sees("Pour DESSIN Paul")
    anne.checks_the_page("acces-remplacement")

    maelle = visit(phone=phone)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/")
    maelle.sees("remplacé par RÉSERVÉ Anne")
    maelle.checks_the_page("cercle-absent")
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/journal/")
    maelle.sees("pour le compte de")
    maelle.checks_the_page("journal-remplacement")

    paul.goes_to("/compte/remplacements/")
    paul.presses("Mettre fin")
    paul.sees("Aucune absence déclarée.")
    assert access.to_dossier(other, entry.dossier.pk) is None


@pytest.mark.drawn(1)
@pytest.mark.parametrize(
    ("phone", "javascript"), [(False, True), (True, True), (False, False)], ids=["desk", "phone", "without javascript"]
)
def test_a_secretary_enters_once_the_person_agreed(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    desk = factories.account("99", "331", family_name="RÉSERVÉ", given_name="Ana")
    paul, ana = (visit(phone=phone, javascript=javascript) for _ in "12")
    acts.signs_in(paul, world.doctor)
    paul.goes_to("/compte/remplacements/")
    paul.clicks("Confier mon secrétariat")
    paul.arrives_at("Confier mon secrétariat")
    paul.fills("Qui tient votre secrétariat", desk.email)
    paul.chooses("Agenda")
    paul.checks_the_page("secretariat")
    paul.presses("Envoyer la demande")
    paul.sees("En attente de sa réponse")
    acts.signs_in(ana, desk)
    ana.goes_to("/compte/")
    ana.clicks("Répondre à ")
    ana.arrives_at("Demande de secrétariat")
    ana.checks_the_page("secretariat-demande")
    ana.presses("Accepter")
    assert ana.goes_to(f"/dossiers/{entry.dossier.pk}/").status == 404

    sheet = f"/dossiers/{entry.dossier.pk}/cercle/membres/{worlds.member_named(entry, 'DESSIN').pk}/"
    paul.goes_to(sheet)
    paul.sees("Sans accord : n’entre pas")
    paul.checks_the_page("fiche-secretariat")
    paul.clicks("Noter l’accord de la personne")
    paul.fills("Date de l’accord", acts.today())
    paul.selects("Recueil de l’accord", "Dit par la personne")
    paul.checks_the_page("accord")
    paul.presses("Noter l’accord")
    paul.sees("L’accord est noté.")
    paul.checks_the_page("fiche-accord")
    ana.goes_to("/dossiers/")
    ana.sees("Secrétariat de DESSIN Paul")
    assert ana.goes_to(f"/dossiers/{entry.dossier.pk}/").status == 200
    paul.clicks("Noter le retrait de l’accord")
    paul.fills("Date du retrait", acts.today())
    paul.selects("Recueil du retrait", "Dit par la personne")
    paul.checks_the_page("retrait-accord")
    paul.presses("Noter le retrait")
    paul.sees("ce secrétariat n’entre plus")
    assert ana.goes_to(f"/dossiers/{entry.dossier.pk}/").status == 404
