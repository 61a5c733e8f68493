"""A coordinator invites from her desk, the person invited answers on a phone: two browsers, axe on every page."""

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.core import mail
from django.utils import timezone

from circle import actions, links
from circle.models import Invitation
from circle.views import gathering
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


PER_KEY = 200


@pytest.mark.timeout(420)
@pytest.mark.slow
@pytest.mark.req("SEC-22")
def test_an_invitation_leads_to_the_dossier_in_two_browsers(visit, world, settings):
    """Link, key, codes, dossier: the second factor included, three pages and six fields at most, keys at 200 ms."""
    settings.MFA_REQUIRED = False
    Professional.objects.filter(family_name="SPÉCIMEN").update(email=ADDRESS)
    entry = worlds.circle_of(world)
    maelle = visit(per_key=PER_KEY)
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    acts.searches_the_directory(maelle, "spe carmaux", "SPÉCIMEN")
    # One screen from here to the letter.
    form_page = maelle.page.url
    maelle.chooses("Infirmière")
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.sees("Voir l’e-mail qui partira")
    assert maelle.field("Adresse e-mail professionnelle").input_value() == ADDRESS
    maelle.page.get_by_text("Voir l’e-mail qui partira").click()
    maelle.fills("Message personnel", "Merci de votre réponse")
    maelle.page.locator("#apercu-lettre").get_by_text("Merci de votre réponse").wait_for()
    maelle.page.get_by_role("button", name="Ajouter, habiliter et inviter").wait_for()
    maelle.checks_the_page("inviter-formulaire")
    assert maelle.page.url == form_page
    maelle.presses("Ajouter, habiliter et inviter")
    maelle.sees("Invitation envoyée.")
    maelle.sees(f"Invitée le {timezone.localdate():%d/%m/%Y}, pas encore venue")
    maelle.checks_the_page("cercle-invitee")
    maelle.goes_to("/invitations/")
    maelle.arrives_at("Invitations")
    maelle.sees("Envoyée le")
    maelle.checks_the_page("invitations")

    settings.MFA_REQUIRED = True
    ines = visit(phone=True, per_key=PER_KEY)
    has_a_key(ines)
    pages, fields = [], {}

    def looks_at(heading, name):
        ines.arrives_at(heading)
        ines.checks_the_page(name)
        pages.append(urlsplit(ines.page.url).path)
        fields[pages[-1]] = ines.counts_fields()

    ines.goes_to(link_received())
    looks_at("Invitation à rejoindre un cercle de soins", "invitation")
    ines.sees("EXEMPLE-LARRIEU Maëlle")
    ines.does_not_see("EXEMPLE" + entry.dossier.birth_name[7:])
    assert Invitation.objects.get().opened_at is None
    ines.fills("Mot de passe", "court")
    ines.presses("Accepter et créer mon compte")
    ines.page.get_by_role("alert").wait_for()
    looks_at("Invitation à rejoindre un cercle de soins", "invitation-erreurs")
    ines.fills("Mot de passe", PASSWORD)
    ines.fills("Le même, une seconde fois", PASSWORD)
    ines.presses("Accepter et créer mon compte")
    looks_at("Ajouter une clé d’accès", "invitation-cle")
    ines.presses("Ajouter la clé d’accès")
    looks_at("Codes de secours", "invitation-codes")
    ines.clicks("J’ai noté mes codes")
    ines.arrives_at("Accueil du dossier")
    assert f"/dossiers/{entry.dossier.pk}/" in ines.page.url
    ines.checks_the_page("invitation-dossier")
    assert len(set(pages)) <= 3, pages
    assert sum(fields.values()) <= 6, fields

    settings.MFA_REQUIRED = False
    maelle.goes_to("/invitations/?etat=acceptees")
    maelle.sees("Acceptée")
    maelle.checks_the_page("invitations-acceptees")


def has_a_key(visitor):
    """Give a browser what a phone has: a key kept in it, opened by a finger."""
    authenticator = visitor.page.context.new_cdp_session(visitor.page)
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


@pytest.mark.parametrize("javascript", [True, False], ids=["script", "no script"])
@pytest.mark.drawn(1)
@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_several_people_are_invited_into_a_circle(visit, world, phone, javascript):
    entry = worlds.circle_of(world)
    maelle = visit(phone=phone, javascript=javascript)
    acts.signs_in(maelle, world.coordinator)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    maelle.clicks("Ajouter un professionnel ou un aidant")
    maelle.clicks("Inviter plusieurs personnes")
    maelle.arrives_at("Inviter plusieurs personnes")
    lines = (
        "Adresse;Nom;Prénom;Profession\n"
        f"{ADDRESS};Spécimen;Inès;Infirmière\n"
        "z@cabinet.example;Nouvelle;Zoé;Infirmière\n"
        "d@cabinet.example;Dessin;Paul;Médecin\n"
        "sans arobase;Faux;Jo;Médecin"
    )
    maelle.fills("Une personne par ligne", lines)
    maelle.fills("Message personnel", "Bienvenue dans ce cercle")
    if javascript:
        maelle.page.locator("#apercu-lettre").get_by_text("Bienvenue dans ce cercle").wait_for()
        maelle.sees("L’e-mail ne nomme pas la personne accompagnée.")
    maelle.checks_the_page("plusieurs-lignes")
    maelle.presses("Vérifier les lignes")
    maelle.arrives_at("Vérifier avant d’inviter")
    maelle.sees("Trouvé dans l’annuaire")
    maelle.sees("DESSIN Paul est déjà dans le cercle")
    maelle.sees("arobase")
    maelle.checks_the_page("plusieurs-verifier")
    maelle.presses("Ajouter et inviter")
    maelle.page.get_by_role("alert").wait_for()
    maelle.checks_the_page("plusieurs-verifier-erreur")
    maelle.chooses("Habilitation : oui")
    maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
    maelle.presses("Ajouter et inviter")
    maelle.sees("2 personnes ajoutées, habilitées et prévenues par e-mail.")
    maelle.sees("1 ligne à corriger")
    maelle.checks_the_page("plusieurs-a-corriger")
    letters = [letter for letter in mail.outbox if "/repondre/" in letter.body]
    assert {letter.to[0] for letter in letters} == {ADDRESS, "z@cabinet.example"}
    assert all("Bienvenue dans ce cercle" in letter.body for letter in letters)
    acts.opens_the_circle(maelle, entry.dossier.pk)
    maelle.sees("pas encore venu")


def test_a_long_list_goes_on_by_itself(visit, world, monkeypatch):
    monkeypatch.setattr(gathering, "AT_ONCE", 0.0)
    entry = worlds.circle_of(world)
    for javascript in (True, False):
        maelle = visit(javascript=javascript)
        acts.signs_in(maelle, world.coordinator)
        maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/plusieurs/")
        names = ("Alpha", "Bravo", "Charlie") if javascript else ("Delta", "Écho")
        lines = "\n".join(f"{name.lower()[1:]}@cabinet.example;{name};Zoé;Infirmière" for name in names)
        maelle.fills("Une personne par ligne", lines)
        maelle.presses("Vérifier les lignes")
        maelle.chooses("Habilitation : oui")
        maelle.selects("Sur quoi repose le partage", "La personne s’adresse à ce professionnel")
        maelle.presses("Ajouter et inviter")
        if not javascript:
            maelle.arrives_at("Envoi en cours")
            maelle.checks_the_page("plusieurs-envoi")
            maelle.presses("Continuer")
        maelle.arrives_at("Cercle de soins")
        maelle.sees(f"{len(names)} personnes ajoutées, habilitées et prévenues par e-mail.")
    assert Invitation.objects.count() == 5


def test_another_profession_than_the_one_invited_is_a_choice(visit, world):
    entry = worlds.circle_of(world)
    member = factories.by_hand(entry, family_name="PRESQUE", given_name="Noé", email=ADDRESS)
    invitation = actions.invite_present(entry, member, email=ADDRESS)
    actions.accept_invitation(invitation, by=world.colleague)
    for phone in (False, True):
        maelle = visit(phone=phone)
        acts.signs_in(maelle, world.coordinator)
        maelle.goes_to(f"/invitations/{invitation.pk}/confirmer/")
        maelle.arrives_at("Confirmer une personne invitée")
        maelle.checks_the_page("invitation-autre-profession")
        maelle.presses("Confirmer cette personne")
        maelle.page.get_by_role("alert").wait_for()
        maelle.checks_the_page("invitation-autre-profession-erreur")
    maelle.chooses("Ceux de sa profession confirmée")
    maelle.presses("Confirmer cette personne")
    maelle.sees("C’est confirmé")


def test_somebody_typed_by_hand_waits_for_a_confirmation(visit, world):
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in(maelle, world.coordinator)
    maelle.goes_to(f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/professionnel/")
    acts.adds_a_nurse_by_hand(maelle)
    maelle.fills("Adresse e-mail", ADDRESS)
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
    maelle.fills("Adresse e-mail professionnelle", ADDRESS)
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
