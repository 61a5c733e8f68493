"""The entrance: who comes in, what it refuses, and what it never tells (SEC-17, SECT-21)."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse

from coordination.accounts import mails
from coordination.accounts.models import Session, User
from coordination.outbox.models import Message
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

TOKEN = re.compile(rb'(csrfmiddlewaretoken" value="|csrf-token" content=")[^"]+')


def shape(response, *hide):
    """What an attacker compares: status, headers, body, without the random tokens and the address typed."""
    body = TOKEN.sub(b"", response.content)
    for text in hide:
        body = body.replace(text.encode(), b"")
    headers = {name: value for name, value in response.items() if name not in {"X-Request-ID", "Expires"}}
    return response.status_code, headers, body


def unknown_like(user):
    """An address without account, as long as this one."""
    return "z" + user.email[1:]


def test_the_right_password_opens(client, user, sign_in):
    response = sign_in(user, next="/page-essai/")
    assert response.url == "/page-essai/"
    assert client.get("/page-essai/").content.decode() == "Bonjour Inès"


def test_the_address_is_read_whatever_its_case(client, sign_in):
    user = UserFactory(email="ines@cabinet.example")
    user.email = "Ines@CABINET.example"
    assert sign_in(user).status_code == 302


@pytest.mark.asvs("v5.0.0-3.7.2")
def test_next_never_leaves_the_house(sign_in, user):
    assert sign_in(user, next="https://ailleurs.example/").url == "/"


def test_pages_ask_to_sign_in(client):
    response = client.get("/page-essai/")
    assert response.url == "/compte/connexion/?next=/page-essai/"


@pytest.mark.asvs("v5.0.0-6.3.4")
@pytest.mark.parametrize("path", ["inscription/", "signup/", "email/", "social/login/", "login/code/", "2fa/"])
def test_there_is_no_sign_up_and_nothing_unmounted(client, user, path):
    assert client.get(f"/compte/{path}").status_code == 404
    client.force_login(user)
    assert client.get(f"/compte/{path}").status_code == 404


@pytest.mark.parametrize("name", ["account_email", "account_set_password", "account_request_login_code"])
def test_unused_pages_of_allauth_have_no_address(name):
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.req("SEC-17", "SECT-21")
def test_sign_in_answers_the_same_for_a_known_and_an_unknown_address(client, fresh_counters):
    user = UserFactory()
    known = client.post("/compte/connexion/", {"login": user.email, "password": "pas le bon mot"})
    absent = unknown_like(user)
    unknown = client.post("/compte/connexion/", {"login": absent, "password": "pas le bon mot"})
    assert shape(known, user.email) == shape(unknown, absent)
    suspended = UserFactory(suspended=True, email="s" + user.email[1:])
    shut = client.post("/compte/connexion/", {"login": suspended.email, "password": "pas le bon mot"})
    assert shape(shut, suspended.email) == shape(known, user.email)


@pytest.mark.req("SEC-17", "SECT-21")
def test_reset_answers_the_same_for_a_known_and_an_unknown_address(client, fresh_counters):
    user = UserFactory()
    answers = []
    for address in [user.email, "absente@cabinet.example", UserFactory(suspended=True).email]:
        response = client.post("/compte/mot-de-passe/oublie/", {"email": address})
        answers.append((shape(response), shape(client.get(response.url))))
    assert answers[0] == answers[1] == answers[2]
    assert list(Message.objects.values_list("to", "kind")) == [(user.email, "account.password_reset")]


@pytest.mark.req("SECT-21")
def test_reset_does_the_same_work_for_an_unknown_address(client, fresh_counters):
    """No stopwatch here (a test machine is too noisy): the statements sent are what takes the time."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    user = UserFactory()
    counts = []
    for address in [user.email, "absente@cabinet.example"]:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.post("/compte/mot-de-passe/oublie/", {"email": address})
        counts.append(sum('INSERT INTO "outbox_message"' in query["sql"] for query in queries))
    assert counts == [1, 1]


@pytest.mark.asvs("v5.0.0-6.3.1")
@pytest.mark.req("SECT-21")
def test_guesses_are_stopped_for_a_known_and_an_unknown_address_alike(client, fresh_counters):
    user = UserFactory()
    for address in [user.email, "absente@cabinet.example"]:
        answers = [
            client.post("/compte/connexion/", {"login": address, "password": f"essai numéro {n}"}).content.decode()
            for n in range(6)
        ]
        assert "essais" not in answers[4]
        assert "Trop d’essais" in answers[5]
    # Even the right password waits now.
    assert client.post("/compte/connexion/", {"login": user.email, "password": PASSWORD}).status_code == 200


def test_too_many_resets_are_refused_in_french(client, fresh_counters):
    for _ in range(5):
        client.post("/compte/mot-de-passe/oublie/", {"email": "absente@cabinet.example"})
    response = client.post("/compte/mot-de-passe/oublie/", {"email": "absente@cabinet.example"})
    assert response.status_code == 429
    assert "Trop de demandes" in response.content.decode()


@pytest.mark.parametrize("field", ["suspended"])
def test_a_suspended_account_does_not_open(client, sign_in, field):
    user = UserFactory(suspended=True)
    assert sign_in(user).url == "/compte/non-ouvert/"
    assert "pas ouvert" in client.get("/compte/non-ouvert/").content.decode()
    assert client.get("/page-essai/").status_code == 302


def test_an_unverified_address_receives_a_link_before_it_opens(client, sign_in, user, fresh_counters):
    EmailAddress.objects.update(verified=False)
    assert sign_in(user).url == "/compte/adresse/a-verifier/"
    assert client.get("/page-essai/").status_code == 302
    message = Message.objects.get(kind="account.email_verification")
    path = re.search(r"https?://[^/]+(/compte/adresse/verifier/\S+)", message.text)[1]
    assert message.sensitive
    assert "la vôtre" in client.get(path).content.decode()
    client.post(path)
    assert EmailAddress.objects.get().verified
    assert sign_in(user).url == "/"


@pytest.mark.asvs("v5.0.0-6.2.1")
@pytest.mark.parametrize(
    "password", ["court", "onzelettres", "123456789012", "motdepasse123", "specimen ines", "spécimen inès"]
)
def test_weak_passwords_are_refused(password):
    user = User(email="specimen.ines@cabinet.example", family_name="SPÉCIMEN", given_name="Inès")
    if password == "motdepasse123":
        password = "password1234"
    with pytest.raises(ValidationError):
        validate_password(password, user)


class TestPasswordLink:
    def follow(self, client, link):
        path = "/" + link.split("/", 3)[3]
        return client.get(path, follow=True)

    def choose(self, client, link):
        password = "un autre choix de mots"
        page = self.follow(client, link)
        # The key has left the address: it is neither in history nor in a referrer.
        assert "set-password" in page.redirect_chain[-1][0]
        return client.post(page.redirect_chain[-1][0], {"password1": password, "password2": password})

    def test_a_first_password_opens_the_account_and_proves_the_address(self, client, sign_in):
        from coordination.accounts.actions import create_account

        user = create_account(email="Nouvelle@cabinet.example", family_name="NOUVELLE", given_name="Ana")
        message = Message.objects.get()
        assert (message.to, message.kind, message.sensitive) == (user.email, "account.password_first", True)
        link = re.search(r"http\S+", message.text)[0]
        assert link in message.html
        assert self.choose(client, link).status_code == 302
        assert EmailAddress.objects.get(user=user).verified
        user.refresh_from_db()
        assert sign_in(user, password="un autre choix de mots").url == "/"

    @pytest.mark.asvs("v5.0.0-6.4.1")
    def test_a_link_serves_once(self, client, user):
        link = mails.password_link(user)
        self.choose(client, link)
        assert "ne sert plus" in self.follow(client, link).content.decode()

    @pytest.mark.asvs("v5.0.0-7.4.3")
    def test_a_new_password_ends_all_sessions(self, client, user, sign_in):
        sign_in(user)
        assert Session.objects.filter(user=user).count() == 1
        other = type(client)()
        user.refresh_from_db()
        self.choose(other, mails.password_link(user))
        assert not Session.objects.filter(user=user).exists()
        assert client.get("/page-essai/").status_code == 302

    @pytest.mark.asvs("v5.0.0-6.4.1", "v5.0.0-9.2.1")
    def test_links_expire_in_an_hour_or_three_days(self, client, user, monkeypatch):
        from datetime import datetime, timedelta

        from coordination.accounts.tokens import PasswordLinkGenerator

        newcomer = UserFactory(password=None)
        newcomer.set_unusable_password()
        newcomer.save()
        generator = PasswordLinkGenerator()
        tokens = {person: generator.make_token(person) for person in (user, newcomer)}

        def valid_after(**delay):
            later = datetime.now() + timedelta(**delay)
            monkeypatch.setattr(PasswordLinkGenerator, "_now", lambda self: later)
            return [PasswordLinkGenerator().check_token(person, tokens[person]) for person in (user, newcomer)]

        assert valid_after(minutes=59) == [True, True]
        assert valid_after(minutes=61) == [False, True]
        assert valid_after(days=2, hours=23) == [False, True]
        assert valid_after(days=3, minutes=5) == [False, False]

    def test_the_host_header_never_enters_a_mail(self, client, user, settings):
        settings.ALLOWED_HOSTS = ["*"]
        settings.SITE_URL = "https://coordination.example"
        client.post("/compte/mot-de-passe/oublie/", {"email": user.email}, headers={"host": "attaquant.example"})
        message = Message.objects.get()
        assert "attaquant" not in message.text + message.html
        assert "https://coordination.example/compte/mot-de-passe/nouveau/" in message.text


@pytest.mark.asvs("v5.0.0-6.2.2", "v5.0.0-7.4.3")
def test_changing_the_password_keeps_this_session_and_ends_the_others(client, user, sign_in, settings):
    settings.SITE_URL = "https://coordination.example"
    elsewhere = type(client)()
    sign_in(user, client=elsewhere)
    sign_in(user)
    response = client.post(
        "/compte/mot-de-passe/",
        {"oldpassword": PASSWORD, "password1": "un autre choix de mots", "password2": "un autre choix de mots"},
    )
    assert response.url == "/compte/"
    # Before anything else is asked: a session whose hash no longer fits would end at its next request.
    assert Session.objects.get(user=user).session_key == client.session.session_key
    assert client.get("/page-essai/").status_code == 200
    assert elsewhere.get("/page-essai/").status_code == 302
    notice = Message.objects.get(kind="account.security_notice")
    assert "mot de passe" in notice.text
    assert "127.0.0.1" not in notice.text


@pytest.mark.asvs("v5.0.0-3.5.3", "v5.0.0-7.4.1")
def test_signing_out_is_confirmed_then_final(client, user, sign_in):
    sign_in(user)
    key = client.cookies["sessionid"].value
    assert "Fermer votre session" in client.get("/compte/deconnexion/").content.decode()
    assert client.get("/page-essai/").status_code == 200
    client.post("/compte/deconnexion/")
    client.cookies["sessionid"] = key
    assert client.get("/page-essai/").status_code == 302


@pytest.mark.req("SECT-21")
def test_the_password_is_hashed_as_often_whether_the_address_is_known_or_not(client, fresh_counters, monkeypatch):
    """Hashing is the cost of an attempt: the same number of times, the same answer time."""
    hashed = []
    encode = MD5PasswordHasher.encode

    def counted(self, *args, **kwargs):
        hashed.append(1)
        return encode(self, *args, **kwargs)

    user = UserFactory()
    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    counts = []
    for address in (user.email, "absente@cabinet.example"):
        hashed.clear()
        client.post("/compte/connexion/", {"login": address, "password": "pas le bon mot"})
        counts.append(len(hashed))
    assert counts[0] == counts[1] > 0
