"""What each room asks of a production, one wrong setting at a time, and the refusal to start (SECT-15)."""

import json
import re
import subprocess
import sys

import pytest
from celery.signals import beat_init, worker_init

from coordination.common import safety
from coordination.runtime.places import ROOT
from tests.runtime import wrong_settings
from tests.runtime.test_production_settings import KEPT, SAFE

ASKED = (
    "import django, json, sys; django.setup(); from tests.runtime import wrong_settings;"
    "json.dump(wrong_settings.said(), sys.stdout)"
)
CASES = [*wrong_settings.WRONG, *wrong_settings.DJANGO_SEES]
pytestmark = pytest.mark.req("SEC-26", "SECT-15")


def production(*command, **changes):
    """Run Python with the variables of a safe production, changed one by one."""
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=KEPT | SAFE | changes, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def answers():
    """What is said of the safe production, then of each case: one process for all."""
    done = production("-c", ASKED)
    assert done.returncode == 0, done.stderr
    first, *others = json.loads(done.stdout)
    return {"safe": first} | dict(zip(map(str, CASES), others, strict=True))


def test_the_safe_settings_have_nothing_said_of_them(answers):
    assert answers["safe"] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1]}")
def test_one_wrong_setting_is_refused_by_its_own_sentence(answers, case):
    number, _, _ = case
    said = answers[str(case)]
    assert [one.partition(":")[0] for one in said if one.startswith(number)] == [number]
    # What Django says as well of the same setting is no second reason; another demand of ours would be.
    ours = [one for one in said if not one.startswith(("security.", number))]
    assert ours == [] or number.startswith("security."), ours


def test_there_are_enough_and_each_demand_has_its_wrong_setting():
    assert len(safety.DEMANDED) >= 25 and len(CASES) >= 50
    assert set(safety.DEMANDED) - {number for number, _, _ in wrong_settings.WRONG} == set()


def test_each_demand_names_what_to_set():
    for number, wanted in safety.DEMANDED.items():
        assert wanted.sentence.endswith("."), number
        assert re.search(r"\b[A-Z]+(_[A-Z]+)*\b", wanted.sentence.replace("TLS", "")), number


def test_a_demand_that_cannot_be_read_does_not_hold():
    wanted = safety.Demand(1, "X est réglé.", lambda values: values.NOTHING_OF_THE_KIND > 1)
    assert not safety._holds(wanted, object())
    with pytest.raises(ValueError, match="one number"):
        safety.register("twice", [wanted, wanted])
    with pytest.raises(ValueError, match="one number"):
        safety.register("circle", [wanted])


def test_the_web_server_refuses_to_start_with_the_sentence():
    refused = production("-c", "import coordination.wsgi; print('started')", FHIR_CALLS_PER_MINUTE="0")
    assert refused.returncode != 0 and "started" not in refused.stdout
    assert "Production refuses to start" in refused.stderr and "fhir.E002: FHIR_CALLS_PER_MINUTE" in refused.stderr


@pytest.mark.parametrize("signal", [worker_init, beat_init], ids=["worker", "beat"])
def test_the_workers_refuse_to_start_with_the_sentence(settings, signal):
    settings.INVITATION_DAYS = 365
    signal.send(sender=None)  # not in production: nothing is refused
    settings.REFUSES_UNSAFE_START = True
    with pytest.raises(SystemExit, match=re.escape("circle.E001: INVITATION_DAYS")):
        signal.send(sender=None)
