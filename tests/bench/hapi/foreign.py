"""HAPI's JPA server over the PostgreSQL of the bench: a database of its own, the server when it is asked for."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from tests.bench.calls import JSON, Headers
from tests.conformance import java

HEAP = "2g"
HEADERS: Headers = (("Authorization", "Bearer jeton-du-partenaire"), ("Accept", JSON))
# The way of the product: PostgreSQL listens to no network here, Java reaches it by its Unix socket.
BY_SOCKET = (
    "jdbc:postgresql://localhost/{name}?sslmode=disable"
    "&socketFactory=org.newsclub.net.unix.AFUNIXSocketFactory$FactoryArg&socketFactoryArg={host}/.s.PGSQL.{port}"
)
BY_NETWORK = "jdbc:postgresql://{host}:{port}/{name}"
Start = Callable[[], AbstractContextManager[str]]


@contextmanager
def database(libraries: str) -> Iterator[tuple[Start, Callable[[], None]]]:
    """Make an empty database and drop it at the end; yield (what starts HAPI over it, what vacuums it)."""
    from django.db import connection

    s, name = connection.settings_dict, f"bench_hapi_{uuid.uuid4().hex[:8]}"
    way = BY_SOCKET if str(s["HOST"]).startswith("/") else BY_NETWORK
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')

    def start() -> AbstractContextManager[str]:
        return java.partner(
            libraries, heap=HEAP,
            PARTNER_DATABASE=way.format(host=s["HOST"], port=s["PORT"], name=name),
            PARTNER_USER=s["USER"], PARTNER_PASSWORD=s["PASSWORD"],
            PARTNER_KEEPS_SEARCHES="1",
        )  # fmt: skip

    def vacuum() -> None:
        asked = {"host": s["HOST"], "port": s["PORT"], "user": s["USER"], "password": s["PASSWORD"]}
        with psycopg.connect(dbname=name, autocommit=True, **asked) as own:
            own.execute("VACUUM ANALYZE")

    try:
        yield start, vacuum
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
