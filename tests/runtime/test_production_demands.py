"""What each room asks of a production, one wrong setting at a time, and the refusal to start (SECT-15)."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery.signals import beat_init, worker_init

from coordination.common import safety, terminal
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
    return started(sys.executable, *command, **changes)


def started(*command, **changes):
    """Run a program with the variables of a safe production, changed one by one; it is to end by itself."""
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=ROOT, env=KEPT | SAFE | changes, capture_output=True, text=True, timeout=90)


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
def test_the_workers_refuse_to_start_with_the_sentence(settings, signal, capsys):
    settings.INVITATION_DAYS = 365
    signal.send(sender=None)  # not in production: nothing is refused
    settings.REFUSES_UNSAFE_START = True
    with pytest.raises(SystemExit) as ended:
        signal.send(sender=None)
    assert ended.value.code == 1
    assert "circle.E001: INVITATION_DAYS" in capsys.readouterr().err


# As units and containers start them (deploy/systemd), by the programs that are installed beside Python.
HERE = Path(sys.executable).parent
PROGRAMS = {
    "web": [HERE / "gunicorn", "-c", "deploy/gunicorn.conf.py", "--bind", "127.0.0.1:0", "coordination.wsgi"],
    "worker": [HERE / "celery", "-A", "coordination", "worker", "--pool", "solo"],
    "beat": [HERE / "celery", "-A", "coordination", "beat"],
}
# Refused before Django exists, by the reading of a variable, by a demand of a room.
REFUSED = [
    ({"SECRET_KEY": "short"}, r"Production refuses to start:\n- SECRET_KEY is too weak\. .+\n"),
    ({"FHIR_CALLS_PER_MINUTE": "many"}, r"FHIR_CALLS_PER_MINUTE must be a whole number, not 'many'\.\n"),
    ({"FHIR_CALLS_PER_MINUTE": "0"}, r"Production refuses to start:\n- fhir\.E002: FHIR_CALLS_PER_MINUTE .+\n"),
]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(("changes", "said"), REFUSED, ids=["guard", "variable", "demand"])
def test_who_refuses_to_start_says_why_without_a_trace(tmp_path, program, changes, said):
    """In the journal of the machine stand the sentences, and no line of our code nor of theirs."""
    # Warned of here alone: no static files were gathered, and tests may be those of root.
    schedule = ["--schedule", tmp_path / "schedule"] if program == "beat" else []
    refused = started(*PROGRAMS[program], *schedule, PYTHONWARNINGS="ignore", **changes)
    assert refused.returncode not in (0, None)
    assert re.fullmatch(said, refused.stderr), refused.stderr


def test_a_server_that_loads_nothing_beforehand_ends_too():
    """It gives to each process the whole of the loading: one that refuses must not be started for ever."""
    refused = started(HERE / "gunicorn", "--bind", "127.0.0.1:0", "coordination.wsgi", SECRET_KEY="short")
    assert refused.returncode == terminal.NOT_STARTED
    assert "SECRET_KEY is too weak" in refused.stderr and "Traceback" not in refused.stderr


def test_what_only_a_trace_explains_keeps_it(capsys):
    with pytest.raises(ZeroDivisionError):
        terminal.stop(ZeroDivisionError())
    assert capsys.readouterr().err == ""
