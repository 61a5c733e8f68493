"""« Logiciels connectés », « Mes jetons d’accès »: who opens is asked again; a secret is shown once, never kept."""

import datetime as dt
import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from coordination.accounts.models import Draft, Session
from coordination.common.french import nbsp
from habilitations.actions import change_scopes
from habilitations.models import PersonalToken, SoftwareClient
from habilitations.scopes import compose, digest_of, in_words
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.fhir.callers import EVERY_SCOPE, connect, personal

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-24", "SEC-18")]
SAID = {"name": "Logiciel Exemple", "contact": "support@logiciel.example", "allowed": ["CareTeam.rs", "CareTeam.cu"]}


def token():
    last = timezone.localdate() + dt.timedelta(days=30)
    return {"name": "Tableur", "expires_on": f"{last:%d/%m/%Y}", "allowed": ["Practitioner.rs"]}


@pytest.fixture
def administrator(client):
    user = UserFactory(administrator=True)
    client.force_login(user)
    return user


def shown_long_ago(client):
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()


def secret_in(page):
    return re.search(r'value="(coordination_[sp]_[\w-]+)"', page.content.decode()).group(1)


def acts(client):
    """Return {act: (address, form)} of what opens something."""
    structure, (app, _) = make.StructureFactory(), connect()
    return {
        "connect": (reverse("administration:connect_client", args=[structure.pk]), SAID),
        "renew": (reverse("administration:renew_client_secret", args=[app.pk]), {}),
        "permit": (
            reverse("administration:client", args=[app.pk]),
            {"allowed": ["Patient.rs"], "seen": digest_of(app.scopes)},
        ),
        "token": (reverse("tokens:make"), token()),
    }


@pytest.mark.parametrize("act", ["connect", "renew", "permit", "token"])
def test_what_opens_asks_again_who_is_there(client, administrator, act):
    address, form = acts(client)[act]
    shown_long_ago(client)
    asked = client.post(address, form)
    assert asked.status_code == 302
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert SoftwareClient.objects.get().scopes == list(EVERY_SCOPE)
    assert not PersonalToken.objects.exists()


def test_what_closes_asks_nothing(client, administrator):
    app, made = connect()[0], personal(administrator)[0]
    shown_long_ago(client)
    assert client.post(reverse("administration:revoke_client", args=[app.pk])).status_code == 303
    assert client.post(reverse("tokens:revoke", args=[made.pk])).status_code == 303
    assert not SoftwareClient.objects.connected().exists()
    assert not PersonalToken.objects.alive().exists()


@pytest.mark.asvs("v5.0.0-10.1.1")
def test_a_secret_is_shown_once_and_kept_by_nobody(client, administrator):
    address, form = acts(client)["connect"]
    page = client.post(address, form)
    secret = secret_in(page)
    assert page["Cache-Control"] == "no-store"
    app = SoftwareClient.objects.latest("created_at")
    assert app.scopes == ["system/CareTeam.crus"]
    for name, ids in (("client", [app.pk]), ("clients", [])):
        assert secret not in client.get(reverse(f"administration:{name}", args=ids)).content.decode()
    for model in (Session, Draft):
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ''), '') FROM {model._meta.db_table} t")  # noqa: S608
            assert secret not in cursor.fetchone()[0]
    assert secret not in str(client.session.items())


def test_the_same_name_again_is_refused_beside_its_field(client, administrator):
    address, form = acts(client)["connect"]
    client.post(address, form)
    again = client.post(address, form)
    assert again.status_code == 422
    assert "Ce logiciel est déjà connecté pour cette structure." in again.content.decode().replace("\xa0", " ")


@pytest.mark.parametrize("spoilt", [
    {"name": ""}, {"contact": "pas une adresse"}, {"allowed": []}, {"allowed": ["Patient.d"]}, {"allowed": ["*.rs"]},
    {"name": "x" * 81},
])  # fmt: skip
def test_a_form_with_an_error_connects_nothing(client, administrator, spoilt):
    address, form = acts(client)["connect"]
    before = SoftwareClient.objects.count()
    assert client.post(address, form | spoilt).status_code == 422
    assert SoftwareClient.objects.count() == before


@pytest.mark.req("REL-11")
def test_the_second_of_two_who_change_permissions_sees_both_texts(client, administrator):
    """The page of before gives back nothing that somebody withdrew."""
    app, _ = connect(scopes=["system/Patient.rs", "system/CareTeam.rs"])
    address = reverse("administration:client", args=[app.pk])
    seen = re.search(r'name="seen"[^>]*?value="(\w+)"', client.get(address).content.decode())[1]
    sent = {"allowed": ["Patient.rs", "CareTeam.rs", "Organization.rs"], "seen": seen}
    change_scopes(app, scopes=["system/Patient.rs"], seen=seen, by=administrator)
    assert re.search(rf'name="seen"[^>]*?value="{seen}"', client.post(address, {"seen": seen}).content.decode())
    second = client.post(address, sent)
    page = second.content.decode().replace("\xa0", " ")
    assert second.status_code == 409 and "pendant votre saisie" in page and "Votre saisie est gardée" in page
    app.refresh_from_db()
    assert app.scopes == ["system/Patient.rs"]
    assert client.post(address, sent | {"seen": ""}).status_code == 409
    shown = re.search(r'name="seen"[^>]*?value="(\w+)"', page)[1]
    assert client.post(address, sent | {"seen": shown}).status_code == 303
    app.refresh_from_db()
    assert app.scopes == compose("system", sent["allowed"])


def test_a_software_disconnected_is_told_and_changes_no_more(client, administrator):
    app, _ = connect()
    client.post(reverse("administration:revoke_client", args=[app.pk]))
    page = client.get(reverse("administration:client", args=[app.pk])).content.decode()
    assert "Déconnecté" in page
    assert "Changer le secret" not in page
    assert client.post(reverse("administration:renew_client_secret", args=[app.pk])).status_code == 303
    assert client.post(reverse("administration:client", args=[app.pk]), {"allowed": ["Patient.rs"]}).status_code == 422
    app.refresh_from_db()
    assert app.scopes == list(EVERY_SCOPE)


@pytest.mark.req("PERF-3")
def test_as_many_statements_for_thirty_as_for_three(client, administrator, settings):
    settings.SESSION_TOUCH_SECONDS = 10**6
    counted = []
    for number in (3, 15):
        for rank in range(number):
            connect(name=f"Logiciel {number}-{rank}")
            personal(administrator, name=f"Jeton {number}-{rank}")
        for name in ("administration:clients", "tokens:list"):
            client.get(reverse(name))
            with CaptureQueriesContext(connection) as captured:
                assert client.get(reverse(name)).status_code == 200
            counted.append((name, len(captured)))
    assert counted[:2] == counted[2:]
    assert max(count for _, count in counted) <= 12


def test_each_thing_that_may_be_asked_is_on_a_line_of_its_own(client, administrator):
    app, _ = connect()
    own, _ = personal(administrator, scopes=("user/CareTeam.rs", "user/Practitioner.rs"))
    for page, scopes in (("administration:clients", app.scopes), ("tokens:list", own.scopes)):
        lines = [nbsp(line) for line in in_words(scopes)]
        shown = client.get(reverse(page)).content.decode()
        assert len(lines) > 1
        assert [line for line in lines if f'<p class="second">{line}</p>' not in shown] == [], page


def test_one_sees_one_s_own_tokens_only(client, administrator):
    personal(make.account(), name="Jeton d’une autre")
    assert "Jeton d’une autre" not in client.get(reverse("tokens:list")).content.decode()


def test_a_token_made_on_screen_is_of_its_author(client, administrator):
    page = client.post(reverse("tokens:make"), token())
    assert page.status_code == 200
    made = PersonalToken.objects.get()
    assert (made.user, made.scopes, made.name) == (administrator, ["user/Practitioner.rs"], "Tableur")
    assert secret_in(page).startswith("coordination_p_")
