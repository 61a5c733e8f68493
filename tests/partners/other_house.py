"""Another installation of this product, on a database and a server of its own: a partner like any other.

`python -m tests.partners.other_house` peoples the database its environment names, and prints how to come in.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[2]
# The same professional on both sides: he acts there by the software that calls.
NATIONAL_ID = "899700007777"
STARTS_WITHIN = 60


@dataclass(frozen=True)
class House:
    url: str
    client_id: str
    secret: str
    log: Path

    @property
    def fhir(self) -> str:
        return f"{self.url}/fhir"


@contextmanager
def running(settings, folder: Path):
    """Yield a House, its database made from the migrated one of the tests, thrown away at the end.

    `settings`: the dictionary of Django's default database, to which this process must hold no connection.
    """
    name = f"{settings['NAME']}_partner"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "DATABASE_URL": _address(settings, name), "SITE_URL": url, "REDIS_URL": "",
        "DJANGO_SETTINGS_MODULE": "coordination.settings.test",
    }  # fmt: skip
    log = folder / "other-house.log"
    _make_database(settings, name)
    try:
        told = subprocess.run(
            [sys.executable, "-m", "tests.partners.other_house"], cwd=ROOT, env=environment, check=True,
            capture_output=True, text=True,
        )  # fmt: skip
        with log.open("w") as written, _server(port, environment, written):
            yield House(url=url, log=log, **json.loads(told.stdout.splitlines()[-1]))
    finally:
        _drop(settings, name)


@contextmanager
def _server(port, environment, written):
    command = [sys.executable, "-m", "gunicorn", "coordination.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "4"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=written)
    try:
        until = time.monotonic() + STARTS_WITHIN
        while True:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/sante/vivant"):  # noqa: S310
                break
            assert process.poll() is None and time.monotonic() < until, "the other house does not open"
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        process.wait(20)


def _address(settings, name):
    """Return DATABASE_URL for another database of the same server."""
    host, port = settings["HOST"], settings["PORT"] or settings["OPTIONS"].get("port", "5432")
    return f"postgres://{settings['USER']}:{settings['PASSWORD']}@/{name}?host={host}&port={port}"


@contextmanager
def _beside(settings):
    # The database of the cluster that no test uses.
    address = _address(settings, "postgres")
    with psycopg.connect(address.replace("postgres://", "postgresql://"), autocommit=True) as connection:
        yield connection


def _make_database(settings, name):
    _drop(settings, name)
    with _beside(settings) as connection:
        # A server of another test, or one of its threads, may have kept its own: nobody copies a database in use.
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [settings["NAME"]]
        )
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(settings["NAME"]))
        )


def _drop(settings, name):
    with _beside(settings) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def people() -> dict[str, str]:
    """Make who is needed there: a software of a structure, and the coordinator for whom it acts."""
    from habilitations import actions
    from habilitations.scopes import TYPES
    from tests.circle import factories as make
    from tests.circle.conftest import publish_default_matrix

    publish_default_matrix()
    house = make.StructureFactory(name="Réseau d’en face")
    user = make.account(
        make.NURSE, make.COORDINATOR, structure=house, vouched=False, family_name="EXEMPLE-LARRIEU",
        given_name="Maëlle", national_id=NATIONAL_ID,
    )  # fmt: skip
    actions.vouch_profession(
        user, profession=make.NURSE, fonction=make.COORDINATOR, structure=house, national_id=NATIONAL_ID,
        how="annuaire", by=None, professional=user.attachment.professional,
    )  # fmt: skip
    client, secret = actions.register_client(
        house, name="Coordination d’ici", contact="support@coordination.example",
        scopes=[f"system/{name}.crus" for name in TYPES], by=make.UserFactory(administrator=True),
    )  # fmt: skip
    return {"client_id": str(client.pk), "secret": secret}


if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(people()) + "\n")
