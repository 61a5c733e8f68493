"""The OpenAPI document: what it says is what is answered."""

import json
import re

import pytest
from django.urls import get_resolver

from coordination.fhir import registry
from coordination.fhir.views import Nowhere
from tests.conformance.attack import attack
from tests.fhir.api import Api


@pytest.fixture
def document(client, db):
    answer = client.get("/fhir/openapi.json")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    return json.loads(answer.content)


def test_every_type_that_is_declared_is_there(document):
    assert set(registry.types()) <= set(document["components"]["schemas"])
    for name in registry.types():
        offered = {code for provider in registry.for_type(name) for code in provider.interactions}
        assert {"get", "put"} <= set(document["paths"][f"/{name}/{{id}}"]) or "update" not in offered
        assert (f"/{name}/{{id}}/_history" in document["paths"]) is ("history-instance" in offered)


def test_every_schema_that_is_named_is_there(document):
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert named <= set(document["components"]["schemas"])


def test_each_path_of_the_document_is_an_address(document):
    def answers(address):
        return get_resolver("coordination.urls").resolve(f"/fhir{address}").func.view_class

    assert answers("/nulle/part") is Nowhere
    for path in document["paths"]:
        assert answers(path.replace("{id}", "a").replace("{version}", "1")) is not Nowhere, path


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.req("CDS-5")
def test_nothing_is_answered_that_is_not_declared(live_server, settings, coordinator, client):
    """A short run; `make conformance` makes a long one."""
    settings.FHIR_CALLS_PER_MINUTE = 0
    headers = Api.of(client, coordinator).headers
    code, said = attack(live_server.url, headers, examples=1, seconds=10, phases="fuzzing")
    assert code == 0, said
