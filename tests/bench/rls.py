"""What the second wall costs to a page, over HTTP, on a durable PostgreSQL (SECT-9).

The same pages are served by the product, its wall up, and by the same that says nothing (`undeclared`) over a copy of
the same database without the wall: same web server, rounds in turn, each ratio taken inside its round. « another
reader at each request »: the connection says again who speaks (`forgetting`), as when a hundred people read.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench import servers

ROUNDS, SECONDS = 8, 2
FULL_ROUNDS, FULL_SECONDS = 15, 4
WARM_UP = 1
CIRCLES = 24
SHARE = 10
SAME, ANOTHER = "the same reader", "another reader at each request"


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    filled = servers.database(lambda: town.build(circles=CIRCLES))
    walled, forgetting = servers.product(), servers.product("tests.bench.forgetting")
    with filled as there:
        # Before the copy, which then knows this session too.
        cookie = servers.signed_in(there.reader)
        with walled as (same, _), forgetting as (another, _), _without_the_wall() as bare:
            with _named(bare), servers.product("tests.bench.undeclared") as (without, _):
                return _measured(there, cookie, {SAME: same, ANOTHER: another, None: without}, full)


def _measured(there, cookie: str, bases: dict, full: bool) -> list[dict]:
    from tests.bench import town

    homes = tuple(f"/dossiers/{entry.dossier.pk}/" for entry in there.entries)
    turns = {
        f"circle page, {town.MEMBERS} members": tuple(f"{home}cercle/" for home in homes),
        "home of a dossier": homes,
        f"patients, 25 rows of {town.DOSSIERS // town.READERS + CIRCLES}": ("/dossiers/",),
    }
    figures = []
    for page, paths in turns.items():
        asked = {said: servers.Page(base + paths[0], cookie, paths) for said, base in bases.items()}
        rates = _in_turn(asked, full)
        figures += [_figure(page, said, rates) for said in (SAME, ANOTHER)]
    return figures


@contextmanager
def _without_the_wall() -> Iterator[str]:
    """Copy the database of the moment without its wall, and give its name; nobody may be at work in it."""
    from django.db import connection

    from habilitations import second_wall

    name = connection.settings_dict["NAME"]
    copy = f"{name}_bare"
    with _named("postgres"), connection.cursor() as cursor:
        # The product's processes have asked for nothing yet; what started them may have left a connection.
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    try:
        with _named(copy), connection.cursor() as cursor:
            second_wall.lower_wall()
            cursor.execute("VACUUM ANALYZE")
        yield copy
    finally:
        with _named("postgres"), connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Work in another database of the same server meanwhile."""
    from django.db import connection

    kept = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept


def _in_turn(pages: dict, full: bool) -> list[dict]:
    """Return the rates of each round, whose order turns: a busy moment, or the start of a round, falls on all."""
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    for page in pages.values():
        servers.per_second(page, WARM_UP)
    order, measured = list(pages), []
    for _ in range(rounds):
        measured.append({said: servers.per_second(pages[said], seconds) for said in order})
        order.append(order.pop(0))
    return measured


def _figure(page: str, said: str, rates: list[dict]) -> dict:
    shares = [100 * (one[None] / one[said] - 1) for one in rates]
    share = statistics.median(shares)
    low, high = min(shares), max(shares)
    return {
        "name": f"Second wall, {page}, {said}",
        "value": f"{share:+.1f} % of a page ({low:+.1f} to {high:+.1f} in {len(shares)} rounds)",
        "ratio": 1 + share / 100,
        "yardstick": f"without: {statistics.median(one[None] for one in rates):.0f} /s, "
        f"with: {statistics.median(one[said] for one in rates):.0f} /s",
        "goal": f"≤ +{SHARE} %",
        "ok": share <= SHARE,
    }
