"""The acts of the main job, as somebody does them on a screen: used by several stories."""

import datetime as dt
import re

from django.conf import settings
from django.test import Client
from django.utils import timezone

from coordination.common.ins import nir_key
from tests.accounts.factories import PASSWORD

MATRICULE13 = "2410381060017"
MATRICULE = MATRICULE13 + nir_key(MATRICULE13)
# What must never appear outside the pages themselves.
PERSON = ("PERSONNAGE", "Célestine", "Aurore", "VRAISEMBLABLE", MATRICULE, MATRICULE13, "0639987654", "+33639987654")
MET = ("TESTARD", "PROTOTYPE", "SPÉCIMEN", "RÉPLIQUE", "Gaëlle")
SEARCHES = ("tes carmaux", "pro carmaux", "maquettes")


def today(days=0):
    return f"{timezone.localdate() + dt.timedelta(days=days):%d/%m/%Y}"


def signs_in_by_password(visitor, user):
    visitor.signs_in(user.email, PASSWORD)


def signs_in(visitor, user):
    """Arrive signed in. The page where one does it is gone through by test_main_job.py and test_sessions.py."""
    client = Client()
    client.force_login(user)
    visitor.receives_cookie(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
    visitor.goes_to("/")


def creates_a_dossier(visitor, checked=lambda name: None):
    visitor.goes_to("/dossiers/")
    checked("patients-vide")
    visitor.clicks("Créer un dossier")
    visitor.arrives_at("Créer un dossier")
    visitor.fills("Nom de naissance", "Personnage")
    visitor.fills("Prénoms de naissance", "Célestine Aurore")
    visitor.fills("Nom utilisé", "Vraisemblable")
    visitor.fills("Date de naissance", "14/03/1941")
    visitor.selects("Sexe", "Féminin")
    visitor.picks("Lieu de naissance", "carmaux", "Carmaux")
    visitor.fills("Matricule INS", MATRICULE)
    visitor.selects("Nature du matricule", "NIR de test")
    visitor.fills("Numéro de mobile", "06 39 98 76 54")
    visitor.fills("Adresse", "4 chemin de l’Exemple")
    visitor.fills("Code postal", "81400")
    visitor.picks("Ville", "Carmaux", "Carmaux")
    visitor.selects("Motif", "Maintien à domicile")
    checked("creer-dossier")
    visitor.presses("Créer le dossier")
    visitor.sees("Le dossier est ouvert.")
    visitor.arrives_at("Accueil du dossier")
    return re.search(r"/dossiers/([0-9a-f-]{36})/", visitor.page.url)[1]


def opens_the_circle(visitor, dossier_id):
    visitor.goes_to(f"/dossiers/{dossier_id}/cercle/")
    visitor.arrives_at("Cercle de soins")


def searches_the_directory(visitor, text, option, checked=lambda name: None):
    """Look somebody up in the one search box and take them."""
    visitor.clicks("Ajouter un professionnel ou un aidant")
    visitor.arrives_at("Ajouter un professionnel ou un aidant")
    visitor.fills("Qui voulez-vous ajouter ?", text)
    if not visitor.javascript:
        visitor.presses("Rechercher")
        checked("recherche")
        visitor.page.get_by_role("listitem").filter(has_text=option).get_by_role("link").first.click()
    else:
        found = visitor.page.get_by_role("option").filter(has_text=option).first
        found.wait_for()
        checked("recherche")
        found.tap() if visitor.phone else found.click()
    visitor.arrives_at(re.compile("^Ajouter : "))


def adds_her_doctor(visitor, checked=lambda name: None):
    """A médecin traitant found with three letters and a town."""
    searches_the_directory(visitor, "tes carmaux", "TESTARD", checked)
    visitor.chooses("Médecin traitant")
    visitor.chooses("Habilitation : oui")
    visitor.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    checked("role-et-acces")
    visitor.presses("Ajouter et habiliter" if visitor.javascript else "Ajouter")
    visitor.sees("TESTARD Paul a été ajouté au cercle de soins.")


def adds_a_nurse_by_hand(visitor, name=("Réplique", "Gaëlle"), phone="05 36 49 10 99"):
    visitor.fills("Nom", name[0])
    visitor.fills("Prénom", name[1])
    visitor.selects("Profession", "Infirmier")
    visitor.fills("Numéro de téléphone fixe", phone)
    visitor.fills("Numéro de mobile", "")
    visitor.field("Rôle").select_option("PROV")


def opens_the_acts_of(visitor, name):
    """The menu of the row on a large screen; the member's sheet on a phone, and without JavaScript."""
    if visitor.phone:
        visitor.clicks(name)
        visitor.arrives_at(name)
        return
    visitor.page.get_by_label(f"Autres actions pour {name}").click()
    if not visitor.javascript:
        visitor.arrives_at(name)


def opens_more(visitor):
    """What the toolbar of the circle keeps under three dots."""
    visitor.page.get_by_label("Historique, consentements et liste du cercle").click()


def records_a_refusal(visitor, checked=lambda name: None):
    visitor.chooses("Refus du patient au partage d’information")
    visitor.fills("Date du refus", today())
    visitor.selects("Recueil du refus", "Dit par la personne")
    checked("refus")
