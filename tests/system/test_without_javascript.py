"""The core acts where no script runs: forms, links and pages are enough."""

import re

import pytest

from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


def test_the_core_acts_without_javascript(visit, world):
    maelle = visit(javascript=False)
    acts.signs_in(maelle, world.coordinator)
    dossier = when_she_opens_a_dossier(maelle)
    when_she_adds_a_doctor_from_the_directory(maelle, dossier)
    when_she_adds_a_nurse_by_hand(maelle)
    when_she_adds_a_structure(maelle)
    when_she_records_a_refusal(maelle)
    when_she_removes_a_member(maelle, dossier)
    then_the_history_undoes_it(maelle, dossier)


def when_she_opens_a_dossier(maelle):
    """Towns are resolved by the server, from what was typed."""
    dossier = acts.creates_a_dossier(maelle, maelle.checks_the_page)
    maelle.goes_to(f"/dossiers/{dossier}/identite/")
    maelle.sees("Carmaux")
    acts.opens_the_circle(maelle, dossier)
    return dossier


def when_she_adds_a_doctor_from_the_directory(maelle, dossier):
    acts.searches_the_directory(maelle, "tes carmaux", "TESTARD", maelle.checks_the_page)
    maelle.chooses("Médecin traitant")
    # Every part of the form is on the page; what belongs to another answer is not asked.
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.checks_the_page("sans-script-role")
    maelle.page.locator("#envoyer").click()
    maelle.sees("TESTARD Paul a été ajouté au cercle de soins.")
    maelle.sees("Accès en attente")


def when_she_adds_a_nurse_by_hand(maelle):
    maelle.clicks("Ajouter un professionnel ou un aidant")
    maelle.clicks("Manuellement")
    # A namesake of the directory is pointed out when the form is sent.
    acts.adds_a_nurse_by_hand(maelle, ("Spécimen", "Inès"))
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.sees("Est-ce la même personne ?")
    maelle.checks_the_page("sans-script-ressemblance")
    maelle.fills("Pourquoi s’agit-il de quelqu’un d’autre ?", "Elle vient de s’installer")
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.sees("SPÉCIMEN Inès fait maintenant partie du cercle de soins.")


def when_she_adds_a_structure(maelle):
    maelle.clicks("Ajouter ou habiliter une structure")
    maelle.fills("Nom, sigle ou n° FINESS", "maquettes")
    maelle.presses("Rechercher")
    maelle.clicks("Choisir cette structure")
    maelle.page.get_by_label("Habilitation : non").check()
    maelle.presses("Ajouter")
    maelle.sees(worlds.EHPAD)


def when_she_records_a_refusal(maelle):
    acts.opens_the_acts_of(maelle, "TESTARD Paul")
    maelle.clicks("Noter un refus")
    acts.records_a_refusal(maelle)
    maelle.presses("Enregistrer le refus")
    maelle.sees("Refus noté, accès fermé.")


def when_she_removes_a_member(maelle, dossier):
    acts.opens_the_circle(maelle, dossier)
    maelle.clicks("SPÉCIMEN Inès")
    maelle.clicks("Retirer du cercle")
    maelle.selects("Motif", "Ajouté par erreur")
    maelle.presses("Retirer du cercle")
    maelle.arrives_at("Cercle de soins")
    maelle.checks_the_page("sans-script-retire")


def then_the_history_undoes_it(maelle, dossier):
    """The toast may be gone: those who left are on the list, and their sheet and history give them back."""
    acts.opens_the_circle(maelle, dossier)
    maelle.selects("Afficher", "Partis")
    maelle.presses("Appliquer")
    maelle.clicks("SPÉCIMEN Inès")
    maelle.clicks("Historique")
    maelle.arrives_at(re.compile("^Historique : SPÉCIMEN Inès"))
    maelle.presses("Annuler le retrait")
    maelle.sees("SPÉCIMEN Inès fait à nouveau partie du cercle de soins.")
