"""A coordinator invites from her desk, the person invited answers on a phone: two browsers, axe on every page."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.utils import timezone

from circle import actions, links
from circle.models import Invitation
from coordination.directory.models import Professional
from habilitations.models import Habilitation
from tests.accounts.factories import PASSWORD
from tests.circle import factories
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser
ADDRESS = "i.specimen@cabinet.example"


def link_received(address=ADDRESS):
    """Return the path of the link in the last letter that arrived at an address."""
    letters = [letter for letter in mail.outbox if letter.to == [address] and "/repondre/" in letter.body]
    return urlsplit(re.search(r"(http\S+/repondre/\S+)", letters[-1].body)[1]).path


def test_an_invitation_leads_to_the_dossier_in_two_browsers(visit, world, settings):
    """Link, key, codes, dossier: the second factor included, three pages and six fields."""
    settings.MFA_REQUIRED = False
    Professional.objects.filter(family_name="SPÉCIMEN").update(email=ADDRESS)
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    acts.searches_the_directory(maelle, "spe carmaux", "SPÉCIMEN")
    maelle.chooses("Infirmière")
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.sees("Voir l’e-mail qui partira")
    assert maelle.field("E-mail professionnel").input_value() == ADDRESS
    maelle.page.get_by_text("Voir l’e-mail qui partira").click()
    maelle.fills("Message personnel", "Merci de votre réponse")
    maelle.page.locator("#apercu-lettre").get_by_text("Merci de votre réponse").wait_for()
    maelle.page.get_by_role("button", name="Ajouter, habiliter et inviter").wait_for()
    maelle.checks_the_page("inviter-formulaire")
    maelle.presses("Ajouter, habiliter et inviter")
    maelle.sees("Invitation envoyée.")
    maelle.goes_to("/invitations/")
    maelle.arrives_at("Invitations")
    maelle.sees("Envoyée le")
    maelle.checks_the_page("invitations")

    settings.MFA_REQUIRED = True
    ines = visit(phone=True)
    authenticator = ines.page.context.new_cdp_session(ines.page)
    authenticator.send("WebAuthn.enable")
    authenticator.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
                "isUserVerified": True, "automaticPresenceSimulation": True,
            }
        },
    )  # fmt: skip
    ines.goes_to(link_received())
    ines.arrives_at("Invitation à rejoindre un cercle de soins")
    ines.sees("EXEMPLE-LARRIEU Maëlle")
    ines.does_not_see("EXEMPLE" + entry.dossier.birth_name[7:])
    assert Invitation.objects.get().opened_at is None
    ines.checks_the_page("invitation")
    ines.fills("Mot de passe", "court")
    ines.presses("Accepter et créer mon compte")
    ines.page.get_by_role("alert").wait_for()
    ines.checks_the_page("invitation-erreurs")
    ines.fills("Mot de passe", PASSWORD)
    ines.fills("Le même, une seconde fois", PASSWORD)
    ines.presses("Accepter et créer mon compte")
    ines.arrives_at("Ajouter une clé d’accès")
    ines.checks_the_page("invitation-cle")
    ines.presses("Ajouter la clé d’accès")
    ines.arrives_at("Codes de secours")
    ines.clicks("J’ai noté mes codes")
    ines.arrives_at("Accueil du dossier")
    assert f"/dossiers/{entry.dossier.pk}/" in ines.page.url

    settings.MFA_REQUIRED = False
    maelle.goes_to("/invitations/?etat=acceptees")
    maelle.sees("Acceptée")


def test_somebody_typed_by_hand_waits_for_a_confirmation(visit, world):
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/professionnel/")
    acts.adds_a_nurse_by_hand(maelle)
    maelle.fills("Email", ADDRESS)
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.checks_the_page("inviter-a-la-main")
    maelle.presses("Ajouter, habiliter et inviter")
    maelle.sees("Invitation envoyée.")

    gaelle = visit(phone=True)
    gaelle.goes_to(link_received())
    with gaelle.page.expect_response("**/ouverte/"):
        gaelle.page.mouse.move(100, 200)
        gaelle.page.mouse.move(120, 220)
    gaelle.fills("Mot de passe", PASSWORD)
    gaelle.fills("Le même, une seconde fois", PASSWORD)
    assert Invitation.objects.get().opened_at is not None
    gaelle.presses("Accepter et créer mon compte")
    gaelle.arrives_at("Votre accès attend une confirmation")
    gaelle.checks_the_page("invitation-attente")

    maelle.goes_to("/invitations/")
    maelle.sees("À confirmer")
    maelle.checks_the_page("invitations-a-confirmer")
    maelle.page.get_by_role("link", name=re.compile("^Confirmer")).first.click()
    maelle.sees("Ce que cette personne verra")
    maelle.checks_the_page("invitation-confirmer")
    maelle.presses("Confirmer cette personne")
    maelle.sees("C’est confirmé")
    gaelle.goes_to(f"/dossiers/{entry.dossier.pk}/")
    gaelle.arrives_at("Accueil du dossier")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_a_copied_link_refuses_nothing_and_another_account_may_be_used(visit, world, javascript):
    entry = worlds.circle_of(world)
    factories.add(entry, wanted="oui", invitation={"email": ADDRESS, "message": ""})
    copied = urlsplit(links.address_of(Invitation.objects.get(), links.COPIED)).path
    ines = visit(phone=True, javascript=javascript)
    ines.goes_to(copied)
    ines.clicks("Refuser l’invitation")
    ines.sees("Recevoir le lien par e-mail")
    ines.checks_the_page("invitation-refuser-lien-copie")
    acts.signs_in(ines, world.coordinator)
    ines.goes_to(copied)
    ines.sees("Vous acceptez avec le compte ouvert sur cet appareil")
    ines.checks_the_page("invitation-autre-compte")
    ines.presses("Utiliser un autre compte")
    ines.sees("Me connecter pour accepter")


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
def test_an_invitation_is_refused_or_has_expired_on_a_phone(visit, world, javascript):
    entry = worlds.circle_of(world)
    member = factories.add(entry, wanted="oui", invitation={"email": ADDRESS, "message": "Bonjour"})
    ines = visit(phone=True, javascript=javascript)
    ines.goes_to(link_received())
    ines.clicks("Refuser l’invitation")
    ines.arrives_at("Refuser l’invitation")
    ines.checks_the_page("invitation-refuser")
    ines.fills("Motif", "Je pars à la retraite")
    ines.presses("Refuser l’invitation")
    ines.arrives_at("Invitation refusée")
    ines.checks_the_page("invitation-refusee")
    ines.goes_to(link_received())
    ines.arrives_at("Cette invitation ne sert plus")
    ines.sees("adressez-vous à la personne")
    ines.checks_the_page("invitation-fermee")
    assert Habilitation.objects.get(members=member).state == "non"

    late = "a.retard@cabinet.example"
    factories.add(entry, wanted="oui", invitation={"email": late, "message": ""})
    past = timezone.now() - dt.timedelta(days=20)
    Invitation.objects.filter(email=late).update(sent_at=past, expires_at=past + dt.timedelta(days=14))
    ines.goes_to(link_received(late))
    ines.arrives_at("Cette invitation ne sert plus")
    ines.checks_the_page("invitation-expiree")
    ines.presses("Recevoir un nouveau lien")
    ines.arrives_at("Votre demande est transmise")
    ines.checks_the_page("invitation-demandee")


def test_colleagues_are_invited_without_a_dossier(visit, world):
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.page.locator("details.account > summary").click()
    maelle.clicks("Invitations")
    maelle.arrives_at("Invitations")
    maelle.checks_the_page("invitations-vide")
    maelle.clicks("Inviter un confrère")
    maelle.fills("Nom", "Modèle")
    maelle.fills("Prénom", "Karim")
    maelle.selects("Profession", "Infirmier")
    maelle.fills("E-mail professionnel", ADDRESS)
    maelle.fills("Message personnel", "Au plaisir")
    maelle.page.locator("#apercu-lettre").get_by_text("Au plaisir").wait_for()
    maelle.checks_the_page("inviter-confrere")
    maelle.presses("Envoyer l’invitation")
    maelle.sees("L’invitation part")
    maelle.clicks("Coller plusieurs adresses")
    maelle.fills("Une personne par ligne", "a@cabinet.example;Calque;Nina;Infirmier\nrien")
    maelle.checks_the_page("inviter-plusieurs")
    maelle.presses("Envoyer les invitations")
    maelle.sees("1 ligne à corriger")
    maelle.checks_the_page("inviter-plusieurs-erreurs")
    maelle.goes_to("/invitations/")
    maelle.presses("Copier le lien")
    maelle.arrives_at("Lien d’invitation")
    maelle.checks_the_page("invitation-lien")
    copied = urlsplit(maelle.page.locator("#lien").input_value()).path

    karim = visit(phone=True)
    karim.goes_to(copied)
    karim.checks_the_page("invitation-copiee")
    karim.presses("Accepter avec un lien reçu par e-mail")
    karim.arrives_at("Un e-mail part à l’adresse invitée")
    karim.checks_the_page("invitation-par-courriel")

    actions.remind_due()
    maelle.goes_to("/invitations/")
    maelle.page.get_by_role("link", name=re.compile("^Renvoyer")).first.click()
    maelle.arrives_at("Renvoyer l’invitation")
    maelle.checks_the_page("invitation-renvoyer")
    maelle.presses("Renvoyer l’invitation")
    maelle.sees("Un nouveau lien part.")


def test_the_sheet_and_the_list_hold_on_a_phone(visit, world):
    """A long MSSanté address wraps, and every act of an invitation stays within reach."""
    entry = worlds.circle_of(world)
    person = factories.listed(
        family_name="ECHANTILLON", given_name="Marie-Guillemette",
        mss_address="marie-guillemette.echantillon-exemplaire@medecin.mssante.exemple-fictif.example",
    )  # fmt: skip
    address = "marie-guillemette.echantillon-exemplaire@maison-de-sante-du-segala.example"
    member = factories.add(entry, person, wanted="oui", invitation={"email": address, "message": ""})
    maelle = visit(phone=True)
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/membres/{member.pk}/")
    maelle.sees("Renvoyer")
    assert maelle.page.get_by_text("Inviter par e-mail").count() == 0
    maelle.checks_the_page("fiche-invitee")
    assert maelle.page.evaluate("document.documentElement.scrollWidth") <= maelle.page.viewport_size["width"]
    maelle.goes_to("/invitations/")
    maelle.sees("Renvoyer")
    maelle.checks_the_page("invitations-telephone")
    right = "[...document.querySelectorAll('.segmented a, .row-side .btn')].map(e => e.getBoundingClientRect().right)"
    assert max(maelle.page.evaluate(right)) <= maelle.page.viewport_size["width"]
