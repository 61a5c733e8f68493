"""What is searched by the API stands in no log: an INS in an address, a token in a header, a name (SEC-22)."""

import logging

import pytest

from coordination.fhir import interactions
from tests.circle import factories as make
from tests.fhir.api import Api
from tests.fhir.callers import FORM, TOKEN_PAGE, basic, connect, personal

pytestmark = [pytest.mark.django_db, pytest.mark.req("SEC-22", "SEC-24")]
INS, NAME, SYSTEM = "265022A00412345", "Quatrelivres", "urn:oid:1.2.250.1.213.1.4.8"
SEARCHES = (
    f"Patient?identifier={SYSTEM}|{INS}",
    f"CareTeam?patient.identifier={SYSTEM}%7C{INS}&patient.name={NAME}",
    f"Patient?family={NAME}&birthdate=1941-03-14",
    f"Patient/{INS}",
    f"{NAME}?x={INS}",
    f"Patient?_count={NAME}&_format={INS}",
    f"Practitioner?_include={NAME}:{INS}",
)


@pytest.fixture
def lines():
    """Everything that is logged, at every level, as the product writes it."""
    said, root = [], logging.getLogger()
    handler = logging.Handler()
    handler.setFormatter(root.handlers[0].formatter)
    handler.emit = lambda record: said.append(handler.format(record))
    root.addHandler(handler)
    yield said
    root.removeHandler(handler)


def clean(lines, *more):
    text = "\n".join(lines)
    assert lines
    for word in (INS, NAME, *more):
        assert word not in text


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
def test_a_search_leaves_nothing_in_the_logs(client, lines, search, known):
    api = Api.of(client, make.coordinator()) if known else Api(client, {"Authorization": f"Bearer {NAME}"})
    assert api.get(search).status_code < 500
    api.post(search.partition("?")[0] + "/_search", search.partition("?")[2].encode())
    clean(lines)


def test_what_breaks_leaves_nothing_either(client, lines, monkeypatch):
    def broken(*args, **kwargs):
        local = f"{INS} {NAME}"
        raise RuntimeError(local)

    monkeypatch.setattr(interactions, "read", broken)
    answer = Api.of(client, make.coordinator()).get(f"Patient/{make.UserFactory().pk}?x={INS}")
    assert answer.status_code == 500
    assert INS not in answer.content.decode()
    clean(lines)
    assert any("RuntimeError" in line for line in lines)


@pytest.mark.asvs("v5.0.0-16.2.5")
def test_no_secret_is_logged(client, lines):
    app, secret = connect()
    form = f"grant_type=client_credentials&scope={NAME}"
    client.post(TOKEN_PAGE, form, content_type=FORM, headers=basic(app, secret))
    token = client.post(TOKEN_PAGE, "grant_type=client_credentials", content_type=FORM, headers=basic(app, secret))
    mine = personal(make.account())[1]
    for bearer in (token.json()["access_token"], mine, secret):
        client.get("/fhir/Practitioner", headers={"Authorization": f"Bearer {bearer}", "Acting-Professional": INS})
    clean(lines, secret, mine, token.json()["access_token"], secret[-20:])


def test_the_library_of_tokens_says_nothing_below_a_warning():
    assert logging.getLogger("oauthlib").getEffectiveLevel() >= logging.WARNING
