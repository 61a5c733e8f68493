"""Second factor: required when the setting says so, asked once, kept secret (SEC-17)."""

import re
import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time

from coordination.accounts import second_factor
from coordination.common import cipher
from coordination.outbox.models import Message
from tests.accounts.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-17")]

SECRET = "JBSWY3DPEHPK3PXP"
NO_CODES = "pas de codes de secours"


def code_of(secret):
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


@pytest.fixture
def required(settings):
    settings.MFA_REQUIRED = True


@pytest.fixture
def enrolled(user):
    TOTP.activate(user, SECRET)
    return user


def test_off_nothing_is_asked(client, user, sign_in, settings):
    settings.MFA_REQUIRED = False
    sign_in(user)
    assert client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-6.3.3")
@pytest.mark.usefixtures("required")
def test_without_a_second_factor_only_account_pages_open(client, user, sign_in):
    sign_in(user)
    assert client.get("/page-essai/").url == "/compte/second-facteur/?next=/page-essai/"
    for path in ["/compte/", "/compte/second-facteur/", "/compte/mot-de-passe/", "/compte/session/"]:
        assert client.get(path).status_code == 200, path
    # Drafts hold health data.
    assert client.post("/compte/brouillons/essai/00000000-0000-7000-8000-000000000000/").status_code == 302
    assert client.post("/compte/deconnexion/").status_code == 302


@pytest.mark.usefixtures("required")
def test_visitors_still_reach_the_entrance(client):
    assert client.get("/compte/connexion/").status_code == 200


@pytest.mark.usefixtures("required")
@pytest.mark.django_db(transaction=True)
def test_enrolling_an_application_opens_the_house(client, user, sign_in):
    sign_in(user)
    page = client.get("/compte/second-facteur/application/ajouter/").content.decode()
    assert "<svg" in page
    assert 'style="' not in page
    secret = re.search(r"<samp>(\w+)</samp>", page)[1]
    # On the telephone that holds the application, there is nothing to photograph.
    assert re.search(rf'href="otpauth://totp/[^"]*secret={secret}', page)
    response = client.post("/compte/second-facteur/application/ajouter/", {"code": code_of(secret)})
    assert response.url == "/compte/second-facteur/codes/"
    assert client.get("/page-essai/").status_code == 200
    assert Message.objects.filter(kind="account.security_notice").count() == 1
    first = client.get(response.url).content.decode()
    assert len(re.findall(r"<li><samp>\d{8}</samp></li>", first)) == 10
    assert "data:text/plain" in first
    # Shown once.
    assert not re.search(r"<samp>\d{8}</samp>", client.get(response.url).content.decode())


@pytest.mark.asvs("v5.0.0-14.2.4")
def test_the_secret_is_encrypted_in_the_database(enrolled):
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert SECRET not in stored
    assert cipher.decrypt(stored) == SECRET


def test_a_wrong_code_enrols_nothing(client, user, sign_in):
    sign_in(user)
    client.get("/compte/second-facteur/application/ajouter/")
    page = client.post("/compte/second-facteur/application/ajouter/", {"code": "000000"}).content.decode()
    assert "pas le bon" in page
    assert not Authenticator.objects.exists()


@pytest.mark.asvs("v5.0.0-2.3.1", "v5.0.0-6.3.3", "v5.0.0-6.3.4")
@pytest.mark.usefixtures("required")
def test_sign_in_asks_for_the_code(client, enrolled, sign_in, fresh_counters):
    assert sign_in(enrolled, next="/page-essai/").url == "/compte/second-facteur/verifier/"
    assert client.get("/page-essai/").status_code == 302, "half a sign-in opens nothing"
    assert 'inputmode="numeric"' in client.get("/compte/second-facteur/verifier/").content.decode()
    assert "pas le bon" in client.post("/compte/second-facteur/verifier/", {"code": "000000"}).content.decode()
    assert client.post("/compte/second-facteur/verifier/", {"code": code_of(SECRET)}).url == "/page-essai/"
    assert client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-6.3.1")
@pytest.mark.req("SECT-21")
def test_guessing_codes_is_stopped(client, enrolled, sign_in, fresh_counters):
    sign_in(enrolled)
    answers = [client.post("/compte/second-facteur/verifier/", {"code": "000000"}).content.decode() for _ in range(6)]
    assert "essais" in answers[-1]
    right = client.post("/compte/second-facteur/verifier/", {"code": code_of(SECRET)})
    assert right.status_code == 200


@pytest.mark.asvs("v5.0.0-6.5.1")
def test_a_code_serves_once(client, enrolled, sign_in, fresh_counters):
    code = code_of(SECRET)
    sign_in(enrolled)
    assert client.post("/compte/second-facteur/verifier/", {"code": code}).status_code == 302
    elsewhere = type(client)()
    sign_in(enrolled, client=elsewhere)
    assert elsewhere.post("/compte/second-facteur/verifier/", {"code": code}).status_code == 200


@pytest.mark.asvs("v5.0.0-6.5.1")
def test_a_recovery_code_serves_once(client, enrolled, sign_in, fresh_counters):
    code = RecoveryCodes.activate(enrolled).get_unused_codes()[0]
    sign_in(enrolled)
    assert client.post("/compte/second-facteur/verifier/", {"code": code}).status_code == 302
    elsewhere = type(client)()
    sign_in(enrolled, client=elsewhere)
    assert elsewhere.post("/compte/second-facteur/verifier/", {"code": code}).status_code == 200


@pytest.mark.req("REL-13")
@pytest.mark.parametrize("has_codes", [False, True])
def test_who_has_a_factor_and_no_codes_is_told_at_sign_in(client, enrolled, sign_in, fresh_counters, has_codes):
    """Those of a restored backup are void: without new ones, a lost telephone would close the account."""
    if has_codes:
        RecoveryCodes.activate(enrolled)
    sign_in(enrolled)
    client.post("/compte/second-facteur/verifier/", {"code": code_of(SECRET)})
    assert (NO_CODES in client.get("/compte/").content.decode()) is not has_codes
    assert NO_CODES not in client.get("/compte/").content.decode(), "once a session"
    page = client.get("/compte/second-facteur/").content.decode()
    assert ("Créer des codes" in page) is not has_codes
    assert client.post("/compte/second-facteur/codes/renouveler/").status_code == 302
    assert RecoveryCodes(enrolled.authenticator_set.get(type="recovery_codes")).get_unused_codes()


def test_who_has_no_factor_is_told_nothing_of_codes(client, user, sign_in):
    sign_in(user)
    assert NO_CODES not in client.get("/compte/").content.decode()


@pytest.mark.usefixtures("required")
def test_a_session_older_than_the_factor_must_show_it(client, user, sign_in, fresh_counters):
    sign_in(user)
    TOTP.activate(user, SECRET)
    response = client.get("/page-essai/")
    assert response.url == "/compte/second-facteur/confirmer/?next=/page-essai/"
    assert client.get(response.url).status_code == 200
    assert client.post(response.url, {"code": code_of(SECRET), "next": "/page-essai/"}).url == "/page-essai/"
    assert client.get("/page-essai/").status_code == 200


@pytest.mark.usefixtures("required")
@pytest.mark.parametrize("shown", ["at sign-in", "by enrolling here"])
def test_with_the_last_factor_taken_away_one_is_asked_for_again(client, user, sign_in, fresh_counters, shown):
    """Nobody goes on behind a password alone by adding a factor and taking it away."""
    if shown == "at sign-in":
        TOTP.activate(user, SECRET)
        sign_in(user)
        client.post("/compte/second-facteur/verifier/", {"code": code_of(SECRET)})
    else:
        sign_in(user)
        TOTP.activate(user, SECRET)
        session = client.session
        session[second_factor.ENROLLED_HERE] = str(user.pk)
        session.save()
    assert client.get("/page-essai/").status_code == 200
    client.post("/compte/second-facteur/application/retirer/")
    assert not Authenticator.objects.exists()
    assert client.get("/page-essai/").url == "/compte/second-facteur/?next=/page-essai/"


def test_the_check_costs_no_query_once_shown(client, enrolled, sign_in, settings, django_assert_num_queries):
    settings.MFA_REQUIRED = True
    sign_in(enrolled)
    client.post("/compte/second-facteur/verifier/", {"code": code_of(SECRET)})
    with django_assert_num_queries(1):
        client.get("/page-essai/")


class TestReauthentication:
    @pytest.fixture
    def later(self, monkeypatch):
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)

    def test_a_recent_sign_in_is_enough(self, client, user, sign_in):
        sign_in(user)
        assert client.post("/page-sensible/", {"motif": "tri"}).content == b"fait tri"

    def test_later_the_password_is_asked_and_the_act_goes_on(self, client, user, sign_in, later, monkeypatch):
        monkeypatch.undo()
        sign_in(user)
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + 601)
        response = client.post("/page-sensible/", {"motif": "tri"})
        assert response.url == "/compte/identite/?next=%2Fpage-sensible%2F"
        assert client.get(response.url).status_code == 200
        wrong = client.post(response.url, {"password": "pas le bon mot", "next": "/page-sensible/"})
        assert "pas le bon" in wrong.content.decode()
        done = client.post(response.url, {"password": PASSWORD, "next": "/page-sensible/"})
        assert done.content == b"fait tri"
        assert client.post("/page-sensible/").content == b"fait "


class TestAccessKeys:
    @pytest.mark.asvs("v5.0.0-1.2.3")
    def test_the_page_hands_the_options_to_our_script(self, client, user, sign_in):
        import json
        from html import unescape

        sign_in(user)
        page = client.get("/compte/second-facteur/cles/ajouter/").content.decode()
        options = json.loads(unescape(re.search(r'data-options="([^"]+)"', page)[1]))
        assert options["publicKey"]["rp"]["name"] == "Coordination"
        assert options["publicKey"]["challenge"]
        assert "webauthn.js" in page
        assert "<script>" not in page

    def test_rubbish_is_refused(self, client, user, sign_in):
        sign_in(user)
        client.get("/compte/second-facteur/cles/ajouter/")
        response = client.post("/compte/second-facteur/cles/ajouter/", {"name": "x", "credential": '{"id": "x"}'})
        assert response.status_code == 200
        assert not Authenticator.objects.exists()
