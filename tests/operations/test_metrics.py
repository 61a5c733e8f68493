"""What is counted names routes, methods and statuses of ours, and nothing that anybody typed (SEC-22, SECT-6)."""

import json
import os
import re
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from coordination.common import metrics
from coordination.operations import serving
from coordination.runtime.places import ROOT
from tests.accounts.factories import UserFactory
from tests.circle.conftest import publish_default_matrix
from tests.outbox.factories import MessageFactory
from tests.test_architecture import named_routes

INS, NAME, MAIL = "265022A00412345", "Quatrelivres", "zephirine@famille.example"
QUEUES = {"message", "job", "relay", "calendar"}
# Each label of each metric, and what it may say.
LABELS = {
    "route": {name for name, _, _ in named_routes()} | {metrics.NONE},
    # A request refused before it was read has neither route nor method.
    "method": metrics.METHODS | {metrics.OTHER, metrics.NONE},
    "queue": QUEUES,
    "chain": {"dossier", "compte"},
}


def samples():
    return [one for family in text_string_to_metric_families(serving.text()) for one in family.samples]


def value(name, **labels):
    found = [one.value for one in samples() if one.name == name and labels.items() <= one.labels.items()]
    return sum(found) if found else None


@pytest.mark.django_db
@pytest.mark.req("SECT-6", "SEC-22")
def test_nothing_typed_is_in_the_metrics(client):
    publish_default_matrix()
    planted = f"/dossiers/{NAME}/?ins={INS}"
    lax = Client(raise_request_exception=False)
    for visitor in (client, lax):
        visitor.get(planted, headers={"Host": f"{NAME}.example", "User-Agent": NAME, "Referer": planted})
        visitor.generic(NAME.upper(), "/", headers={"X-Request-ID": NAME})
        visitor.post("/compte/connexion/", {"login": MAIL, "password": NAME})
        visitor.get(f"/agenda/flux/{NAME}/", {"nom": NAME})
    client.force_login(UserFactory(email=MAIL, family_name=NAME))
    client.get("/dossiers/", {"q": NAME})
    MessageFactory(to=MAIL, subject=NAME, text=INS, last_error=NAME)
    said = serving.text().lower()
    assert 'method="autre"' in said and 'route="-"' in said, "the walk left nothing to look at"
    for word in (NAME, INS, MAIL, "famille.example", "/dossiers/"):
        assert word.lower() not in said


@pytest.mark.django_db
@pytest.mark.req("SECT-6")
def test_each_label_says_a_name_of_ours(client):
    client.get("/aide/")
    for one in samples():
        for label, said in one.labels.items():
            if label == "route" and said.startswith("tests."):
                continue  # a page of the suite's own, asked before this test
            if label in LABELS:
                assert said in LABELS[label], (one.name, label, said)
            elif label == "status":
                assert re.fullmatch(r"[1-5]\d\d", said)
            else:
                assert label in {"le", "kind", "state"}, f"{one.name}: nobody has said what {label} may hold"


@pytest.mark.django_db
def test_a_request_is_counted_by_the_name_of_its_page(client):
    before = value("coordination_requests_total", route="help", method="GET", status="200") or 0
    timed = value("coordination_request_seconds_count", route="help") or 0
    probed = value("coordination_requests_total", route="alive")
    client.get("/aide/")
    client.get("/sante/vivant")
    assert value("coordination_requests_total", route="help", method="GET", status="200") == before + 1
    assert value("coordination_request_seconds_count", route="help") == timed + 1
    assert value("coordination_requests_total", route="alive") == probed


def test_a_row_begun_early_was_not_late():
    before = value_here("coordination_queue_wait_seconds_sum")
    metrics.begun("message", timedelta(seconds=-3))
    assert value_here("coordination_queue_wait_seconds_sum") == before


def value_here(name):
    return sum(one.value for family in metrics.REGISTRY.collect() for one in family.samples if one.name == name)


# ---- Several processes ---------------------------------------------------------------------------

COUNTING = """
import json, os, sys
import django
django.setup()
from coordination.common import metrics
for line in sys.stdin:
    metrics.WAIT_SECONDS.labels("job").observe(1)
    if line.strip() == "fork":
        if (child := os.fork()) == 0:
            metrics.WAIT_SECONDS.labels("job").observe(1)
            os._exit(0)
        os.waitpid(child, 0)
    print(json.dumps(sorted(os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"]))), flush=True)
"""


@pytest.fixture
def counting(tmp_path):
    """Return a function that starts a process which counts one wait for each line that it is given."""
    started = []

    def start():
        process = subprocess.Popen(
            [sys.executable, "-c", COUNTING], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics")},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def counts(process, said=""):
    """Have a process count once; return the files that are there then."""
    process.stdin.write(f"{said}\n")
    process.stdin.flush()
    return json.loads(process.stdout.readline())


@pytest.mark.slow
def test_processes_are_added_up_and_leave_no_file_behind_them(counting, tmp_path, monkeypatch):
    """Killed or not, each place is taken again: workers renewed for ever leave as many files as lived together."""
    folder = tmp_path / "metrics"
    first, second = counting(), counting()
    counts(first), counts(second)
    files = counts(first, "fork")
    assert [name for name in files if name.endswith(".db")] == [f"histogram_{place}.db" for place in (0, 1, 2)]
    first.send_signal(signal.SIGKILL)
    first.wait()
    third = counting()
    assert counts(third) == files, "the place of who was killed is free again"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(folder))
    registry = serving.counted()
    total = registry.get_sample_value("coordination_queue_wait_seconds_count", {"queue": "job"})
    assert total == 5, "what the killed process counted stays, and so does what its child counted"
