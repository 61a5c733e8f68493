"""The whole product to knock about: its own PostgreSQL and Redis, and the programs that the systemd units name.

What systemd does of a program that stops is done here by a supervisor: started again after the `RestartSec` of its
unit, as often as needed. Nothing here judges.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from coordination.runtime.problems import Problem
from tests.bench import servers
from tests.chaos.post_office import PostOffice
from tests.circle import campaign

PARTS = ("web", "worker", "beat", "sweep")
# Of PostgreSQL and Redis, whose units are their packages'.
SERVERS_RESTART = 1.0
START_PATIENCE = 90
HOST = servers.HOST


@dataclass
class Part:
    """One program of the product. `down`: not to be started again until said."""

    name: str
    command: list[str]
    restart_after: float
    process: subprocess.Popen | None = None
    group: int = 0
    died_at: float = 0.0
    starts: int = 0
    down: bool = False


@dataclass
class Stage:
    """`port`: where the web answers, without TLS and behind nobody. `folder`: where the servers keep their data.
    `root`: the tree of the version whose programs are started.
    """

    folder: Path
    logs: Path
    post_office: PostOffice
    servers: campaign.Servers
    port: int
    parts: dict[str, Part] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: threading.Event = field(default_factory=threading.Event)
    _supervisor: threading.Thread | None = None
    database_url: str = ""
    broker_url: str = ""
    root: Path = servers.ROOT

    def __post_init__(self) -> None:
        # Servers that are started again are where they were, and have no address meanwhile.
        self.database_url, self.broker_url = self.servers.cluster.url, self.servers.broker.url

    # ---- Its programs ------------------------------------------------------------------------------

    def open(self) -> None:
        """Start the programs and whoever starts them again; return once the web answers."""
        static = self.logs / "static"
        environment = self.environment(static)
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, cwd=self.root, env=environment, check=True)
        for name in PARTS:
            self.parts[name] = Part(name, *_unit(name, self.logs, self.root))
        for part in self.parts.values():
            self._start(part)
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        self.wait_for_web()

    def environment(self, static: Path) -> dict[str, str]:
        """Return the environment of production over these servers."""
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "DATABASE_URL": self.database_url,
            "REDIS_URL": self.broker_url,
            "SECRET_KEY": servers.SECRET,
            "SITE_URL": f"https://{HOST}",
            "ALLOWED_HOSTS": HOST,
            "TLS_PROXY_HEADER": servers.THROUGH_TLS[0],
            "TRUSTED_PROXIES": "1",
            "EMAIL_HOST": HOST,
            "EMAIL_PORT": str(self.post_office.port),
            "EMAIL_TIMEOUT": "4",
            "DEFAULT_FROM_EMAIL": "coordination@localhost",
            "STATIC_ROOT": str(static),
            "WEB_WORKERS": str(servers.WORKERS),
            "BIND": f"{HOST}:{self.port}",
            # Counted as in production, and never refused: a load is one software.
            "FHIR_CALLS_PER_MINUTE": "1000000000",
            "PYTHONPATH": str(self.root),
        }

    def _start(self, part: Part) -> None:
        with (self.logs / f"{part.name}.log").open("ab") as said:
            part.process = subprocess.Popen(
                part.command, cwd=self.root, env=self.environment(self.logs / "static"), stdout=said, stderr=said,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        part.group = part.process.pid
        part.starts += 1
        part.died_at = 0.0

    def _supervise(self) -> None:
        since: dict[str, float] = {}
        while not self._over.wait(0.05):
            now = time.monotonic()
            with self._lock:
                for part in self.parts.values():
                    self._look_at(part, now)
                for name, is_up, start in (
                    ("postgres", self._postgres_is_up, self.servers.cluster.start),
                    ("redis", self._redis_is_up, self.servers.broker.start),
                ):
                    if name in self.held or is_up():
                        since.pop(name, None)
                    elif now - since.setdefault(name, now) >= SERVERS_RESTART:
                        # What stopped it may last (a full disk): tried again as systemd does.
                        with suppress(Problem, OSError):
                            start()
                        since.pop(name, None)

    def _look_at(self, part: Part, now: float) -> None:
        if part.process is None or part.process.poll() is None:
            return
        part.died_at = part.died_at or now
        if not part.down and now - part.died_at >= part.restart_after:
            # Its children too: one may still hold the port.
            self.kill(part.name)
            self._start(part)

    def _postgres_is_up(self) -> bool:
        return bool(self.servers.cluster._pid())

    def _redis_is_up(self) -> bool:
        return bool(self.servers.broker.memory.get("pid")) and _is_alive(self.servers.broker.memory["pid"])

    def wait_for_web(self) -> None:
        """Return once a page answers. Raises TimeoutError, with the last words of the web."""
        until = time.monotonic() + START_PATIENCE
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.05)
        said = (self.logs / "web.log").read_text(errors="replace")[-2000:]
        raise TimeoutError(f"the web does not answer: {said}")

    def close(self) -> None:
        """Stop everything."""
        self._over.set()
        if self._supervisor is not None:
            self._supervisor.join()
        for part in self.parts.values():
            if part.process is not None:
                self.kill(part.name)
                part.process.wait()
        self.post_office.close()
        self.servers.stop()

    # ---- What may fall -----------------------------------------------------------------------------

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the supervisor while somebody else touches the servers."""
        with self._lock:
            yield

    def pid(self, name: str) -> int:
        process = self.parts[name].process
        assert process is not None
        return process.pid

    def kill(self, name: str) -> None:
        """kill -9 of a whole program: its children with it."""
        with suppress(ProcessLookupError):
            os.killpg(self.parts[name].group, signal.SIGKILL)

    def kill_child(self, name: str, rank: int) -> None:
        """kill -9 of one of the processes that serve: the program starts another by itself."""
        if children := children_of(self.pid(name)):
            with suppress(ProcessLookupError):
                os.kill(children[rank % len(children)], signal.SIGKILL)

    def kill_redis(self) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.servers.broker.memory["pid"], signal.SIGKILL)

    def kill_postgres(self) -> None:
        """kill -9 of the postmaster: its children leave, and it starts by repairing."""
        if pid := self.servers.cluster._pid():
            os.kill(pid, signal.SIGKILL)

    def kill_backend(self, rank: int) -> None:
        """kill -9 of one connection: PostgreSQL ends all of them, and repairs."""
        pid = self.servers.cluster._pid()
        clients = [child for child in children_of(pid) if b"coordination" in _cmdline(child)] if pid else []
        if clients:
            with suppress(ProcessLookupError):
                os.kill(clients[rank % len(clients)], signal.SIGKILL)

    @contextmanager
    def without_redis(self) -> Iterator[None]:
        """Redis stopped, and not started again as long as the block lasts."""
        with self._lock:
            self.held.add("redis")
            self.servers.broker.stop()
        try:
            yield
        finally:
            with self._lock:
                self.servers.broker.start()
                self.held.discard("redis")

    @contextmanager
    def silent_redis(self) -> Iterator[None]:
        """Redis takes connections, and says nothing."""
        pid = self.servers.broker.memory["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def reload_web(self) -> None:
        """Have gunicorn replace its workers, one by one, each ending the request it has."""
        os.kill(self.pid("web"), signal.SIGHUP)

    def renew_web(self) -> None:
        """Replace gunicorn itself, code included, as the unit of the web reloads it."""
        part = self.parts["web"]
        assert part.process is not None
        former = part.process
        with self._lock:
            part.down = True
        command = [str(self.root / "deploy" / "renew-web"), str(former.pid)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        former.wait(30)
        with self._lock:
            part.process, part.down = _Adopted(int(said)), False

    def restart(self, name: str) -> None:
        """Ask a program to end what it has in hand; its unit starts it again."""
        part = self.parts[name]
        assert part.process is not None
        former = part.process
        former.terminate()
        _wait_for(lambda: part.process is not former, 60)


class _Adopted(subprocess.Popen):
    """A process that another one started, as gunicorn's second one: watched by its number."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode = None

    def poll(self) -> int | None:
        return None if _is_alive(self.pid) else 0

    def wait(self, timeout: float | None = None) -> int:
        _wait_for(lambda: not _is_alive(self.pid), timeout or 30)
        return 0

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def __del__(self) -> None:
        """Nothing to collect: it is not our child."""


@contextmanager
def opened(folder: Path | None = None) -> Iterator[Stage]:
    """Make the servers, in `folder` when it is given; `Stage.open` starts the programs, once there are data."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as own, pytest.MonkeyPatch.context() as patch:
        Path(own).chmod(0o711)
        place = folder or Path(own)
        logs = Path(own) / "logs"
        logs.mkdir()
        with socket.socket() as free:
            free.bind((HOST, 0))
            port = free.getsockname()[1]
        stage = Stage(place, logs, PostOffice(), campaign.Servers(place, patch), port)
        try:
            yield stage
        finally:
            stage.close()


def judge_connection(stage: Stage) -> psycopg.Connection:
    """Return a connection of who judges, apart from Django's."""
    declared = "-c coordination.actor=system:judge"
    return psycopg.connect(stage.database_url, autocommit=True, connect_timeout=5, options=declared)


def _unit(name: str, folder: Path, root: Path) -> tuple[list[str], float]:
    """Return the command of a unit, on this machine, and how long it waits before a restart."""
    said = (root / "deploy" / "systemd" / f"coordination-{name}.service").read_text()
    found = re.search(r"^ExecStart=(.+)$", said, re.MULTILINE)
    wait = re.search(r"^RestartSec=([\d.]+)$", said, re.MULTILINE)
    assert found and wait and "Restart=always" in said, f"the unit of {name} is not started again when it falls"
    command = shlex.split(found[1].replace("/run/coordination-beat", str(folder)))
    own = str(Path(sys.executable).with_name(Path(command[0]).name))
    return [own, *command[1:]], float(wait[1])


def children_of(pid: int) -> list[int]:
    with suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _cmdline(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        # A zombie that nobody collects is dead.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _wait_for(question, seconds: float):
    until = time.monotonic() + seconds
    while not (answer := question()):
        if time.monotonic() > until:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.05)
    return answer
