"""The circle page when more come than can be served: 80 % of the most, then twice the most, then calm (PERF-18).

The most is what sixteen clients that wait for their answers get; then requests come at equal intervals whatever is
answered (`open_loop`), from the same client, which takes its share of the two cores. What is refused is refused by
coordination/common/overload.py, once the queue has stood for two seconds: the seconds before are left out.
"""

from __future__ import annotations

import statistics

from tests.bench import servers

CIRCLES = 24
SECONDS, FULL_SECONDS = 6, 60
# The queue is borne for two seconds, then emptied.
BEFORE = 4
SPREAD, SERVED, REFUSED = 3, 0.9, 50
BUSY, TOO_MANY, CALM = 0.8, 2.0, 0.3
Asked = list[tuple[float, float, int]]


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    seconds = FULL_SECONDS if full else SECONDS
    filled = servers.database(lambda: town.build(dossiers=200, circles=CIRCLES))
    with filled as there, servers.product() as (address, _):
        paths = tuple(f"/dossiers/{entry.dossier.pk}/cercle/" for entry in there.entries)
        page = servers.Page(address + paths[0], servers.signed_in(there.reader), paths)
        servers.open_loop(page, 0, 2)
        most = _rate(servers.open_loop(page, 0, seconds), seconds)
        busy = servers.open_loop(page, BUSY * most, seconds)
        many = servers.open_loop(page, TOO_MANY * most, BEFORE + seconds)
        calm = servers.open_loop(page, CALM * most, seconds)
    settled = [asked for asked in many if asked[0] >= BEFORE]
    return [_at_ease(busy, most), *_too_many(settled, most, seconds), _after(calm)]


def _rate(asked: Asked, seconds: float) -> float:
    if {status for *_, status in asked} != {200}:
        raise RuntimeError("a page did not answer 200")
    return len(asked) / seconds


def _at(asked: Asked, share: float, status: int = 200) -> float:
    """Return the milliseconds within which a share of the answers of this status came; 0 without any."""
    times = sorted(took for _, took, said in asked if said == status)
    return 1000 * times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


def _at_ease(asked: Asked, most: float) -> dict:
    p50, p99 = _at(asked, 0.5), _at(asked, 0.99)
    all_served = all(status == 200 for *_, status in asked)
    return {
        "name": "Circle page at 80 % of the most, p99 beside p50",
        "value": f"{p99:.0f} ms",
        "ratio": p99 / p50,
        "yardstick": f"p50 {p50:.1f} ms; the most is {most:.0f} /s",
        "goal": f"≤ {SPREAD} ×, none refused",
        "ok": p99 / p50 <= SPREAD and all_served,
    }


def _too_many(asked: Asked, most: float, seconds: float) -> list[dict]:
    served = [one for one in asked if one[2] == 200]
    refused = [one for one in asked if one[2] == 503]
    lost = len(asked) - len(served) - len(refused)
    rate = len(served) / seconds
    late = _at(asked, 0.95, 503)
    return [
        {
            "name": "Circle page at twice the most, served",
            "value": f"{rate:.0f} /s, p99 {_at(asked, 0.99):.0f} ms",
            "ratio": rate / most,
            "yardstick": f"the most {most:.0f} /s",
            "goal": f"≥ {SERVED} ×",
            "ok": rate / most >= SERVED,
        },
        {
            "name": "The excess, refused, p95",
            "value": f"{late:.0f} ms, {100 * len(refused) / len(asked):.0f} % of all; {lost} without an answer",
            "ratio": None,
            "yardstick": f"p50 {_at(asked, 0.5, 503):.0f} ms",
            "goal": f"< {REFUSED} ms, all answered",
            "ok": bool(refused) and late < REFUSED and not lost,
        },
    ]


def _after(asked: Asked) -> dict:
    """Nobody waits behind requests of those who left: calm again, served at once."""
    first = [took for at, took, _ in asked if at < 1]
    refused = sum(status != 200 for *_, status in asked)
    return {
        "name": "The first second of calm after it, p50",
        "value": f"{1000 * statistics.median(first):.1f} ms, {refused} refused",
        "ratio": None,
        "yardstick": f"all of it {_at(asked, 0.5):.1f} ms",
        "goal": "none refused",
        "ok": not refused,
    }
