"""`make run`: the services, the database up to date, the demonstration data, the web and the worker."""

import ctypes
import errno
import fcntl
import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from coordination.runtime.account import server_account
from coordination.runtime.console import run_quietly, run_shown, say, step
from coordination.runtime.places import ROOT, Place, open_private
from coordination.runtime.postgres import Cluster
from coordination.runtime.problems import Problem, full_disk
from coordination.runtime.restoring import restore
from coordination.runtime.services import embedded, in_plain_words

# A name, not a number, in the address people open: passkeys refuse a numeric host.
SHOWN_HOST = "localhost"
# What browsers take that name for, whatever /etc/hosts says. All are listened on: another server may not answer there.
LOOPBACKS = ("127.0.0.1", "::1")
HOST = LOOPBACKS[0]
FIRST_FREE_FOR_ALL = 1024
DEFAULT_PORT = 8000
START_PATIENCE = 60
RESTORED = "These data were restored from a backup: sign in with the accounts it holds."


def run() -> None:
    """Start everything, stay until Ctrl-C or the first part that stops. Raises Problem."""
    port = chosen_port()
    say("Coordination")
    with step("PostgreSQL and Redis"):
        services = embedded()
        variables = services.__enter__()
    try:
        environment = os.environ | variables
        environment.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.dev")
        environment.setdefault("SITE_URL", f"http://{SHOWN_HOST}:{port}")
        own_database = "DATABASE_URL" not in variables
        with in_plain_words(), _alone():
            accounts = prepare(environment, own_database)
        chosen_port()  # preparing may take a minute: the port may be somebody's by now
        _serve(port, environment, variables, accounts)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not cut the stop short
        services.__exit__(None, None, None)
        say("Stopped. The data stay in place.")


def chosen_port() -> int:
    """PORT, or 8000; refuses at once, by name, a port somebody already listens on."""
    given = os.environ.get("PORT", "") or str(DEFAULT_PORT)
    if not given.isdigit() or not 0 < int(given) < 65536:
        raise Problem(f"PORT must be a number from 1 to 65535, not {given!r}.")
    port = int(given)
    for address in LOOPBACKS:
        refused = refusal_to_listen(address, port)
        if refused in {errno.EACCES, errno.EPERM}:
            raise Problem(
                f"Port {port} is kept for the administrator of this machine. "
                f"Choose a port above {FIRST_FREE_FOR_ALL - 1}: make run PORT={port + 8000}"
            )
        if refused == errno.EADDRINUSE:
            raise Problem(
                f"Port {port} is already taken on {address} (another `make run`, perhaps). "
                f"Choose another one: make run PORT={port + 1 if port < 65535 else DEFAULT_PORT}"
            )
        if refused and address == HOST:
            raise Problem(f"Port {port} cannot be listened on: {os.strerror(refused)}.")
    return port


def refusal_to_listen(address: str, port: int) -> int:
    """Why a web server could not listen there now, as an `errno`; 0 when it could."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
    except OSError as error:
        return error.errno or errno.EIO
    return 0


@contextmanager
def _alone() -> Iterator[None]:
    """Two starts at once would both migrate and both load: the second waits, then finds all done."""
    place = Place("run")
    place.make()
    with open_private(place.folder / "prepare.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("  Another start is preparing the same data: waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(environment: Mapping[str, str], own_database: bool) -> str:
    """Migrate and load the demonstration data, unless stamps say it is done; the accounts to show.

    In a database of your own nothing invented is written by itself: `make demo-data` does it.
    """
    folder = Place("run").folder
    manage = [sys.executable, str(ROOT / "manage.py")]
    migrated, loaded = folder / "migrated", folder / "demo-accounts"
    fingerprint = migrations_fingerprint()
    if own_database or not _says(migrated, fingerprint):
        with step("Migrations"):
            run_quietly([*manage, "migrate", "--no-input"], environment, "Bringing the database up to date", folder)
        if not own_database:
            # Nothing of ours serves yet, of this version or of another.
            run_quietly([*manage, "second_mur", "monter"], environment, "Raising the second wall", folder)
            migrated.write_text(fingerprint)
    if own_database:
        return "Your own database: `make demo-data` fills it with invented people, if you wish."
    if not loaded.exists():
        say("  Demonstration data (once)")
        run_shown([*manage, "load_demo"], environment, "Loading the demonstration data", folder)
        draft = folder / "demo-accounts.new"
        draft.write_text(
            run_quietly([*manage, "load_demo", "--accounts"], environment, "Listing the accounts", folder)
        )
        draft.replace(loaded)
    return loaded.read_text()


def restore_embedded(source: str) -> None:
    """Restore a backup into the embedded server, whose data files we may read as its superuser. Raises Problem."""
    place = Place("run")

    def begins() -> None:
        # What `make run` would otherwise do to data that are nobody's invention, even of half a restoration.
        (place.folder / "migrated").unlink(missing_ok=True)
        (place.folder / "demo-accounts").write_text(RESTORED)

    with _alone():
        restore(source, Cluster(place, place.remember(), server_account()), begins)


def migrations_fingerprint() -> str:
    """Changes with any migration file, so that an unchanged checkout skips a Django start."""
    digest = hashlib.sha256()
    for path in sorted(ROOT.glob("*/**/migrations/*.py")) + sorted(ROOT.glob("requirements*.lock")):
        if ".venv" not in path.parts:
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def _says(path: Path, text: str) -> bool:
    return path.exists() and path.read_text() == text


def _serve(port: int, environment: Mapping[str, str], embedded_ones: Mapping[str, str], accounts: str) -> None:
    programs = {"The web server": web_command(port), "The worker": worker_command(Place("run").folder, port)}
    running: dict[str, subprocess.Popen] = {}
    try:
        with step("Web and worker"):
            for name, command in programs.items():
                running[name] = _start(command, environment)
            _wait_for_web(port, running)
        say(f"\n{accounts.strip()}\n\nReady: http://{SHOWN_HOST}:{port}/   (Ctrl-C stops everything, the data stay)\n")
        while not (stopped := _stopped(running) or unreachable(embedded_ones)):
            time.sleep(1)
        raise full_disk(Place("run").folder) or Problem(
            f"{stopped} stopped by itself. Run the same command again; what is saved is kept."
        )
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _stop(running)


def web_command(port: int) -> list[str]:
    """gunicorn with the production's own configuration, bound to this machine only."""
    configuration = str(ROOT / "deploy" / "gunicorn.conf.py")
    command = [sys.executable, "-m", "gunicorn", "-c", configuration, "--log-level", "warning"]
    for address in LOOPBACKS:
        if not refusal_to_listen(address, port):  # a machine without IPv6 has one of them only
            command += ["--bind", f"[{address}]:{port}" if ":" in address else f"{address}:{port}"]
    return [*command, "coordination.wsgi"]


def worker_command(folder: Path, port: int) -> list[str]:
    """One worker which also keeps the clock (beat): enough for one machine."""
    # Two starts on two ports share the data, not this file.
    options = ["--beat", "--schedule", str(folder / f"beat-{port}"), "--concurrency", "1", "--loglevel", "warning"]
    # Talk between workers, of no use to a single one, makes it slower to start and to stop.
    options += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    # A container runs as root; Celery's long warning about it is for those who accept pickled tasks.
    quiet = ["-W", "ignore:You're running the worker with superuser privileges"]
    return [sys.executable, *quiet, "-m", "celery", "--quiet", "-A", "coordination", "worker", *options]


def _start(command: list[str], environment: Mapping[str, str]) -> subprocess.Popen:
    # Its own session: Ctrl-C reaches us alone, and we stop the parts in order.
    return subprocess.Popen(
        command,
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - one system call, no lock taken
    )


def _die_with_parent() -> None:
    """Even a kill -9 of the supervisor leaves no web server on the port (Linux: PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _wait_for_web(port: int, running: dict[str, subprocess.Popen]) -> None:
    deadline = time.monotonic() + START_PATIENCE
    while time.monotonic() < deadline:
        if stopped := _stopped(running):
            raise Problem(f"{stopped} did not start; what it said is above.")
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/sante/vivant", timeout=5):  # noqa: S310 - our own  # nosec B310
                return
        except urllib.error.HTTPError as error:
            raise Problem(f"The web server answers with an error ({error.code}); what it said is above.") from None
        except OSError:
            time.sleep(0.05)
    raise Problem(f"The web server did not answer within {START_PATIENCE} seconds.")


def unreachable(variables: Mapping[str, str]) -> str:
    """The name of an embedded server that no longer listens, or nothing. `variables` as `embedded` gave them."""
    doors: dict[str, tuple[socket.AddressFamily, Any]] = {}
    if "DATABASE_URL" in variables:
        where = dict(parse_qsl(urlsplit(variables["DATABASE_URL"]).query))
        doors["PostgreSQL"] = (socket.AF_UNIX, f"{where['host']}/.s.PGSQL.{where['port']}")
    if "REDIS_URL" in variables:
        broker = urlsplit(variables["REDIS_URL"])
        doors["Redis"] = (socket.AF_INET, (broker.hostname, broker.port))
    for name, (family, address) in doors.items():
        with socket.socket(family) as probe:
            probe.settimeout(5)
            if probe.connect_ex(address):
                return name
    return ""


def _stopped(running: dict[str, subprocess.Popen]) -> str:
    return next((name for name, process in running.items() if process.poll() is not None), "")


def _stop(running: dict[str, subprocess.Popen]) -> None:
    """Web first, so that no new work comes; then the worker, which ends the task in hand."""
    for process in running.values():
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
