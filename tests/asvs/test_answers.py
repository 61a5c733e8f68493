"""Headers, cookies, methods and types of every kind of answer: a page, a file, a fragment, the API, a refusal."""

import json
import re
import subprocess
import sys

import pytest
from allauth.core.internal.httpkit import get_client_ip
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection
from django.http import BadHeaderError, HttpResponse
from django.test import Client
from django.urls import reverse

from coordination.common.headers import FOR_PROGRAMS
from coordination.common.logging import as_line
from habilitations.traces import via_request
from tests.accounts.factories import PASSWORD, UserFactory
from tests.asvs import reading
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.runtime.test_production_settings import KEPT, SAFE
from tests.security import routes as r
from tests.test_architecture import named_routes

pytestmark = [pytest.mark.django_db, pytest.mark.req("SECT-1")]

NAMES = (
    "SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "SESSION_COOKIE_SAMESITE",
    "SESSION_COOKIE_DOMAIN", "SESSION_COOKIE_PATH", "CSRF_COOKIE_NAME", "CSRF_COOKIE_SECURE", "CSRF_COOKIE_HTTPONLY",
    "CSRF_COOKIE_SAMESITE", "CSRF_COOKIE_DOMAIN", "CSRF_COOKIE_PATH", "SECURE_HSTS_SECONDS",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_SSL_REDIRECT", "SECURE_REDIRECT_EXEMPT", "SECURE_REFERRER_POLICY",
    "SECURE_CONTENT_TYPE_NOSNIFF", "MFA_REQUIRED", "DEBUG", "PASSWORD_HASHERS", "MESSAGE_STORAGE", "INSTALLED_APPS",
    "ALLAUTH_TRUSTED_PROXY_COUNT", "MAILBOX_PAGE", "INS_TEST_ALLOWED", "PARTNERS_ALLOW_PRIVATE",
)  # fmt: skip
READ = f"""
import json, os, sys
from django.conf import settings
json.dump({{name: getattr(settings, name, None) for name in {NAMES!r}}}, sys.stdout, default=str)
"""
TEXTS = r"text/(html|css|javascript|plain|csv|calendar)|application/(fhir\+)?(json|xml)|image/svg\+xml"
TYPES = re.compile(rf'({TEXTS}); ?charset="?utf-8"?')


@pytest.fixture(scope="module")
def production():
    """The settings of production, as the product reads them when it starts."""
    done = subprocess.run(
        [sys.executable, "-c", READ], env=KEPT | SAFE, capture_output=True, text=True, check=True, cwd=reading.ROOT
    )
    return json.loads(done.stdout)


@pytest.fixture
def in_production(settings, production):
    """The browser protections of production, on this process."""
    for name in NAMES:
        if name.startswith(("SESSION_COOKIE", "CSRF_COOKIE", "SECURE_")):
            setattr(settings, name, production[name])
    return settings


@pytest.fixture
def kinds(in_production):
    """{what it is: the answer}, one of each kind, asked over TLS."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    visitor, member = Client(), Client()
    member.force_login(entry.user)

    def asked(client, path, method="get", **more):
        return getattr(client, method)(path, secure=True, **more)

    home = reverse("dossiers:home", args=[entry.dossier.pk])
    answers = {
        "entrance": asked(visitor, "/compte/connexion/"),
        "redirect": asked(visitor, "/dossiers/"),
        "absent": asked(member, "/nulle/part/"),
        "page": asked(member, home),
        "fragment": asked(member, "/annuaire/", "post", data={"q": "dupont"}, headers={"HX-Request": "true"}),
        "workbook": asked(member, "/dossiers/export.xlsx"),
        "answer in JSON": asked(member, "/compte/session/"),
        "API without a token": asked(visitor, "/fhir/Patient"),
        "what the API is": asked(visitor, "/fhir/metadata"),
        "token refused": asked(visitor, "/fhir/oauth/token", "post", data={}),
        "probe": asked(visitor, "/sante/vivant"),
        "script": asked(visitor, "/static/js/app.js"),
        "style": asked(visitor, "/static/css/app.css"),
        "image": asked(visitor, "/static/icons.svg"),
        "method refused": visitor.generic("TRACE", "/", secure=True),
    }
    for answer in answers.values():
        answer.body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answers


@pytest.mark.asvs("v5.0.0-3.4.1")
def test_every_answer_asks_for_tls_for_a_year(kinds):
    for what, answer in kinds.items():
        said = answer.headers.get("Strict-Transport-Security", "")
        assert int(re.search(r"max-age=(\d+)", said)[1]) >= 31_536_000 and "includeSubDomains" in said, what


@pytest.mark.asvs("v5.0.0-3.4.4", "v5.0.0-3.4.5")
def test_no_answer_is_guessed_at_and_no_address_is_told_to_others(kinds):
    for what, answer in kinds.items():
        assert answer.headers["X-Content-Type-Options"] == "nosniff", what
        assert answer.headers["Referrer-Policy"] in {"same-origin", "no-referrer"}, what


@pytest.mark.asvs("v5.0.0-3.4.3", "v5.0.0-3.4.6", "v5.0.0-3.2.1")
def test_every_answer_even_a_file_says_what_may_run_and_where_it_is_shown(kinds):
    for what, answer in kinds.items():
        policy = dict(one.partition(" ")[::2] for one in answer.headers["Content-Security-Policy"].split("; "))
        # What is not named follows default-src: object-src is 'none' too.
        assert policy.get("object-src", policy["default-src"]) == "'none'", what
        assert policy["base-uri"] == policy["frame-ancestors"] == "'none'", what
        assert "unsafe" not in answer.headers["Content-Security-Policy"] and "*" not in policy.values(), what
    assert kinds["workbook"]["Content-Disposition"].startswith("attachment")


@pytest.mark.asvs("v5.0.0-3.4.2")
@pytest.mark.parametrize("path", ["/", "/fhir/metadata", "/fhir/oauth/token", "/static/js/app.js", "/compte/session/"])
def test_no_other_origin_reads_an_answer(client, path):
    headers = {"Origin": "https://ailleurs.example", "Access-Control-Request-Method": "POST"}
    for method in ("get", "options"):
        answer = getattr(client, method)(path, headers=headers)
        if answer.streaming:
            b"".join(answer.streaming_content)
        assert not [name for name in answer.headers if name.lower().startswith("access-control-")], method


@pytest.mark.asvs("v5.0.0-4.1.1")
def test_every_answer_with_a_body_says_its_type_and_encoding(kinds):
    for what, answer in kinds.items():
        body = answer.body
        said = answer.headers.get("Content-Type", "")
        if not body:
            continue
        if what == "workbook":
            assert said.startswith("application/vnd.openxmlformats") and body[:2] == b"PK"
            continue
        # JSON is UTF-8 by its own definition (RFC 8259): a charset adds nothing to it.
        assert TYPES.fullmatch(said.lower()) or said == "application/json", (what, said)
        body.decode("utf-8")
        if "json" in said:
            json.loads(body)


class TestCookies:
    @pytest.mark.asvs("v5.0.0-3.3.1", "v5.0.0-3.3.2", "v5.0.0-3.3.3", "v5.0.0-3.3.4")
    def test_each_is_secure_prefixed_and_closed(self, in_production, production):
        client = Client()
        client.get("/compte/connexion/", secure=True)
        user = UserFactory()
        client.post("/compte/connexion/", {"login": user.email, "password": PASSWORD}, secure=True)
        given = client.cookies
        assert set(given) == {"__Host-session", "__Host-csrf"}
        for name, cookie in given.items():
            assert cookie["secure"] and cookie["httponly"], name
            assert cookie["samesite"] in {"Lax", "Strict"} and cookie["path"] == "/" and not cookie["domain"], name
        # Messages wait in the session: no third cookie is ever set.
        assert production["MESSAGE_STORAGE"].endswith("session.SessionStorage")
        assert reading.scripts() and not [t for t in reading.scripts().values() if "document.cookie" in t]

    @pytest.mark.asvs("v5.0.0-3.3.4")
    def test_the_key_of_a_session_is_in_no_page(self, client):
        client.force_login(UserFactory())
        key = client.cookies["sessionid"].value
        for path in ("/", "/compte/", "/aide/", "/compte/session/"):
            answer = client.get(path, follow=True)
            assert key not in answer.content.decode()


# What programs call with a secret of their own, and what answers to nobody: no cookie opens them.
WITHOUT_TOKEN_OF_FORM = {"api_token"}


@pytest.mark.asvs("v5.0.0-3.5.1")
def test_a_form_of_another_site_does_nothing_anywhere(settings):
    """Every address that is not the API's refuses a POST without the token of a page, before its view is called."""
    settings.BRIS_DE_GLACE = True
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(UserFactory(is_administrator=True))
    open_to = {}
    words = "token key uidb36 form_key kind rubrique profile table column act queue deed".split()
    ids = dict.fromkeys(words, "x") | {"pk": 1, "number": 1}
    for name, _, view in named_routes():
        if name.startswith("fhir") or name in WITHOUT_TOKEN_OF_FORM:
            assert getattr(view, "csrf_exempt", False), name
            continue
        assert not getattr(view, "csrf_exempt", False), name
        parts = r.parts_of(name)
        ids["token"] = "x" * 30 if name.startswith("flux") else "x:x"
        path = reverse(name, kwargs={part: ids.get(part, "0" * 8 + "-0000-7000-8000-" + "0" * 12) for part in parts})
        answer = client.post(path, {}, headers={"Origin": "https://ailleurs.example"})
        if answer.status_code != 403:
            open_to[name] = answer.status_code
    assert open_to == {}


@pytest.mark.asvs("v5.0.0-13.4.4")
@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
@pytest.mark.parametrize("path", ["/", "/aide/", "/fhir/metadata", "/static/absent.js"])
def test_needless_methods_are_refused_and_nothing_is_echoed(client, method, path):
    answer = client.generic(method, path, headers={"Cookie": "secret=canari", "X-Added": "canari"})
    assert answer.status_code == 405
    assert b"canari" not in answer.content


class TestWithoutTls:
    @pytest.mark.asvs("v5.0.0-4.1.2", "v5.0.0-12.2.1")
    @pytest.mark.parametrize("path", ["/", "/aide/", "/compte/connexion/", "/dossiers/?a=b"])
    def test_pages_are_sent_to_https(self, in_production, path):
        answer = Client().get(path)
        assert (answer.status_code, answer.url) == (301, f"https://testserver{path}")

    @pytest.mark.asvs("v5.0.0-4.1.2", "v5.0.0-12.2.1")
    @pytest.mark.parametrize("path", ["/fhir", "/fhir/Patient", "/fhir/oauth/token", "/agenda/flux/secret.ics"])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_programs_are_refused_and_not_redirected(self, in_production, path, method):
        answer = getattr(Client(), method)(path)
        assert answer.status_code == 403 and "Location" not in answer.headers
        assert getattr(Client(), method)(path, secure=True).status_code != 403 or path == "/fhir"

    def test_every_address_of_programs_is_among_those_refused(self, production):
        exempt = [re.compile(said) for said in production["SECURE_REDIRECT_EXEMPT"]]
        served = [
            reverse("fhir_base"),
            reverse("api_token"),
            "/fhir/Patient",
            reverse("flux:calendar", args=["x" * 30]),
        ]
        for path in served:
            assert FOR_PROGRAMS.match(path) and any(one.search(path.lstrip("/")) for one in exempt), path
        for path in ("/", "/agenda/", "/dossiers/", "/fhirons/", "/agenda/fluxion/"):
            assert not FOR_PROGRAMS.match(path) and not any(one.search(path.lstrip("/")) for one in exempt), path

    @pytest.mark.asvs("v5.0.0-12.2.1")
    def test_a_probe_from_inside_needs_none(self, in_production):
        assert Client().get("/sante/vivant").status_code == 200


@pytest.mark.asvs("v5.0.0-6.3.3", "v5.0.0-13.4.2", "v5.0.0-15.2.3")
def test_production_asks_a_second_factor_and_holds_nothing_of_development(production):
    assert production["MFA_REQUIRED"] is True
    assert [production[name] for name in ("DEBUG", "MAILBOX_PAGE", "INS_TEST_ALLOWED", "PARTNERS_ALLOW_PRIVATE")] == [
        False, False, False, False,
    ]  # fmt: skip
    assert "coordination.demo" not in production["INSTALLED_APPS"]
    assert not [name for name in production["INSTALLED_APPS"] if "debug" in name or name == "django.contrib.admin"]


@pytest.mark.asvs("v5.0.0-11.4.2")
def test_production_keeps_passwords_by_a_slow_hash(production):
    assert production["PASSWORD_HASHERS"][0].endswith(".PBKDF2PasswordHasher")
    # What OWASP asks of PBKDF2-HMAC-SHA256 in 2023.
    assert PBKDF2PasswordHasher.algorithm == "pbkdf2_sha256" and PBKDF2PasswordHasher.iterations >= 600_000


@pytest.mark.asvs("v5.0.0-13.4.3")
@pytest.mark.parametrize(
    "path",
    [
        "/static/", "/static/js/", "/static/css", "/static/vendor/htmx/", "/.git/config", "/deploy/environment",
        "/static/../manage.py", "/static/%2e%2e/manage.py",
    ],
)  # fmt: skip
def test_no_folder_is_listed_and_nothing_beside_them_is_served(client, path):
    client.force_login(UserFactory())
    assert client.get(path).status_code in (400, 404)


@pytest.mark.asvs("v5.0.0-5.4.1", "v5.0.0-5.4.2")
def test_names_of_files_are_ours_and_one_line():
    """Each Content-Disposition of the sources says a name that nobody typed, and a header has no line end."""
    said = "\n".join(path.read_text() for path in reading.paths())
    found = re.findall(r'Content-Disposition"?\]?\s*[:=]\s*(f?[\'"].*)', said)
    assert len(found) >= 8
    put_in = {name for said in found for name in re.findall(r"\{([\w.]+)", said)}
    assert put_in <= {"timezone.localdate", "disposition", "filename", "name"}
    with pytest.raises(BadHeaderError):
        HttpResponse(headers={"Content-Disposition": 'attachment; filename="a\r\nSet-Cookie: b"'})


@pytest.mark.asvs("v5.0.0-1.4.2")
@pytest.mark.parametrize("number", ["99999999999999999999", "-1", "1e999", "NaN", "0x10", "٣", "9223372036854775808"])
def test_a_number_out_of_range_is_refused_or_left(client, number):
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    client.force_login(entry.user)
    at = reverse("dossiers:home", args=[entry.dossier.pk])
    for path in ("/dossiers/?page={n}", at + "agenda/?semaine={n}", "/annuaire/?page={n}", at + "cercle/?page={n}"):
        assert client.get(path.format(n=number)).status_code < 500


@pytest.mark.asvs("v5.0.0-1.1.1", "v5.0.0-1.1.2", "v5.0.0-1.3.7")
def test_what_is_typed_is_decoded_once_and_escaped_when_it_is_drawn(client):
    user = UserFactory()
    client.force_login(user)
    typed = "&lt;b&gt; %41 %2541 {{ 7*7 }} \\u0041 <i>"
    client.post("/compte/", {"formulaire": "profil", "title": typed})
    user.refresh_from_db()
    assert user.title == typed
    page = client.get("/compte/").content.decode()
    assert "&amp;lt;b&amp;gt; %41 %2541 {{ 7*7 }} \\u0041 &lt;i&gt;" in page
    assert "<i>" not in page


@pytest.mark.asvs("v5.0.0-3.5.3")
def test_asking_for_a_page_changes_nothing(client):
    """What an image of another site could make a browser ask for: only journal and session are written, and that the
    page was seen: a visit, how many things it said were waiting."""
    publish_default_matrix()
    entry = make.open_circle(make.coordinator())
    client.force_login(entry.user)
    written = []

    def listen(execute, sql, params, many, context):
        if found := re.match(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) \"?(\w+)", str(sql), re.IGNORECASE):
            written.append(found[1])
        return execute(sql, params, many, context)

    asked = 0
    with connection.execute_wrapper(listen):
        for name in r.names():
            parts = r.parts_of(name)
            if set(parts) - {"dossier_id"} or name in {"account_logout"} or name.startswith(("fhir", "api")):
                continue
            asked += client.get(reverse(name, kwargs=dict.fromkeys(parts, entry.dossier.pk))).status_code == 200
    assert asked >= 30
    allowed = {"habilitations_trace", "habilitations_accounttrace", "accounts_session"}
    allowed |= {"dossiers_visit", "circle_todocount"}
    assert {table for table in written if not table.startswith(tuple(allowed))} == set()


@pytest.mark.asvs("v5.0.0-14.3.1")
def test_leaving_asks_the_browser_to_clear_what_it_keeps(client):
    client.force_login(UserFactory())
    left = client.post("/compte/deconnexion/")
    assert left["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in client.get("/compte/connexion/").headers
    # The session's end, when the browser asks nothing: the page goes to the entrance by itself, and no page was kept.
    assert "location" in reading.scripts()["static/js/session.js"]
    assert "no-store" in client.get("/compte/connexion/")["Cache-Control"]


@pytest.mark.asvs("v5.0.0-15.3.4", "v5.0.0-4.1.3")
@pytest.mark.parametrize(("proxies", "given", "counted"), [
    (0, "192.0.2.1", "127.0.0.1"), (1, "192.0.2.1", "192.0.2.1"), (1, "10.9.9.9, 192.0.2.1", "192.0.2.1"),
])  # fmt: skip
def test_who_asks_is_known_by_what_the_proxy_added(rf, settings, proxies, given, counted):
    """The last address is the one our proxy wrote; what stands before it was written by anybody."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    request = rf.get("/", headers={"X-Forwarded-For": given})
    request.id = "0" * 32
    assert get_client_ip(request) == counted
    assert via_request(request).address == counted


@pytest.mark.asvs("v5.0.0-16.4.1")
def test_a_line_end_in_a_text_makes_no_second_line():
    typed = 'a\n{"level": "info"}\r\n'
    written = as_line(None, "", {"event": typed, "value": "\x00\x1b[31m"})
    assert "\n" not in written and "\r" not in written and "\x1b" not in written and "\x00" not in written
    assert json.loads(written)["event"] == typed
