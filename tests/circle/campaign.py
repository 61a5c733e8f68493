"""What the campaign of REL-6 stands on: servers of its own to kill, a mail server that misbehaves, web and worker.

Nothing here judges: `test_invitations_delivery` does.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from email import message_from_bytes
from pathlib import Path
from types import SimpleNamespace

import psycopg
from aiosmtpd.controller import Controller

from coordination.runtime import account, broker, postgres, processes
from coordination.runtime.places import ROOT, Place

# Letters that one kill finds in the middle of their dialogue, at most.
WORKERS = 4
# Of the sender. Long enough for a busy machine, short enough for a campaign that meets a hundred silences.
EMAIL_TIMEOUT = 4
LONGER_THAN_ANY_TIMEOUT = 60
# What the server does the first time it meets a letter, by the rank of its recipient.
FAULTS = (
    "", "450 address", "451 letter", "cut before", "", "cut after", "garbage", "", "hang before", "", "hang after",
    "550 address", "", "554 letter", "", "", "", "", "", "",
)  # fmt: skip
# The letter is in the mailbox, and the sender does not know it: a second one is the only way to be sure.
TAKEN_UNKNOWN = frozenset({"cut after", "garbage", "hang after"})
# Nobody answered: nothing says whether it arrived.
UNANSWERED = TAKEN_UNKNOWN | {"cut before", "hang before"}
REFUSED = frozenset({"550 address", "554 letter"})
# One dialogue in so many never gets past its first word.
MUTE_EVERY = 61


def fault_of(address: str) -> str:
    rank = address.partition("@")[0]
    return FAULTS[int(rank) % len(FAULTS)] if rank.isdigit() else ""


class Misbehaving:
    """Takes each letter well the second time. `taken`: when each Message-ID was taken, and for whom."""

    def __init__(self, database_url):
        self._database_url, self._database = database_url, None
        self.taken = defaultdict(list)
        self.met = set()
        self.dialogues = defaultdict(int)
        self.greeted = 0
        # Dialogues that began before their attempt was written and committed.
        self.unwritten = []

    def close(self):
        if self._database is not None:
            self._database.close()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.greeted += 1
        if self.greeted % MUTE_EVERY == 0:
            await asyncio.sleep(LONGER_THAN_ANY_TIMEOUT)
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        self.dialogues[address] += 1
        self._look_for_the_attempt(address)
        fault = fault_of(address)
        if fault.endswith("address") and address not in self.met:
            self.met.add(address)
            return f"{fault[:3]} no"
        envelope.rcpt_tos.append(address)
        return "250 go on"

    async def handle_DATA(self, server, session, envelope):
        key, address = message_from_bytes(envelope.content)["Message-ID"], envelope.rcpt_tos[0]
        fault = "" if address in self.met else fault_of(address)
        self.met.add(address)
        if fault.endswith("letter"):
            return f"{fault[:3]} no"
        if fault not in ("cut before", "hang before"):
            self.taken[key].append((time.time(), address))
        if fault.startswith("cut"):
            server.transport.abort()
        if fault.startswith("hang"):
            await asyncio.sleep(LONGER_THAN_ANY_TIMEOUT)
        return "n'importe quoi" if fault == "garbage" else "250 taken"

    def _look_for_the_attempt(self, address):
        """Read, from outside, what the sender has committed before it speaks."""
        asked = 'SELECT state, attempts FROM outbox_message WHERE "to" = %s ORDER BY created_at DESC LIMIT 1'
        try:
            if self._database is None:
                self._database = psycopg.connect(self._database_url, autocommit=True)
            state, attempts = self._database.execute(asked, [address]).fetchone()
        except psycopg.OperationalError:
            # Killed a moment ago by the campaign itself: this dialogue cannot be judged.
            self.close()
            self._database = None
            return
        if state != "en_cours" or attempts < self.dialogues[address]:
            self.unwritten.append((address, state, attempts, self.dialogues[address]))


class MailServer:
    """Opened in the middle: until then nothing listens there, and connections are refused."""

    def __init__(self, database_url):
        self.handler = Misbehaving(database_url)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._controller = Controller(self.handler, hostname="127.0.0.1", port=self.port, ready_timeout=30)

    def open(self):
        self._controller.start()

    def close(self):
        if self._controller.server is not None:
            self._controller.stop()
        self.handler.close()


class Servers:
    """A PostgreSQL and a Redis that may be killed: once started again, each is where it was."""

    def __init__(self, folder: Path, monkeypatch):
        place = Place("campaign", folder)
        place.make()
        state, owner = place.remember(), account.server_account()
        self.cluster, self.broker = postgres.Cluster(place, state, owner), broker.Broker(place, state, owner)
        self.cluster.start()
        self.broker.start()
        sockets = self.cluster.memory["sockets"]

        def same_folder(**_asked):
            os.mkdir(sockets, 0o700)
            return sockets

        port, password = self.broker.memory["port"], self.broker.memory["password"]
        monkeypatch.setattr(postgres, "tempfile", SimpleNamespace(mkdtemp=same_folder))
        monkeypatch.setattr(broker, "_free_port", lambda: port)
        monkeypatch.setattr(broker, "new_password", lambda: password)

    def stop(self):
        self.broker.stop()
        self.cluster.stop()

    def kill_broker(self, away: float = 3):
        os.kill(self.broker.memory["pid"], signal.SIGKILL)
        time.sleep(away)
        self.broker.start()

    def restart_database(self, away: float = 1):
        self.cluster.stop()
        time.sleep(away)
        self.cluster.start()

    def kill_database(self):
        pid = int((self.cluster.data / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        assert processes.wait_gone(pid, self.cluster.data, 5)
        self.cluster.start()


class Worker:
    """A Celery worker and its clock, as production runs them."""

    def __init__(self, variables, folder: Path):
        schedule = str(folder / f"beat-{uuid.uuid4().hex}")
        options = ["-B", "-s", schedule, f"--concurrency={WORKERS}", "--without-mingle", "--without-gossip"]
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "coordination", "worker", *options]
        self._process = _started(command, variables, folder / "worker.log")

    def kill(self):
        """kill -9 of the worker, of its children and of its clock, at once."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Web:
    """Who invites, in a process of its own (tests/circle/inviter.py). `acknowledged`: the last rank done."""

    def __init__(self, variables, folder: Path, count: int):
        self._variables, self._folder, self._count = variables, folder, count
        self.acknowledged = -1
        self._start()

    def _start(self):
        command = [sys.executable, "-m", "tests.circle.inviter", str(self.acknowledged + 1), str(self._count)]
        self._process = _started(command, self._variables, self._folder / "web.log", stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout])
        self._reader.start()

    def _read(self, lines):
        with lines:
            for line in lines:
                self.acknowledged = int(line)

    def kill(self):
        """kill -9, perhaps between a commit and what it would have said of it."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join()

    def start_again(self):
        self._start()

    def is_done(self):
        assert not self._process.poll(), "the web fell by itself: web.log says why"
        return self._process.poll() == 0


def _started(command, variables, log: Path, stdout=None):
    with log.open("ab") as said:
        return subprocess.Popen(
            command, env=os.environ | variables, cwd=ROOT, stdout=stdout or said, stderr=said, text=True,
            start_new_session=True,
        )  # fmt: skip
