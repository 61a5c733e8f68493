"""What the journal takes of a page when eight people read at once, over HTTP, on a durable PostgreSQL (issue 3 §6).

The circle page is served twice, by the product and by the same without the line of the journal (`untraced`): same web
server, same database, production's commits, rounds in turn. Each reader turns through circles of his own; then all of
them read the same dossier, whose chain takes one line at a time.
"""

from __future__ import annotations

import statistics

from tests.bench import servers

READERS = 8
ROUNDS, SECONDS = 4, 2
FULL_ROUNDS, FULL_SECONDS = 7, 4
WARM_UP = 1
CIRCLES = 24
SHARE = 15


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    filled = servers.database(lambda: town.build(dossiers=200, circles=CIRCLES))
    untraced = servers.product("tests.bench.untraced")
    with filled as there, servers.product() as (traced, _), untraced as (without, _):
        cookie = servers.signed_in(there.reader)
        paths = tuple(f"/dossiers/{entry.dossier.pk}/cercle/" for entry in there.entries)
        sets = {"each in other dossiers": paths, "all in one dossier": paths[:1]}
        pages = {
            (said, base): servers.Page(base + turns[0], cookie, turns)
            for said, turns in sets.items()
            for base in (traced, without)
        }
        rates = _in_turn(pages, full)
    return [_figure(said, rates[said, traced], rates[said, without]) for said in sets]


def _in_turn(pages: dict, full: bool) -> dict:
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    for page in pages.values():
        servers.per_second(page, WARM_UP, READERS)
    measured = [
        {key: servers.per_second(page, seconds, READERS) for key, page in pages.items()} for _ in range(rounds)
    ]
    return {key: statistics.median(one[key] for one in measured) for key in pages}


def _figure(said: str, traced: float, without: float) -> dict:
    share = 100 * (1 - traced / without)
    return {
        "name": f"Share of the journal in the circle page, {READERS} readers at once, {said}",
        "value": f"{share:.1f} %",
        "ratio": None,
        "yardstick": f"{traced:.0f} /s with it, {without:.0f} /s without",
        "goal": f"≤ {SHARE} %",
        "ok": share <= SHARE,
    }
