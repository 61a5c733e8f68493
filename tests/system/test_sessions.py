"""Coming in and going out: a session that ends while one types, second factors, access keys."""

import re
from time import time

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.utils import timezone

from coordination.accounts.models import Session
from tests.accounts.factories import PASSWORD
from tests.system import acts
from tests.system import world as worlds

pytestmark = pytest.mark.browser


@pytest.mark.req("REL-20")
def test_what_was_typed_survives_the_end_of_the_session(visit, world):
    entry = worlds.circle_of(world)
    maelle = visit()
    acts.signs_in_by_password(maelle, world.coordinator)
    path = f"/dossiers/{entry.dossier.pk}/cercle/ajouter/manuellement/professionnel/"
    maelle.goes_to(path)
    acts.adds_a_nurse_by_hand(maelle)
    maelle.fills("Description", "Passe le mardi et le jeudi")
    maelle.sees("Brouillon gardé à")
    maelle.checks_the_page("brouillon")

    Session.objects.filter(user=world.coordinator).update(expire_date=timezone.now())
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.arrives_at("Connexion")
    maelle.checks_the_page("connexion-expiree")
    maelle.gives_password(world.coordinator.email, PASSWORD)
    maelle.arrives_at("Ajout manuel de personne")
    assert path in maelle.page.url
    assert maelle.field("Nom").input_value() == "Réplique"
    assert maelle.field("Description").input_value() == "Passe le mardi et le jeudi"
    maelle.presses("Ajouter la personne au cercle de soins")
    maelle.sees("RÉPLIQUE Gaëlle fait maintenant partie du cercle de soins.")
    # Kept no longer than it is of use.
    maelle.goes_to(path)
    assert maelle.field("Nom").input_value() == ""


def test_an_application_and_recovery_codes_open_the_dossiers(visit, world, settings):
    settings.MFA_REQUIRED = True
    maelle = visit(phone=True)
    acts.signs_in_by_password(maelle, world.coordinator)
    # Nothing of a dossier before a second factor.
    maelle.goes_to("/dossiers/")
    maelle.arrives_at("Second facteur")
    maelle.checks_the_page("second-facteur")
    maelle.clicks("Ajouter une application")
    maelle.checks_the_page("second-facteur-application")
    secret = maelle.page.locator("samp").inner_text().strip()
    maelle.fills("Code affiché par l’application", "000000")
    maelle.presses("Ajouter l’application")
    maelle.page.get_by_role("alert").wait_for()
    secret = maelle.page.locator("samp").inner_text().strip()
    maelle.fills("Code affiché par l’application", format_hotp_value(hotp_value(secret, int(time()) // 30)))
    maelle.presses("Ajouter l’application")
    maelle.arrives_at("Codes de secours")
    maelle.checks_the_page("codes-de-secours")
    codes = maelle.page.locator("main li samp").all_inner_texts()
    maelle.clicks("J’ai noté mes codes")
    maelle.arrives_at("File active")
    maelle.signs_out()

    # The telephone is lost: one of the codes replaces it, once.
    acts.signs_in_by_password(maelle, world.coordinator)
    maelle.checks_the_page("second-facteur-code")
    maelle.page.get_by_label(re.compile("^Code")).first.fill(codes[0])
    maelle.presses("Continuer")
    maelle.arrives_at("File active")
    maelle.signs_out()
    acts.signs_in_by_password(maelle, world.coordinator)
    maelle.page.get_by_label(re.compile("^Code")).first.fill(codes[0])
    maelle.presses("Continuer")
    maelle.page.get_by_role("alert").wait_for()


def test_an_access_key_opens_the_dossiers(visit, world, settings):
    settings.MFA_REQUIRED = True
    maelle = visit()
    authenticator = maelle.page.context.new_cdp_session(maelle.page)
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
    acts.signs_in_by_password(maelle, world.coordinator)
    maelle.goes_to("/dossiers/")
    maelle.arrives_at("Second facteur")
    maelle.clicks("Ajouter une clé d’accès")
    maelle.arrives_at("Ajouter une clé d’accès")
    maelle.checks_the_page("cle-ajouter")
    maelle.presses("Ajouter la clé d’accès")
    maelle.arrives_at("Codes de secours")
    maelle.clicks("J’ai noté mes codes")
    maelle.arrives_at("File active")
    maelle.signs_out()

    acts.signs_in_by_password(maelle, world.coordinator)
    maelle.checks_the_page("cle-demandee")
    maelle.presses("Utiliser ma clé d’accès")
    maelle.arrives_at("File active")
