"""What a thief holds is worth nothing once its owner acts, on every device (SECT-22, ASVS V7)."""

import re
import time

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings as django_settings
from django.core.management import call_command
from django.http.cookie import SimpleCookie

from coordination.accounts import actions
from coordination.accounts.models import Session
from coordination.accounts.sessions import SessionStore
from tests.accounts.factories import PASSWORD, UserFactory
from tests.accounts.test_second_factor import SECRET, code_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-22")]

NEW = "un autre choix de mots"


@pytest.fixture
def thief(client, user, sign_in):
    """Two devices of the person, and somebody who has copied the cookie of each."""
    tablet = type(client)()
    sign_in(user, client=tablet)
    sign_in(user)

    class Thief:
        def __init__(self):
            self.keys = [one.cookies["sessionid"].value for one in (client, tablet)]

        def reads(self):
            """How many of the stolen cookies still open a page."""
            return sum(self.opens(key) for key in self.keys)

        @staticmethod
        def opens(key):
            visitor = type(client)()
            visitor.cookies = SimpleCookie({"sessionid": key})
            return visitor.get("/page-essai/").status_code == 200

    stolen = Thief()
    assert stolen.reads() == 2
    return stolen


@pytest.mark.asvs("v5.0.0-7.4.1")
def test_signing_out_makes_the_copy_of_that_cookie_useless(client, thief):
    client.post("/compte/deconnexion/")
    assert thief.reads() == 1


@pytest.mark.asvs("v5.0.0-7.4.3")
def test_a_new_password_keeps_one_device_and_a_link_none(client, user, thief):
    client.post("/compte/mot-de-passe/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    # The device where it was done goes on under a key that the thief has not.
    assert thief.reads() == 0 and client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-7.4.2", "v5.0.0-7.4.5")
@pytest.mark.parametrize("act", [actions.suspend_account, actions.close_account, actions.name_administrator])
def test_an_administrators_act_ends_every_device(user, administrator, thief, act):
    act(user, by=administrator)
    assert thief.reads() == 0


@pytest.mark.asvs("v5.0.0-7.4.5")
def test_suspended_and_opened_again_the_former_sessions_stay_ended(user, administrator, thief):
    call_command("account", "suspendre", "--email", user.email, "--par", administrator.email)
    call_command("account", "rouvrir", "--email", user.email, "--par", administrator.email)
    assert thief.reads() == 0
    user.refresh_from_db()
    assert user.is_active


def test_another_address_or_no_longer_an_administrator_ends_every_device(user, administrator, thief):
    actions.change_email(user, "autre@cabinet.example", by=administrator)
    assert thief.reads() == 0


@pytest.mark.asvs("v5.0.0-7.4.3")
class TestFactors:
    """A factor added, renewed or taken away: who held the account as it was has lost it everywhere else."""

    def test_added(self, client, thief, fresh_counters, django_capture_on_commit_callbacks):
        page = client.get("/compte/second-facteur/application/ajouter/").content.decode()
        secret = re.search(r"<samp>(\w+)</samp>", page)[1]
        with django_capture_on_commit_callbacks(execute=True):
            client.post("/compte/second-facteur/application/ajouter/", {"code": code_of(secret)})
        assert thief.reads() <= 1 and client.get("/page-essai/").status_code == 200
        assert Session.objects.count() == 1

    @pytest.mark.parametrize("page", ["application/retirer/", "codes/renouveler/"])
    def test_taken_away_or_renewed(self, client, user, thief, page, django_capture_on_commit_callbacks):
        TOTP.activate(user, SECRET)
        RecoveryCodes.activate(user)
        assert thief.reads() == 2
        with django_capture_on_commit_callbacks(execute=True):
            assert client.post(f"/compte/second-facteur/{page}").status_code == 302
        assert Session.objects.count() == 1 and client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-7.2.4")
def test_showing_again_who_one_is_changes_the_key(client, user, sign_in, monkeypatch):
    sign_in(user)
    before, now = client.cookies["sessionid"].value, time.time()
    monkeypatch.setattr(time, "time", lambda: now + 601)
    asked = client.post("/page-sensible/", {"motif": "tri"})
    done = client.post(asked.url, {"password": PASSWORD, "next": "/page-sensible/"})
    assert done.content == b"fait tri"
    after = client.cookies["sessionid"].value
    assert after != before
    visitor = type(client)()
    visitor.cookies = SimpleCookie({"sessionid": before})
    assert visitor.get("/page-essai/").status_code == 302
    assert client.get("/page-essai/").status_code == 200


@pytest.mark.asvs("v5.0.0-7.2.1", "v5.0.0-7.2.2")
@pytest.mark.parametrize("forged", ["", "a" * 32, "0" * 8 + "-0000", "' OR 1=1 --", "\u00e9" * 10])
def test_a_key_that_nobody_was_given_opens_nothing(client, user, sign_in, forged):
    sign_in(user)
    visitor = type(client)()
    visitor.cookies = SimpleCookie({"sessionid": forged})
    assert visitor.get("/page-essai/").status_code == 302


@pytest.mark.asvs("v5.0.0-7.2.1")
def test_what_a_session_says_is_signed(client, user, sign_in):
    sign_in(user)
    row = Session.objects.get(user=user)
    body, _, signature = row.session_data.rpartition(":")
    Session.objects.update(session_data=f"{body}:{signature[:-2]}AA")
    assert client.get("/page-essai/").status_code == 302


@pytest.mark.asvs("v5.0.0-7.2.2", "v5.0.0-7.2.3", "v5.0.0-11.5.1")
def test_keys_are_drawn_long_and_never_twice():
    keys = {SessionStore()._get_new_session_key() for _ in range(300)}
    # 32 letters of 36: 165 bits.
    assert len(keys) == 300 and all(re.fullmatch(r"[a-z0-9]{32}", key) for key in keys)
    assert len({key[:4] for key in keys}) > 290


@pytest.mark.asvs("v5.0.0-7.4.4")
def test_every_page_of_somebody_signed_in_offers_to_leave(client):
    client.force_login(UserFactory(is_administrator=True))
    leave = 'formaction="/compte/deconnexion/"'
    for path in (
        "/dossiers/",
        "/compte/",
        "/annuaire/",
        "/a-faire/",
        "/agenda/",
        "/aide/",
        "/administration/comptes/",
    ):
        answer = client.get(path, follow=True)
        assert answer.status_code == 200 and leave in answer.content.decode(), path
    from pathlib import Path

    from django.template import engines

    # Every whole page is made from the one that draws the bar.
    roots = {"base.html", "dossier_base.html"}
    for path in Path(engines["jinja2"].template_dirs[0]).rglob("*.html"):
        text = path.read_text()
        if "<html" in text and path.name not in roots:
            assert path.parent.name in {"errors", "emails"} or path.name == "429.html", path


@pytest.mark.asvs("v5.0.0-7.5.1")
@pytest.mark.parametrize(
    "page",
    ["second-facteur/application/ajouter/", "second-facteur/application/retirer/", "second-facteur/codes/",
     "second-facteur/codes/renouveler/", "second-facteur/cles/ajouter/"],
)  # fmt: skip
def test_changing_what_proves_who_one_is_asks_again(client, user, sign_in, monkeypatch, page):
    sign_in(user)
    if "ajouter" not in page:
        TOTP.activate(user, SECRET)
        RecoveryCodes.activate(user)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + django_settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1)
    answer = client.get(f"/compte/{page}")
    assert answer.status_code == 302 and answer.url.startswith("/compte/identite/")


class TestCodes:
    @pytest.mark.asvs("v5.0.0-6.5.5")
    def test_a_code_of_an_application_lives_thirty_seconds_but_for_the_drift_of_a_clock(
        self, client, user, sign_in, fresh_counters, monkeypatch
    ):
        TOTP.activate(user, SECRET)
        now = time.time()
        code = code_of(SECRET)
        for later, opens in ((91, False), (0, True)):
            monkeypatch.setattr(time, "time", lambda later=later: now + later)
            visitor = type(client)()
            sign_in(user, client=visitor)
            answer = visitor.post("/compte/second-facteur/verifier/", {"code": code})
            assert (answer.status_code == 302) is opens, later

    @pytest.mark.asvs("v5.0.0-6.5.3", "v5.0.0-6.5.4")
    def test_codes_and_seeds_are_drawn_and_long_enough(self):
        from allauth.mfa import app_settings
        from allauth.mfa.totp.internal.auth import generate_totp_secret

        assert app_settings.RECOVERY_CODE_DIGITS >= 7, "20 bits are six digits and a bit"
        drawn = [RecoveryCodes.activate(UserFactory()).generate_codes() for _ in range(20)]
        assert all(len(code) == app_settings.RECOVERY_CODE_DIGITS for codes in drawn for code in codes)
        # Two hundred of a hundred million: an unlucky pair at most.
        assert len({code for codes in drawn for code in codes}) >= 198
        seeds = {generate_totp_secret() for _ in range(100)}
        assert len(seeds) == 100 and all(len(seed) * 5 >= 128 for seed in seeds)
