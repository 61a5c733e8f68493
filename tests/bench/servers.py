"""What `pages`, `weights` and `journal` stand on: a database of their own, the product as production runs it, a load.

A hello-world of Django (tests/bench/hello.py) runs beside, on the same web server with the same number of processes.
The load is wrk's when it is on this machine, else that of a small client of ours, heavier and therefore named in the
report: on few cores a client takes its share of every figure, of the yardstick as of the subject.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import psycopg

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
WORKERS = 2
CONNECTIONS = 16
SECRET = secrets.token_urlsafe(64)
# What the proxy that ends TLS says to the product.
THROUGH_TLS = ("X-Forwarded-Proto", "https")
TURNS = Path(__file__).with_name("turns.lua")


# --- A database -----------------------------------------------------------------------------------


@contextmanager
def database(fill: Callable[[], object]) -> Iterator[object]:
    """Make a database, migrated and filled by `fill`, whose answer is given; drop it at the end."""
    from django.core.management import call_command
    from django.db import connection

    kept, own = connection.settings_dict["NAME"], f"bench_{uuid.uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{own}"')
    connection.close()
    connection.settings_dict["NAME"] = own
    try:
        call_command("migrate", verbosity=0)
        filled = fill()
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield filled
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')


def database_url() -> str:
    from django.db import connection

    s = connection.settings_dict
    return f"postgres://{s['USER']}:{s['PASSWORD']}@/{s['NAME']}?host={s['HOST']}&port={s['PORT']}"


@contextmanager
def own_connection() -> Iterator[psycopg.Connection]:
    """Open a connection beside Django's, which says for whom it speaks, as the second wall wants."""
    with psycopg.connect(database_url(), autocommit=True, options="-c coordination.actor=system:bench") as own:
        yield own


def signed_in(user) -> str:
    """Return the cookie of a session of `user` on the production server, password and second factor just given."""
    from allauth.account.internal.flows.login import record_authentication
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.test import override_settings

    from coordination.accounts import second_factor
    from coordination.accounts.sessions import SessionStore

    with override_settings(SECRET_KEY=SECRET):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session[second_factor.ENROLLED_HERE] = str(user.pk)
        record_authentication(SimpleNamespace(session=session), user, method="password")
        session.save()
    # With the cookie of forms, which any browser has after its first page.
    return f"__Host-session={session.session_key}; __Host-csrf={'c' * 32}"


# --- Servers --------------------------------------------------------------------------------------


def production(static: Path) -> dict[str, str]:
    """Return the environment of the production settings over the database of the moment."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "coordination.settings.production",
        "DATABASE_URL": database_url(),
        "REDIS_URL": os.environ.get("REDIS_URL") or "redis://127.0.0.1:1/0",  # no page rings the bell
        "SECRET_KEY": SECRET,
        "SITE_URL": f"https://{HOST}",
        "ALLOWED_HOSTS": HOST,
        "TLS_PROXY_HEADER": THROUGH_TLS[0],
        "TRUSTED_PROXIES": "1",
        "EMAIL_HOST": "localhost",
        "DEFAULT_FROM_EMAIL": "coordination@localhost",
        "STATIC_ROOT": str(static),
        "WEB_WORKERS": str(WORKERS),
        # Counted as in production, and never refused: a load is one software.
        "FHIR_CALLS_PER_MINUTE": "1000000000",
    }


@contextmanager
def product(application: str = "coordination.wsgi", **more: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Run the product under production's settings and `more`; give its address and the environment it runs in."""
    with tempfile.TemporaryDirectory() as folder:
        environment = production(Path(folder)) | more
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, cwd=ROOT, env=environment, check=True)
        with _gunicorn(application, environment, "-c", str(ROOT / "deploy" / "gunicorn.conf.py")) as address:
            yield address, environment


@contextmanager
def demonstration() -> Iterator[str]:
    """Run the product as `make run` does, plain HTTP, over the database of the moment; give its address."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "coordination.settings.dev",
        "DATABASE_URL": database_url(),
        "WEB_WORKERS": str(WORKERS),
    }
    with _gunicorn("coordination.wsgi", environment, "-c", str(ROOT / "deploy" / "gunicorn.conf.py")) as address:
        yield address


@contextmanager
def hello(*, bare: bool = False) -> Iterator[str]:
    """Run a yardstick (tests/bench/hello.py); give the address of its only page."""
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment["HELLO_BARE"] = "1" if bare else ""
    with _gunicorn("tests.bench.hello", environment, "--workers", str(WORKERS), "--preload") as address:
        yield f"{address}/bonjour"


@contextmanager
def _gunicorn(application: str, environment: Mapping[str, str], *options: str) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", application, *options]
    command += ["--bind", f"{HOST}:{port}", "--log-level", "error"]
    # Logs are written, as in production, but nobody keeps them.
    with open(os.devnull, "wb") as nowhere:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=nowhere, stderr=nowhere)
    try:
        _wait(server, port)
        yield f"http://{HOST}:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _wait(server: subprocess.Popen, port: int) -> None:
    # A machine where others work takes its time: a minute and a half.
    for _ in range(900):
        if server.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"{server.args} did not start")


# --- Load -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Page:
    """An address, and the cookie of who asks for it. `turns`: paths asked for in turn instead of the address's own.

    `sent`: headers of a program that calls, instead of a cookie.
    """

    url: str
    cookie: str = ""
    turns: tuple[str, ...] = ()
    sent: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        sent = dict([THROUGH_TLS])
        # What browsers accept: an answer that is compressed for them is compressed here too.
        sent["Accept-Encoding"] = "gzip, deflate, br"
        if self.cookie:
            sent["Cookie"] = self.cookie
        return sent | dict(self.sent)


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "a client in Python"


def per_second(page: Page, seconds: float, connections: int = CONNECTIONS) -> float:
    """Return the answers per second of a page under a load. Raises RuntimeError when one is not a 200."""
    return (_wrk if shutil.which("wrk") else _our_client)(page, seconds, connections)


def _wrk(page: Page, seconds: float, connections: int) -> float:
    command = ["wrk", "-t2", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
    for name, value in page.headers.items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(TURNS), page.url, "--", *page.turns] if page.turns else [page.url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    # wrk says 304 or 404 alike; what it counts as errors is anything but 2xx and 3xx: look once ourselves.
    if "Non-2xx" in said or status_of(page) != 200:
        raise RuntimeError(f"{page.url} does not answer 200:\n{said}")
    found = re.search(r"Requests/sec:\s+([\d.]+)", said)
    if not found:
        raise RuntimeError(f"wrk said nothing of its rate:\n{said}")
    return float(found[1])


def _our_client(page: Page, seconds: float, connections: int) -> float:
    """One process per half of the connections, so that the client is not what is measured."""
    urls = ",".join((page.url, *page.turns))
    command = [sys.executable, "-m", "tests.bench.client", urls, str(seconds), str(connections // 2)]
    headers = [f"{name}: {value}" for name, value in page.headers.items()]
    running = [subprocess.Popen([*command, *headers], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError(f"{page.url} does not answer 200")
    return sum(float(rate) for rate in said)


def open_loop(page: Page, rate: float, seconds: float) -> list[tuple[float, float, int]]:
    """Ask so many pages a second whatever is answered (0: as soon as one of sixteen is); return the moment, the
    duration and the status of each."""
    with asking(page, rate, seconds) as process:
        return answers(process)


@contextmanager
def asking(page: Page, rate: float, seconds: float) -> Iterator[subprocess.Popen]:
    """Run the same beside something else."""
    headers = [f"{name}: {value}" for name, value in page.headers.items()]
    command = [sys.executable, "-m", "tests.bench.open_loop", ",".join((page.url, *page.turns)), str(rate)]
    process = subprocess.Popen([*command, str(seconds), *headers], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(process: subprocess.Popen) -> list[tuple[float, float, int]]:
    """Return what an `asking` met, once it is over."""
    said = process.communicate()[0]
    if process.returncode:
        raise RuntimeError("the client failed")
    return [(at, took, status) for at, took, status in json.loads(said)]


def status_of(page: Page) -> int:
    import http.client
    from urllib.parse import urlsplit

    parts = urlsplit(page.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=30)
    connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=page.headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status
