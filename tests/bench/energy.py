"""What a thousand pages and a thousand searches take of the processors, web and database together (PERF-19).

Processor time of gunicorn and of PostgreSQL with all their processes, the client left out, as the system counts it
(tests/bench/hapi/processor.py), two clients at once. The yardstick is a hello-world on the same web server.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from tests.bench import servers
from tests.bench.hapi import processor

CIRCLES = 24
ROUNDS, SECONDS, FULL_SECONDS = 3, 2, 6
AT_ONCE = 2
PAGE_GOAL, SEARCH_GOAL = 6.0, 2.0


def run(full: bool) -> list[dict]:
    """Return the figures of pages: {name, value, ratio, yardstick, goal, ok}; those of searches are made by `search`,
    which has a directory."""
    from tests.bench import town

    filled = servers.database(lambda: town.build(dossiers=200, circles=CIRCLES))
    with filled as there, servers.product() as (address, _), servers.hello() as hello:
        cookie, seconds = servers.signed_in(there.reader), FULL_SECONDS if full else SECONDS
        homes = tuple(f"/dossiers/{entry.dossier.pk}/" for entry in there.entries)
        circles = tuple(f"{home}cercle/" for home in homes)
        pages = {
            "hello": servers.Page(hello),
            "Circle pages": servers.Page(address + circles[0], cookie, circles),
            "Homes of a dossier": servers.Page(address + homes[0], cookie, homes),
        }
        for page in pages.values():
            servers.per_second(page, 1, AT_ONCE)
        rounds = [{name: _spent(page, seconds) for name, page in pages.items()} for _ in range(ROUNDS)]
    spent = {name: statistics.median(one[name] for one in rounds) for name in pages}
    usual = spent.pop("hello")
    return [_figure(name, each, PAGE_GOAL, usual) for name, each in spent.items()]


def searches(texts: Sequence[str], ask: Callable[[str], float]) -> list[dict]:
    """Return the figure of searches, asked one after the other of a server whose memory is warm."""
    before = processor.spent()
    for text in texts:
        ask(text)
    return [_figure("Searches of the directory", 1_000 * (processor.spent() - before) / len(texts), SEARCH_GOAL, None)]


def _figure(name: str, seconds: float, goal: float, usual: float | None) -> dict:
    return {
        "name": f"{name}, a thousand, processor of web and database",
        "value": f"{seconds:.1f} s",
        "ratio": seconds / usual if usual else None,
        "yardstick": f"a thousand hello-worlds {usual:.2f} s" if usual else "",
        "goal": f"≤ {goal:.0f} s",
        "ok": seconds <= goal,
    }


def _spent(page: servers.Page, seconds: int) -> float:
    """Return the seconds of processor of a thousand answers."""
    before = processor.spent()
    answered = servers.per_second(page, seconds, AT_ONCE) * seconds
    return 1_000 * (processor.spent() - before) / answered
