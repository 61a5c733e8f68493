"""REL-6 for invitations: a real worker, a real broker and a real mail server that misbehaves; none missing.

`FULL=1` sends a thousand. A server that hangs is left to tests/outbox: each costs EMAIL_TIMEOUT.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections import defaultdict
from email import message_from_bytes
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from django.db import connection, transaction
from django.utils import timezone

from circle import actions, tracking
from circle.models import Invitation
from coordination.outbox import doorbell
from coordination.outbox.models import Message, State
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix

pytestmark = [pytest.mark.slow, pytest.mark.req("REL-6", "REL-1")]
COUNT = 1_000 if os.environ.get("FULL") else 120
KILLS = 2
# Four workers at most are in the middle of a letter when one kills them.
WORKERS = 4
# What the server does the first time it sees a letter, by the rank of the recipient.
FAULTS = ("", "451", "cut before", "cut after", "garbage", "", "", "550")


def fault_of(address):
    return FAULTS[int(address.partition("@")[0]) % len(FAULTS)]


class Misbehaving:
    """Takes each letter well the second time; what it has taken is in `taken`, by Message-ID."""

    def __init__(self):
        self.taken = defaultdict(list)
        self.met = set()

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content)
        key, address = mail["Message-ID"], envelope.rcpt_tos[0]
        fault = "" if key in self.met else fault_of(address)
        self.met.add(key)
        if fault in ("451", "550"):
            return f"{fault} no"
        if fault != "cut before":
            self.taken[key].append(address)
        if fault.startswith("cut"):
            server.transport.abort()
        return "n'importe quoi" if fault == "garbage" else "250 taken"


@pytest.fixture
def smtp():
    handler = Misbehaving()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        handler.port = free.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=handler.port, ready_timeout=30)
    controller.start()
    yield handler
    controller.stop()


def start_worker(port, folder):
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    variables = os.environ | {
        "DJANGO_SETTINGS_MODULE": "coordination.settings.base", "DATABASE_URL": url, "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(port), "OUTBOX_EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
    }  # fmt: skip
    schedule = str(folder / f"beat-{uuid.uuid4().hex}")
    options = [
        "-B",
        "-s",
        schedule,
        f"--concurrency={WORKERS}",
        "--pool=threads",
        "--without-mingle",
        "--without-gossip",
    ]
    return subprocess.Popen(
        [sys.executable, "-m", "celery", "--quiet", "-A", "coordination", "worker", *options],
        env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip


def kill(worker):
    """kill -9 of the worker and of the clock it started."""
    os.killpg(worker.pid, signal.SIGKILL)
    worker.wait()


def wait(until, seconds):
    limit = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < limit, Message.objects.values_list("state", "last_error").distinct()
        time.sleep(0.2)


def left():
    return Message.objects.filter(state__in=[State.EN_FILE, State.EN_COURS, State.A_REESSAYER]).count()


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_no_invitation_is_lost_and_none_leaves_for_an_undone_act(smtp, monkeypatch, tmp_path):
    # In this process a ring would be the whole delivery: only the worker's own sweep rings.
    monkeypatch.setattr(doorbell, "ring", lambda what, key: False)
    publish_default_matrix()
    by = make.coordinator()
    people = {"family_name": "Figurant", "given_name": "Léa", "profession": make.NURSE}
    for rank in range(COUNT):
        actions.invite_colleague(by=by, email=f"{rank}@cabinet.example", creation_key=uuid.uuid4(), **people)
    with transaction.atomic():
        actions.invite_colleague(by=by, email="8888@cabinet.example", creation_key=uuid.uuid4(), **people)
        transaction.set_rollback(True)
    worker = start_worker(smtp.port, tmp_path)
    try:
        for share in range(1, KILLS + 1):
            wait(lambda share=share: len(smtp.met) >= COUNT * share // (KILLS + 2), 120)
            kill(worker)
            worker = start_worker(smtp.port, tmp_path)
        wait(lambda: not left(), 240)
    finally:
        kill(worker)

    rows = {row.message_id: row for row in Message.objects.all()}
    assert len(rows) == COUNT and set(smtp.taken) <= set(rows), "a letter left under another Message-ID"
    refused = {key for key, row in rows.items() if row.state == State.ECHEC}
    assert {fault_of(rows[key].to) for key in refused} == {"550"}
    assert set(rows) - set(smtp.taken) == refused, "letters said to be sent never arrived"
    twice = {key for key, taken in smtp.taken.items() if len(taken) > 1}
    cut_after = {
        key for key, row in rows.items() if FAULTS[int(row.to.split("@")[0]) % len(FAULTS)] in ("cut after", "garbage")
    }
    assert len(twice - cut_after) <= KILLS * WORKERS
    assert all(len(taken) <= 1 + 1 + KILLS for taken in smtp.taken.values())
    # Each letter that may have arrived twice is said to be uncertain.
    assert {key for key in twice if not rows[key].is_uncertain} == set()
    shown = {row.email: tracking.tell(row) for row in Invitation.objects.with_delivery().with_names()}
    assert {shown[rows[key].to].label for key in cut_after} == {"Remise incertaine"}
    assert {shown[rows[key].to].label for key in refused} == {"Non remise"}
    assert "refusé" in shown[rows[next(iter(refused))].to].detail
    assert timezone.now() < Invitation.objects.first().expires_at
