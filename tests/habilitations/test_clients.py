"""Software that calls the API: connected by administrators, known by a secret that nobody can read again."""

import base64
import datetime as dt
import json
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from habilitations import actions, scopes, secrets
from habilitations.client_errors import AlreadyConnected, ClientRevoked, ScopesMissing
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace, ClientToken, SoftwareClient
from tests.accounts.factories import UserFactory
from tests.circle import factories as make
from tests.fhir.callers import EVERY_SCOPE, FORM, TOKEN_PAGE, ask_token, basic, connect, token_of

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-24")]


@pytest.fixture
def administrator():
    return UserFactory(administrator=True)


@pytest.fixture
def software():
    return connect()


# ---- scopes --------------------------------------------------------------------------------------


@pytest.mark.asvs("v5.0.0-10.3.2", "v5.0.0-10.4.11")
@pytest.mark.parametrize(("asked", "within"), [
    ("system/CareTeam.rs", True), ("system/CareTeam.crus", True), ("system/CareTeam.r", True),
    ("system/CareTeam.d", False), ("system/CareTeam.cruds", False), ("system/Organization.r", False),
    ("user/CareTeam.rs", False), ("patient/CareTeam.rs", False), ("system/*.rs", False),
    ("system/CareTeam.sr", False), ("system/CareTeam.", False), ("system/CareTeam.read", False),
    ("openid", False), ("system/CareTeam.rs?category=x", False), ("", False), ("SYSTEM/CareTeam.rs", False),
])  # fmt: skip
def test_what_is_within_what_was_allowed(asked, within):
    assert (scopes.refused([asked], EVERY_SCOPE) == []) is within


def test_everything_is_within_when_every_type_is():
    allowed = [f"system/{name}.rs" for name in scopes.TYPES]
    assert scopes.refused(["system/*.rs", "system/*.r"], allowed) == []
    assert scopes.refused(["system/*.cu"], allowed) == ["system/*.cu"]
    assert scopes.refused(["system/*.rs"], allowed[:-1]) == ["system/*.rs"]


def test_boxes_become_scopes_and_words():
    made = scopes.compose("system", ["CareTeam.cu", "CareTeam.rs", "Patient.rs", "Inconnu.rs", "Patient.d", "x"])
    assert made == ["system/Patient.rs", "system/CareTeam.crus"]
    assert scopes.in_words(made) == [
        "Personnes accompagnées : lire et chercher", "Cercles de soins : lire et chercher, créer et modifier",
    ]  # fmt: skip


# ---- connecting, renewing, revoking --------------------------------------------------------------


def test_a_secret_is_kept_hashed_only(software):
    client, secret = software
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM habilitations_softwareclient t")
        kept = cursor.fetchone()[0]
    assert secret not in kept
    assert secrets.hashed(secret) in kept
    assert secrets.looks_like(secrets.CLIENT_SECRET, secret)


def test_only_an_administrator_connects_and_ends(software):
    client, _ = software
    somebody = make.coordinator()
    for by in (somebody, None, UserFactory(administrator=True, suspended=True)):
        with pytest.raises(NotAllowed):
            actions.register_client(client.structure, name="x", contact="a@b.example", scopes=EVERY_SCOPE, by=by)
        for act in (actions.renew_secret, actions.revoke_client):
            with pytest.raises(NotAllowed):
                act(client, by=by)
        with pytest.raises(NotAllowed):
            actions.change_scopes(client, scopes=EVERY_SCOPE, seen=scopes.digest_of(EVERY_SCOPE), by=by)


def test_a_name_is_connected_once_for_a_structure(software, administrator):
    client, _ = software
    said = {"name": client.name, "contact": "a@b.example", "scopes": EVERY_SCOPE, "by": administrator}
    with pytest.raises(AlreadyConnected):
        actions.register_client(client.structure, **said)
    actions.register_client(make.StructureFactory(), **said)
    actions.revoke_client(client, by=administrator)
    actions.register_client(client.structure, **said)


def test_a_software_that_may_nothing_is_not_connected(administrator):
    with pytest.raises(ScopesMissing):
        connect(scopes=())
    client, _ = connect()
    with pytest.raises(ScopesMissing):
        actions.change_scopes(client, scopes=(), seen=scopes.digest_of(EVERY_SCOPE), by=administrator)
    for wrong in (["user/Patient.rs"], ["system/Patient.rs", "tout"], ["system/Patient."]):
        with pytest.raises(ScopesMissing):
            actions.change_scopes(client, scopes=wrong, seen=scopes.digest_of(EVERY_SCOPE), by=administrator)
    with pytest.raises(IntegrityError), transaction.atomic():
        SoftwareClient.objects.filter(pk=client.pk).update(scopes=[])


def test_each_act_is_in_the_journal(software, administrator):
    client, _ = software
    actions.renew_secret(client, by=administrator)
    seen = scopes.digest_of(client.scopes)
    actions.change_scopes(client, scopes=["system/Patient.rs"], seen=seen, by=administrator)
    actions.revoke_client(client, by=administrator)
    actions.revoke_client(client, by=administrator)
    told = AccountTrace.objects.filter(object_kind="logiciel", object_id=client.pk).order_by("id")
    assert [line.action for line in told] == [
        "connexion logiciel", "secret logiciel", "portée logiciel", "fin logiciel",
    ]  # fmt: skip
    assert {line.actor_id for line in told[1:]} == {administrator.pk}


# ---- the token -----------------------------------------------------------------------------------


def test_a_token_is_given_to_who_shows_the_secret(client, software):
    app, secret = software
    answer = ask_token(client, app, secret, scope="system/CareTeam.rs")
    said = answer.json()
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 3600, "system/CareTeam.rs")
    assert "refresh_token" not in said
    kept = ClientToken.objects.get()
    assert (kept.client, kept.scopes) == (app, ["system/CareTeam.rs"])
    assert kept.token_hash == secrets.hashed(said["access_token"])
    assert "Set-Cookie" not in answer.headers
    line = AccountTrace.objects.latest("id")
    assert (line.action, line.object_id, line.software) == ("jeton logiciel", app.pk, "Logiciel Exemple")


def test_no_token_stands_in_the_database(client, software):
    token = token_of(client, *software)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(row_to_json(t)::text, '') FROM habilitations_clienttoken t")
        assert token not in cursor.fetchone()[0]


def test_the_secret_may_be_in_the_body(client, software):
    app, secret = software
    form = {"grant_type": "client_credentials", "client_id": str(app.pk), "client_secret": secret}
    said = client.post(TOKEN_PAGE, "&".join(f"{k}={v}" for k, v in form.items()), content_type=FORM)
    assert said.status_code == 200
    assert set(said.json()["scope"].split()) == set(EVERY_SCOPE)


def negative_cases():
    """Return {what: (form, headers)}; each may use the software and its secret (SECT-24)."""
    good = {"grant_type": "client_credentials"}

    def header(text):
        return lambda app, secret: (good, {"Authorization": text})

    def coded(text):
        return header("Basic " + base64.b64encode(text.encode()).decode())

    def with_secret(**form):
        return lambda app, secret: (good | form, basic(app, secret))

    none = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    return {
        "no secret at all": lambda app, secret: (good, {}),
        "wrong secret": lambda app, secret: (good, basic(app, secrets.make(secrets.CLIENT_SECRET))),
        "secret of another software": lambda app, secret: (good, basic(app, connect(name="Autre")[1])),
        "secret cut": lambda app, secret: (good, basic(app, secret[:-1])),
        "secret and a space": lambda app, secret: (good, basic(app, secret + " x")),
        "empty secret": lambda app, secret: (good, basic(app, "")),
        "hash for secret": lambda app, secret: (good, basic(app, app.secret_hash)),
        "name for id": coded("Logiciel Exemple:x"),
        "no colon": coded("abc"),
        "not base64": header("Basic éé*"),
        "not text": header("Basic " + base64.b64encode(b"\xff\xfe:\xff").decode()),
        "bearer": header("Bearer abc"),
        "scheme alone": header("Basic"),
        "two ways at once": lambda app, secret: (
            good | {"client_id": str(app.pk), "client_secret": secret}, basic(app, secret),
        ),
        "unsigned assertion": lambda app, secret: (good | {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": f"{none}.e30.", "client_id": str(app.pk),
        }, {}),
        "unknown id": coded(f"{'0' * 8}-0000-7000-8000-{'0' * 12}:x"),
        "zero in the id": coded("\0:x"),
        "no grant": lambda app, secret: ({}, basic(app, secret)),
        "password grant": with_secret(grant_type="password", username="a", password="b"),
        "refresh grant": with_secret(grant_type="refresh_token", refresh_token="x"),
        "code grant": with_secret(grant_type="authorization_code", code="x"),
        "device grant": with_secret(grant_type="urn:ietf:params:oauth:grant-type:device_code"),
        "jwt grant": with_secret(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer", assertion=none),
        "exchange grant": with_secret(grant_type="urn:ietf:params:oauth:grant-type:token-exchange"),
        "scope too wide": with_secret(scope="system/CareTeam.cruds"),
        "scope of another type": with_secret(scope="system/Organization.rs"),
        "scope of a person": with_secret(scope="user/CareTeam.rs"),
        "scope of everything": with_secret(scope="system/*.cruds"),
        "scope unknown": with_secret(scope="openid fhirUser"),
        "one scope too many": with_secret(scope="system/CareTeam.rs system/CareTeam.d"),
    }  # fmt: skip


CASES = negative_cases()


@pytest.mark.asvs("v5.0.0-10.4.4", "v5.0.0-10.4.10", "v5.0.0-16.3.1")
@pytest.mark.req("SECT-24")
@pytest.mark.parametrize("name", CASES)
def test_anything_else_is_refused_and_in_the_journal(client, software, name):
    app, secret = software
    form, headers = CASES[name](app, secret)
    body = "&".join(f"{key}={value}" for key, value in form.items())
    answer = client.post(TOKEN_PAGE, body, content_type=FORM, headers=headers)
    assert answer.status_code in (400, 401)
    said = answer.json()
    assert re.fullmatch(r"[a-z_]+", said["error"])
    assert "access_token" not in said
    assert secret not in answer.content.decode()
    if answer.status_code == 401:
        assert (said["error"], answer["WWW-Authenticate"]) == ("invalid_client", 'Basic realm="fhir"')
    assert not ClientToken.objects.exists()
    line = AccountTrace.objects.latest("id")
    assert (line.action, line.outcome) == ("jeton logiciel", "refus")


@pytest.mark.req("SECT-24")
def test_thirty_cases_are_refused():
    assert len(CASES) >= 30


@pytest.mark.asvs("v5.0.0-15.3.7")
@pytest.mark.parametrize(("path", "content_type", "body"), [
    (f"{TOKEN_PAGE}?grant_type=client_credentials", FORM, ""),
    (TOKEN_PAGE, "application/json", json.dumps({"grant_type": "client_credentials"})),
    (TOKEN_PAGE, FORM, "x=" + "y" * 10_000),
    (TOKEN_PAGE, FORM, "grant_type=client_credentials&grant_type=client_credentials"),
    (TOKEN_PAGE, FORM, "grant_type=client_credentials&scope=a&scope=b"),
    (TOKEN_PAGE, FORM, "\0%zz&&=;"),
])  # fmt: skip
def test_a_request_out_of_shape_is_refused(client, software, path, content_type, body):
    answer = client.post(path, body, content_type=content_type, headers=basic(*software))
    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_request", "unsupported_grant_type")


def test_only_a_post_asks(client):
    assert client.get(TOKEN_PAGE).status_code == 405


@pytest.mark.req("SECT-7", "SECT-24")
def test_a_secret_renewed_or_a_software_revoked_gives_no_more_token(client, software, administrator):
    app, secret = software
    token_of(client, app, secret)
    renewed = actions.renew_secret(app, by=administrator)
    assert not ClientToken.objects.exists()
    assert ask_token(client, app, secret).status_code == 401
    assert ask_token(client, app, renewed).status_code == 200
    actions.revoke_client(app, by=administrator)
    assert not ClientToken.objects.exists()
    assert ask_token(client, app, renewed).status_code == 401
    with pytest.raises(ClientRevoked):
        actions.issue_client_token(app, token="x", scopes=["system/CareTeam.rs"])
    with pytest.raises(ClientRevoked):
        actions.renew_secret(app, by=administrator)


def test_old_tokens_go_when_a_new_one_comes(client, software):
    token_of(client, *software)
    ClientToken.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    token_of(client, *software)
    assert ClientToken.objects.count() == 1


def test_asking_again_and_again_is_slowed_down(client, software, settings):
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"api_token": "3/m/ip"}
    answers = [ask_token(client, *software) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1]["Retry-After"] == "60"
    assert answers[-1].json()["error"] == "temporarily_unavailable"


def test_what_announces_it_is_for_everybody(client):
    said = client.get("/fhir/.well-known/smart-configuration").json()
    assert said["token_endpoint"] == "http://testserver/fhir/oauth/token"
    assert said["grant_types_supported"] == ["client_credentials"]
    assert "system/CareTeam.crus" in said["scopes_supported"]
