"""`make run` itself, as a person lives it: started twice at once, stopped, killed, started again, on a full disk.

One story for what happens on one checkout, on a small demonstration: loading it for each question would take minutes.
"""

import os
import re
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from coordination.demo.people import PEOPLE
from coordination.runtime import processes, supervise
from coordination.runtime.account import server_account
from coordination.runtime.places import ROOT, Place
from coordination.runtime.postgres import Cluster
from coordination.runtime.services import ROOM_NEEDED

# Three starts and a load; each wait has its own patience.
pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.timeout(1200)]
PATIENCE = 300
# What pytest set for itself must not reach the product.
OURS = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", "PORT", "DATA_DIR", "SITE_URL", "SECRET_KEY")
SMALL = {"DEMO_PROFESSIONALS": "600", "DEMO_DOSSIERS": "12"}


class Run:
    """One `make run`, after its bootstrap: what it says is kept, and waited for."""

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self.port = port or free_port()
        environment = {name: value for name, value in os.environ.items() if name not in OURS}
        environment |= SMALL | {"DATA_DIR": str(data_dir), "PORT": str(self.port)}
        command = [sys.executable, "-m", "coordination.runtime", "run"]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A suite started in the background of a shell ignores Ctrl-C, and would hand that down.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.said = ""

    def wait_for(self, text: str) -> None:
        """Read until `text` is said. Fails when the command ends or takes too long."""
        out, deadline = self.process.stdout, time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            while text not in self.said:
                assert time.monotonic() < deadline, f"Nothing like {text!r} in:\n{self.said}"
                if selector.select(1):
                    read = os.read(out.fileno(), 65536)
                    assert read, f"It ended without {text!r}:\n{self.said}"
                    self.said += read.decode()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.end()

    def end(self) -> int:
        """The exit code, once it has ended by itself or on a signal."""
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.said += rest.decode()
        return self.process.returncode

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://localhost:{self.port}/sante/pret", timeout=20) as answer:
                return answer.status == 200
        except OSError:
            return False


@contextmanager
def running(data_dir, port=None):
    """A start that is stopped whatever happens to the test."""
    run = Run(data_dir, port)
    try:
        yield run
    finally:
        if run.process.poll() is None:
            run.stop(signal.SIGTERM)
        run.process.stdout.close()


@pytest.fixture
def data_dir():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        yield Path(name, "data")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def rows(data_dir, sql):
    """Ask the running database."""
    place = Place("run", data_dir)
    url = Cluster(place, place.remember(), server_account()).url
    with psycopg.connect(url, options="-c coordination.actor=system:tests") as connection:
        return connection.execute(sql).fetchone()


def servers(data_dir):
    """The processes of PostgreSQL and Redis that work in the data."""
    return [pid for name in ("postgres", "redis") for pid in processes.working_in(data_dir / "run" / name)]


def wait_until(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_life_of_a_checkout(data_dir):
    # Two first starts at once: one prepares, the other waits and finds all done; both serve the same data.
    with running(data_dir) as one, running(data_dir) as two:
        for run in (one, two):
            run.wait_for("Ready: ")
            assert f"Ready: http://localhost:{run.port}/" in run.said
            assert all(person.email in run.said for person in PEOPLE)
            assert run.answers()
        said = one.said + two.said
        assert said.count("Démonstration chargée.") == 1
        assert said.count("  Migrations … ") == 1
        assert said.count("waiting for it") == 1
        assert rows(data_dir, "SELECT count(*) FROM accounts_user") == (len(PEOPLE),)
        dossiers = rows(data_dir, "SELECT count(*) FROM dossiers_dossier")
        assert dossiers[0] >= 12

        # Ctrl-C in one: it stops cleanly, and takes nothing from the other.
        assert one.stop() == 0
        assert one.said.rstrip().endswith("Stopped. The data stay in place.")
        assert "Traceback" not in one.said
        assert not one.answers()
        assert two.answers()

        # kill -9 of the other: no web server is left on the port, and the servers left behind are no obstacle.
        two.stop(signal.SIGKILL)
        wait_until(lambda: not supervise.refusal_to_listen("127.0.0.1", two.port))
    assert servers(data_dir)
    with running(data_dir, two.port) as again:
        again.wait_for("Ready: ")
        assert again.answers()
        assert rows(data_dir, "SELECT count(*) FROM dossiers_dossier") == dossiers
        # Nothing is prepared a second time, hence the seconds that it takes.
        assert "Migrations" not in again.said
        assert "Demonstration data" not in again.said

        # The port of a start is refused to another one, before anything is touched.
        with running(data_dir, again.port) as third:
            assert third.end() == 1
            assert f"Port {again.port} is already taken" in third.said
        assert again.answers()
        assert again.stop(signal.SIGTERM) == 0
    assert not servers(data_dir)
    assert "Traceback" not in again.said + two.said


@pytest.fixture
def small_disk():
    """A disk just large enough to start. Root may mount one; elsewhere the test says loudly that it did not run."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        size = ROOM_NEEDED + 50_000_000
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs", name]
        done = subprocess.run(command, capture_output=True, text=True) if os.geteuid() == 0 else None
        if done is None or done.returncode:
            if done and os.environ.get("CI"):
                pytest.fail(f"In CI the full disk must be tried: {done.stderr}")
            pytest.skip("FULL DISK NOT TRIED: a tmpfs cannot be mounted here (root can)")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


@contextmanager
def filled(disk):
    """No byte left, as long as the block lasts."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    try:
        yield
    finally:
        ballast.unlink()


@pytest.mark.parametrize("moment", ["Migrations", "Annuaire : structures FINESS"])
def test_a_disk_that_fills_is_a_sentence(small_disk, moment):
    with running(small_disk / "data") as run:
        run.wait_for(moment)
        with filled(small_disk):
            assert run.end() == 1
    last = run.said.strip().splitlines()[-1]
    assert re.match(r"The disk is full \(.+\)\. Free about 1 GB there, then run the same command again", last)
    assert "Traceback" not in run.said
    assert "  File " not in run.said
