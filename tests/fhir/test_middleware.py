"""The short way of the API: what serves browsers is not asked; what protects every answer is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.accounts.models import Session
from tests.accounts.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.asvs("v5.0.0-3.5.2")
@pytest.mark.req("SECT-24")
def test_a_session_is_not_looked_at(client):
    client.force_login(UserFactory())
    before = list(Session.objects.values_list("last_seen_at", "session_data"))
    answer = client.get("/fhir/CareTeam")
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert not answer.cookies
    assert "Vary" not in answer or "Cookie" not in answer["Vary"]
    assert list(Session.objects.values_list("last_seen_at", "session_data")) == before


@pytest.mark.req("SECT-24")
def test_nor_at_the_base_itself(client):
    """`POST [base]` is asked without the last slash too: it goes the same way."""
    client.force_login(UserFactory())
    before = list(Session.objects.values_list("last_seen_at", "session_data"))
    with CaptureQueriesContext(connection) as asked:
        answer = client.post("/fhir", {"resourceType": "Bundle"}, content_type="application/fhir+json")
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert not [one["sql"] for one in asked if "accounts_session" in one["sql"]]
    assert list(Session.objects.values_list("last_seen_at", "session_data")) == before


def test_every_answer_keeps_its_headers(client):
    answer = client.get("/fhir/metadata")
    assert answer.status_code == 200
    assert (answer["X-Frame-Options"], answer["Cache-Control"]) == ("DENY", "no-store")
    assert int(answer["Content-Length"]) == len(answer.content)
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    assert answer["X-Request-ID"]


def test_the_token_endpoint_goes_the_long_way(client):
    # Attempts are counted by what knows the request there.
    assert client.post("/fhir/oauth/token").status_code == 400


def test_an_address_nobody_answers_is_an_outcome(client):
    answer = client.get("/fhir/nulle/part/ici")
    assert (answer.status_code, answer.json()["resourceType"]) == (404, "OperationOutcome")
