"""« Mon compte », and the list of pages reached without signing in."""

import pytest
from django.urls import URLResolver, get_resolver

from coordination.fhir.answering import FhirView

pytestmark = pytest.mark.django_db

# The only pages open to visitors. A new one is added here on purpose, with its reason.
OPEN_PAGES = {
    "alive": "health of the process, no data",
    "ready": "health of the services, no data",
    "account_login": "the entrance",
    "account_logout": "leaving must work after the session's end",
    "account_inactive": "says that an account is shut, once its password is right",
    "account_email_verification_sent": "says to read one's mail",
    "account_confirm_email": "the link of that mail",
    "account_reset_password": "asks for a link",
    "account_reset_password_done": "says to read one's mail",
    "account_reset_password_from_key": "the link of that mail",
    "account_reset_password_from_key_done": "says that it is done",
    "mfa_authenticate": "second step of the entrance: needs the first",
    "account_signup": "always 404: allauth looks its name up",
    "mailbox": "development only: 404 elsewhere",
    "read_mail": "development only: 404 elsewhere",
    "answer": "the link of an invitation, or of a meeting: signed, its holder may have no account yet",
    "calendar": "the secret address of an agenda: its holder is a calendar program",
    "refuse": "the same link: refusing needs no account",
    "opened": "the same link: somebody is in front of the page",
    "ask": "a link that no longer serves: the inviter is told",
    "receive": "a copied link: the letter leaves again for the address invited",
    "help": "says how the main acts are done",
    "shortcuts": "lists the keys",
    "accessibility": "the declaration the law asks for",
    "ecodesign": "the same for what the product weighs",
    "site_map": "where the bars lead",
    "legal": "who publishes and hosts",
    "api_token": "asks the secret of a software",
    "smart_configuration": "says where a software asks for its token",
}


def patterns(resolver):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern)
        else:
            yield pattern


@pytest.mark.asvs("v5.0.0-6.3.4")
@pytest.mark.req("SEC-1")
def test_pages_open_to_visitors_are_those_and_no_other():
    # Addresses of the API ask for a token, which no session replaces: the table of tests/security says it of each.
    pages = [
        p
        for p in patterns(get_resolver("coordination.urls"))
        if not issubclass(getattr(p.callback, "view_class", str), FhirView)
    ]
    found = {p.name for p in pages if not getattr(p.callback, "login_required", True)}
    assert found == set(OPEN_PAGES)
    assert len(found) == 29


def test_my_account_shows_and_changes_my_preferences(client, user):
    client.force_login(user)
    page = client.get("/compte/").content.decode()
    assert user.email in page
    response = client.post("/compte/", {"formulaire": "affichage", "theme": "dark"})
    assert response.status_code == 302
    user.refresh_from_db()
    assert (user.theme, user.shortcuts_enabled) == ("dark", False)
    assert 'data-bs-theme="dark"' in client.get("/compte/").content.decode()
    client.post("/compte/", {"formulaire": "profil", "title": "Coordinatrice"})
    user.refresh_from_db()
    assert (user.title, user.theme) == ("Coordinatrice", "dark")


@pytest.mark.asvs("v5.0.0-15.3.3")
def test_what_is_not_mine_to_change_does_not_change(client, user):
    client.force_login(user)
    client.post("/compte/", {"formulaire": "profil", "title": "x", "family_name": "AUTRE", "is_administrator": "on"})
    user.refresh_from_db()
    assert (user.family_name, user.is_administrator) == ("SPÉCIMEN", False)


def test_a_wrong_choice_is_said(client, user):
    client.force_login(user)
    page = client.post("/compte/", {"formulaire": "affichage", "theme": "rose"}).content.decode()
    assert "1 champ à corriger" in page.replace("\xa0", " ")
    user.refresh_from_db()
    assert user.theme == "light"


@pytest.mark.parametrize(
    "path",
    [
        "/compte/connexion/",
        "/compte/deconnexion/",
        "/compte/non-ouvert/",
        "/compte/adresse/a-verifier/",
        "/compte/adresse/verifier/absent/",
        "/compte/mot-de-passe/oublie/",
        "/compte/mot-de-passe/oublie/envoye/",
        "/compte/mot-de-passe/nouveau/1-absent/",
        "/compte/mot-de-passe/nouveau/fait/",
    ],
)
def test_pages_of_the_entrance_are_drawn_without_inline_code(client, path):
    page = client.get(path, follow=True).content.decode()
    assert '<html lang="fr"' in page
    assert page.count("<h1") == 1 or "deconnexion" in path
    assert " style=" not in page
    assert "<script>" not in page


@pytest.mark.parametrize(
    "path",
    [
        "/compte/",
        "/compte/mot-de-passe/",
        "/compte/identite/",
        "/compte/second-facteur/",
        "/compte/second-facteur/application/ajouter/",
        "/compte/second-facteur/cles/ajouter/",
        "/compte/deconnexion/",
    ],
)
def test_pages_of_the_account_are_drawn_without_inline_code(client, user, sign_in, path):
    sign_in(user)
    response = client.get(path)
    page = response.content.decode()
    assert response.status_code == 200
    assert page.count("<h1") == 1
    assert " style=" not in page
    assert "<script>" not in page


def test_enrolled_pages_are_drawn(client, user, sign_in):
    from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
    from allauth.mfa.totp.internal.auth import TOTP

    sign_in(user)
    TOTP.activate(user, "JBSWY3DPEHPK3PXP")
    RecoveryCodes.activate(user)
    assert "Application d’authentification" in client.get("/compte/").content.decode()
    for path in ["", "application/retirer/", "codes/", "codes/renouveler/", "confirmer/"]:
        response = client.get(f"/compte/second-facteur/{path}")
        assert response.status_code == 200, path
    assert client.post("/compte/second-facteur/codes/renouveler/").url == "/compte/second-facteur/codes/"
    assert client.post("/compte/second-facteur/application/retirer/").url == "/compte/second-facteur/"
