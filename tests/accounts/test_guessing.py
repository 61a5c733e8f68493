"""A hundred guesses (SECT-21): what is tried in vain is counted wherever it comes from, and tells nothing."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.hashers import MD5PasswordHasher

from coordination.accounts import mails
from coordination.outbox.models import Message
from tests.accounts.factories import PASSWORD, UserFactory
from tests.accounts.test_second_factor import SECRET
from tests.accounts.test_sign_in import shape, unknown_like

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-21", "SEC-17")]
GUESSES = 100


@pytest.fixture
def hashed(monkeypatch):
    """The passwords that were really compared."""
    compared = []
    encode = MD5PasswordHasher.encode

    def counted(self, password, *args, **kwargs):
        compared.append(password)
        return encode(self, password, *args, **kwargs)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return compared


def guess(client, address, number, origin="192.0.2.1"):
    typed = {"login": address, "password": f"essai numéro {number}"}
    return client.post("/compte/connexion/", typed, headers={"X-Forwarded-For": origin})


@pytest.mark.asvs("v5.0.0-6.3.1", "v5.0.0-2.4.1")
def test_a_hundred_guesses_of_one_account_from_a_hundred_places_are_five(client, hashed, fresh_counters, settings):
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    user = UserFactory()
    hashed.clear()
    for number in range(GUESSES):
        guess(client, user.email, number, origin=f"198.51.100.{number}")
    assert len({one for one in hashed if one.startswith("essai")}) == 5
    # The right one waits too, for five minutes and no longer: nobody is locked out for good.
    assert client.post("/compte/connexion/", {"login": user.email, "password": PASSWORD}).status_code == 200
    user.refresh_from_db()
    assert user.is_active


@pytest.mark.asvs("v5.0.0-6.3.1")
def test_a_hundred_accounts_tried_from_one_place_are_twenty(client, hashed, fresh_counters):
    for number in range(GUESSES):
        guess(client, f"absente{number}@cabinet.example", number)
    assert len({one for one in hashed if one.startswith("essai")}) <= 20


@pytest.mark.asvs("v5.0.0-6.3.1")
def test_known_and_unknown_are_slowed_down_alike(client, fresh_counters):
    user = UserFactory()
    absent, said = unknown_like(user), []
    for address in (user.email, absent):
        said.append([shape(guess(client, address, number), address) for number in range(8)])
    assert said[0] == said[1]


def test_a_hundred_codes_of_a_second_factor_are_a_few(client, user, sign_in, fresh_counters, monkeypatch):
    TOTP.activate(user, SECRET)
    sign_in(user)
    tried = []
    monkeypatch.setattr(TOTP, "validate_code", lambda self, code: bool(tried.append(code)))
    for number in range(GUESSES):
        client.post("/compte/second-facteur/verifier/", {"code": f"{number:06}"})
    assert 0 < len(tried) <= 10


def test_a_hundred_links_asked_are_five_letters(client, fresh_counters):
    user = UserFactory()
    for _ in range(GUESSES):
        client.post("/compte/mot-de-passe/oublie/", {"email": user.email})
    assert Message.objects.filter(kind="account.password_reset").count() == 5


def test_a_hundred_keys_of_a_link_are_one_answer_and_open_nothing(client, user, fresh_counters):
    """128 bits of a keyed digest: what is tried is told nothing, not even that the account exists."""
    known = mails.password_link(user).split("/nouveau/")[1].partition("-")[0]
    said = set()
    for number in range(GUESSES):
        whose = known if number % 2 else f"{number}zz"
        answer = client.get(f"/compte/mot-de-passe/nouveau/{whose}-abc{number:03}-{'0' * 32}/")
        said.add((answer.status_code, "ne sert plus" in answer.content.decode()))
    assert said == {(200, True)}
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
