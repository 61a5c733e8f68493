"""Restoring to a chosen second, rehearsed as docs/operations-backup.md tells it (REL-12).

A server that archives its journal, a base backup, acts dated by the server, an error at a known moment; then, on
another folder, the state of the second before. And a server killed with its disk: what the receiver had is not lost.
"""

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from coordination.runtime.account import server_account
from coordination.runtime.processes import ENVIRONMENT
from coordination.runtime.programs import find_postgres

pytestmark = [pytest.mark.slow, pytest.mark.once, pytest.mark.req("REL-12")]
ARCHIVING = ("wal_level=replica", "archive_mode=on", "max_wal_senders=3", "listen_addresses=", "shared_buffers=32MB")


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        where = Place(Path(name))
        yield where


class Place:
    """A folder that the server's user may write in, and PostgreSQL's programs run as that user."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.account = folder, server_account()
        self.programs = find_postgres(self.account)
        folder.chmod(0o711)
        for name in ("archive", "received"):
            self.make(name)

    def make(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir(mode=0o700)
        self.account.give(made)
        return made

    def run(self, name: str, *arguments: str) -> None:
        command = [self.programs.program(name), *arguments]
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=ENVIRONMENT, **self.account.options()
        )
        assert done.returncode == 0, done.stderr

    def start(self, name: str, *arguments: str) -> subprocess.Popen:
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [self.programs.program(name), *arguments],
                stdout=log, stderr=log, cwd="/", env=ENVIRONMENT, **self.account.options(),
            )  # fmt: skip

    def give(self, path: Path, text: str) -> None:
        path.write_text(text)
        self.account.give(path)

    @contextmanager
    def server(self, data: Path, *settings: str):
        """A running server and a connection to it; killed, not stopped, when the block ends."""
        sockets = self.make(f"s{time.monotonic_ns()}")
        options = [word for setting in (*ARCHIVING, *settings) for word in ("-c", setting)]
        process = self.start("postgres", "-D", str(data), "-k", str(sockets), *options)
        try:
            with self.connected(sockets, process) as connection:
                yield sockets, connection
        finally:
            process.kill()
            process.wait()

    def connected(self, sockets: Path, process: subprocess.Popen) -> psycopg.Connection:
        deadline = time.monotonic() + 60
        while True:
            try:
                return psycopg.connect(host=str(sockets), user="postgres", dbname="postgres", autocommit=True)
            except psycopg.OperationalError:
                assert process.poll() is None and time.monotonic() < deadline, self.log()
                time.sleep(0.1)

    def log(self) -> str:
        return (self.folder / "postgres.log").read_text()[-2000:]


def promoted(connection):
    deadline = time.monotonic() + 60
    while connection.execute("SELECT pg_is_in_recovery()").fetchone()[0]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return connection


def act(connection, number):
    return connection.execute("INSERT INTO acts VALUES (%s, clock_timestamp()) RETURNING at", [number]).fetchone()[0]


def test_the_state_of_a_chosen_second_and_of_the_last_one(place):
    data, base = place.make("data"), place.make("base")
    place.run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--locale=C.UTF-8", "--encoding=UTF8")
    archive = f"archive_command=test ! -f {place.folder}/archive/%f && cp %p {place.folder}/archive/%f"
    with place.server(data, archive) as (sockets, connection):
        connection.execute("CREATE TABLE acts (number int PRIMARY KEY, at timestamptz NOT NULL)")
        place.run("pg_basebackup", "-D", str(base), "-h", str(sockets), "-U", "postgres", "--checkpoint=fast")
        receiver = place.start(
            "pg_receivewal", "-D", f"{place.folder}/received", "-h", str(sockets), "-U", "postgres", "--synchronous"
        )
        try:
            for number in range(10):
                last_good = act(connection, number)
                time.sleep(0.1)
            chosen = connection.execute("SELECT clock_timestamp()").fetchone()[0]
            time.sleep(0.1)
            connection.execute("DELETE FROM acts WHERE number < 9")
            for number in range(10, 40):
                last_act = act(connection, number)
                time.sleep(0.02)
            # What a receiver elsewhere has when the machine is lost: half a second is enough, five are promised.
            time.sleep(0.5)
        finally:
            receiver.terminate()
            receiver.wait()
    # The disk of the server is lost with it: `data` is not looked at again.
    for received in (place.folder / "received").glob("*.partial"):
        received.rename(received.with_suffix(""))
    fetch = f"restore_command=cp {place.folder}/archive/%f %p 2>/dev/null || cp {place.folder}/received/%f %p"
    started = time.monotonic()
    chosen_rows = recovered(place, base, "second", fetch, f"recovery_target_time={chosen.isoformat()}")
    assert [number for number, _ in chosen_rows] == list(range(10))
    assert chosen_rows[-1][1] == last_good
    last_rows = recovered(place, base, "latest", fetch)
    assert [number for number, _ in last_rows][:1] == [9], "the error is part of the last state"
    lost = (last_act - last_rows[-1][1]).total_seconds()
    sys.stdout.write(f"\nlost {lost:.3f} s; two recoveries in {time.monotonic() - started:.1f} s\n")
    assert lost <= 5


def recovered(place, base, name, *settings):
    """The rows of a base backup brought to a target, in a folder of its own."""
    data = place.make(name)
    copied = subprocess.run(
        ["cp", "-a", f"{base}/.", str(data)], cwd="/", capture_output=True, text=True, **place.account.options()
    )
    assert copied.returncode == 0, copied.stderr
    place.give(data / "recovery.signal", "")
    with place.server(data, "recovery_target_action=promote", "archive_command=true", *settings) as (_, connection):
        return promoted(connection).execute("SELECT number, at FROM acts ORDER BY number").fetchall()
