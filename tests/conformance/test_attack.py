"""schemathesis for minutes, where tests/fhir/test_openapi.py gives it seconds."""

import os

import pytest

from tests.circle.conftest import publish_default_matrix
from tests.conformance.attack import attack
from tests.conformance.plan import SCOPES
from tests.fhir import callers

SECONDS = 900 if os.environ.get("FULL") else 60


# The limits of a Bundle, taken one by one, are nearly all the time there is.
@pytest.mark.parametrize(("phases", "without"), [("fuzzing", ()), ("coverage", ("/",))])
def test_no_undeclared_status_and_no_5xx_but_failed_transactions(
    live_server, transactional_db, client, settings, phases, without
):
    settings.FHIR_CALLS_PER_MINUTE = 0
    publish_default_matrix()
    structure = callers.make.StructureFactory()
    _, national_id = callers.professional(structure)
    software, secret = callers.connect(structure, scopes=SCOPES)
    headers = callers.acting(callers.token_of(client, software, secret), national_id)
    code, said = attack(
        live_server.url, headers, examples=200, seconds=SECONDS, phases=phases, without=without, seed=7
    )
    print(said[-2000:])
    assert code == 0, said
