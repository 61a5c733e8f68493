"""Sessions: limits, ends, cost (SEC-18, SECT-22)."""

import re
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.backends.base import UpdateError
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from coordination.accounts import actions, context
from coordination.accounts.devices import describe
from coordination.accounts.models import Session
from coordination.accounts.sessions import SessionStore, expiry
from tests.accounts.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"


def move(session, **ages):
    """Make a session older: seen or signed in that long ago."""
    now = timezone.now()
    for name, age in ages.items():
        setattr(session, f"{name}_at", now - age)
    session.expire_date = expiry(session.signed_in_at, session.last_seen_at)
    session.save()


@pytest.fixture
def session(client, user, sign_in):
    sign_in(user)
    return Session.objects.get(user=user)


def test_session_and_user_cost_one_query(client, session, django_assert_num_queries):
    with django_assert_num_queries(1) as queries:
        client.get("/page-essai/")
    assert "accounts_session" in queries[0]["sql"]


def test_a_visitor_costs_no_query(client, db, django_assert_num_queries, monkeypatch):
    """But one in ten seconds, of all of them: whether the installation is in quarantine (REL-13)."""
    monkeypatch.setattr(context, "VISITORS_TOLD_EVERY", 10**6)
    client.get("/compte/non-ouvert/")
    with django_assert_num_queries(0):
        client.get("/compte/non-ouvert/")


def test_activity_is_written_once_a_minute(client, session, django_assert_num_queries):
    move(session, last_seen=timedelta(seconds=61))
    with django_assert_num_queries(2):
        client.get("/page-essai/")
    with django_assert_num_queries(1):
        client.get("/page-essai/")


@pytest.mark.asvs("v5.0.0-7.3.1", "v5.0.0-7.4.1")
@pytest.mark.req("SEC-18")
def test_an_idle_session_ends(client, session):
    move(session, last_seen=timedelta(minutes=29))
    assert client.get("/page-essai/").status_code == 200
    session.refresh_from_db()
    move(session, last_seen=timedelta(minutes=31))
    assert client.get("/page-essai/").status_code == 302


@pytest.mark.asvs("v5.0.0-7.3.2", "v5.0.0-7.4.1")
@pytest.mark.req("SEC-18")
def test_a_busy_session_ends_too_at_its_absolute_limit(client, session):
    move(session, signed_in=timedelta(hours=9, minutes=59), last_seen=timedelta(minutes=2))
    assert client.get("/page-essai/").status_code == 200
    session.refresh_from_db()
    assert session.expire_date <= session.signed_in_at + timedelta(hours=10)
    move(session, signed_in=timedelta(hours=10, minutes=1))
    assert client.get("/page-essai/").status_code == 302


def test_a_new_key_does_not_lengthen_the_absolute_limit(user):
    store = SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store.create()
    move(Session.objects.get(pk=store.session_key), signed_in=timedelta(hours=9))
    again = SessionStore(store.session_key)
    again.get("x")
    again.cycle_key()
    row = Session.objects.get(user=user)
    assert row.session_key != store.session_key
    assert timezone.now() - row.signed_in_at > timedelta(hours=8)


@pytest.mark.asvs("v5.0.0-7.2.4")
def test_signing_in_starts_the_absolute_limit_anew(client, user, sign_in):
    client.get("/compte/connexion/")
    store = SessionStore()
    store["anonymous"] = 1
    store.create()
    move(Session.objects.get(pk=store.session_key), signed_in=timedelta(minutes=20))
    client.cookies["sessionid"] = store.session_key
    sign_in(user)
    assert timezone.now() - Session.objects.get(user=user).signed_in_at < timedelta(minutes=1)
    assert not Session.objects.filter(pk=store.session_key).exists(), "the key changes at sign-in"


@pytest.mark.asvs("v5.0.0-3.3.4")
def test_the_cookie_ends_with_the_browser_and_is_closed_to_scripts(client, session):
    cookie = client.cookies["sessionid"]
    assert cookie["max-age"] == ""
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


@pytest.mark.req("SEC-21")
def test_a_form_of_another_site_does_nothing(user):
    """Its cookie goes with it, the token of our own pages does not."""
    here, other = Client(enforce_csrf_checks=True), Client()
    for browser in (here, other):
        browser.force_login(user)
    assert here.post(reverse("accounts:end_other_sessions")).status_code == 403
    assert Session.objects.filter(user=user).count() == 2


@pytest.mark.req("SECT-22")
def test_one_statement_ends_all_sessions_of_an_account(client, user, sign_in, django_assert_num_queries):
    clients = [type(client)() for _ in range(3)]
    for one in clients:
        sign_in(user, client=one)
    other = UserFactory()
    sign_in(other)
    with django_assert_num_queries(1):
        assert actions.end_sessions(user) == 3
    assert all(one.get("/page-essai/").status_code == 302 for one in clients)
    assert client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-7.4.2", "v5.0.0-7.4.5")
@pytest.mark.req("SECT-22")
@pytest.mark.parametrize("act", [actions.suspend_account, actions.close_account])
def test_a_shut_account_loses_its_sessions_at_once(client, session, user, administrator, act):
    act(user, by=administrator)
    assert client.get("/page-essai/").status_code == 302
    assert not Session.objects.filter(user=user).exists()


@pytest.mark.req("SECT-22")
def test_a_session_ended_meanwhile_is_not_written_again(client, session):
    store = SessionStore(session.session_key)
    store["x"] = 1
    actions.end_sessions(session.user)
    with pytest.raises(UpdateError):
        store.save()
    assert not Session.objects.filter(user=session.user).exists()


def test_a_password_set_behind_the_sessions_back_voids_it(client, session, user):
    user.set_password("encore un autre choix")
    user.save()
    assert client.get("/page-essai/").status_code == 302


class TestList:
    def test_my_sessions_are_listed_with_their_device(self, client, user, sign_in):
        client.post(
            "/compte/connexion/",
            {"login": user.email, "password": "quatre mots bien choisis"},
            headers={"user-agent": FIREFOX},
        )
        page = client.get("/compte/").content.decode()
        assert "Firefox sur Windows" in page
        assert "Cette session" in page
        assert client.cookies["sessionid"].value not in page

    def test_i_end_one_of_mine_and_nobody_elses(self, client, session, user, sign_in):
        elsewhere, stranger = type(client)(), type(client)()
        sign_in(user, client=elsewhere)
        other = UserFactory()
        sign_in(other, client=stranger)
        mine = Session.objects.filter(user=user).exclude(pk=session.pk).get()
        theirs = Session.objects.get(user=other)
        assert client.post(f"/compte/sessions/{mine.public_id}/terminer/").status_code == 302
        assert elsewhere.get("/page-essai/").status_code == 302
        answers = [client.post(f"/compte/sessions/{name}/terminer/") for name in (theirs.public_id, uuid4())]
        assert [answer.status_code for answer in answers] == [404, 404]
        assert stranger.get("/page-essai/").status_code == 200

    def test_i_end_all_the_others(self, client, session, user, sign_in):
        elsewhere = type(client)()
        sign_in(user, client=elsewhere)
        client.post("/compte/sessions/terminer-les-autres/")
        assert list(Session.objects.filter(user=user)) == [session]

    @pytest.mark.asvs("v5.0.0-7.5.2")
    @pytest.mark.parametrize("which", ["one", "all"])
    def test_who_has_not_shown_who_he_is_for_long_is_asked_first(
        self, client, session, user, sign_in, monkeypatch, which
    ):
        """Somebody at a screen left open would else throw its owner out of his own account."""
        elsewhere = type(client)()
        sign_in(user, client=elsewhere)
        mine = Session.objects.filter(user=user).exclude(pk=session.pk).get()
        address = {
            "one": f"/compte/sessions/{mine.public_id}/terminer/", "all": "/compte/sessions/terminer-les-autres/",
        }[which]  # fmt: skip
        now = time.time() + django_settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
        monkeypatch.setattr(time, "time", lambda: now)
        answer = client.post(address)
        assert answer.status_code == 302 and answer.url.startswith("/compte/identite/")
        assert elsewhere.get("/page-essai/").status_code == 200
        asked = client.get(answer.url).content.decode().replace("\xa0", " ")
        assert {"one": "terminer une de vos sessions", "all": "terminer vos autres sessions"}[which] in asked
        assert client.post(answer.url, {"password": "un autre"}).status_code in (200, 422)
        assert elsewhere.get("/page-essai/").status_code == 200
        # Then it is done, without being asked for a second time.
        done = client.post(answer.url, {"password": PASSWORD}, follow=True)
        assert done.status_code == 200 and "terminée" in done.content.decode()
        assert elsewhere.get("/page-essai/").status_code == 302
        assert client.get("/page-essai/").status_code == 200
        assert Session.objects.filter(user=user).count() == 1


class TestAnnouncedEnd:
    def test_asking_does_not_prolong_and_staying_does(self, client, session):
        move(session, last_seen=timedelta(minutes=28, seconds=30))
        left = client.get("/compte/session/").json()["seconds_left"]
        assert 80 < left <= 90
        assert client.get("/compte/session/").json()["seconds_left"] <= left
        assert client.post("/compte/session/").json()["seconds_left"] > 1790
        assert client.get("/compte/session/").json()["seconds_left"] > 1790

    def test_a_finished_session_is_sent_to_sign_in(self, client, session):
        move(session, last_seen=timedelta(minutes=31))
        assert client.get("/compte/session/").status_code == 302

    def test_pages_carry_the_delay(self, client, session):
        page = client.get("/compte/").content.decode()
        assert re.search(r'name="session"\s+content="/compte/session/"\s+data-seconds="1800"', page)


def test_dead_sessions_are_purged(session):
    from coordination.accounts.purging import purge_sessions

    assert purge_sessions() == 0
    move(session, last_seen=timedelta(minutes=31))
    assert purge_sessions() == 1
    assert not Session.objects.exists()
    call_command("clearsessions")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox sur Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari sur iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge sur Linux"),
        ("curl/8", ""),
        ("Android truc", "Navigateur sur Android"),
    ],
)
def test_devices_in_words(agent, words):
    assert describe(agent) == words
