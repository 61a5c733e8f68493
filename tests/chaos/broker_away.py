"""REL-3: Redis flushed, stopped, silent, or answering errors. Pages go on, letters leave, nothing is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import redis
from django.db import connection

from coordination.outbox.models import Message
from tests.chaos import judging, load
from tests.chaos.figures import Figure
from tests.chaos.stage import Stage
from tests.chaos.town import Town

SLOWER = 2.0
LEFT_WITHIN = 30.0


@dataclass(frozen=True)
class Trouble:
    """`p95`: of the acts meanwhile, in seconds; `left`: when the letters of meanwhile had left, after the return."""

    name: str
    bad: list[str]
    count: int
    p95: float
    slowest: float
    left: float


@contextmanager
def flushed(stage: Stage) -> Iterator[None]:
    with redis.Redis.from_url(stage.broker_url) as client:
        client.flushall()
    yield


@contextmanager
def erring(stage: Stage) -> Iterator[None]:
    """Every write is answered by an error, as by a Redis that has no memory left."""
    with redis.Redis.from_url(stage.broker_url) as client:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
    try:
        yield
    finally:
        with redis.Redis.from_url(stage.broker_url) as client:
            client.config_set("maxmemory", "0")


TROUBLES: dict[str, Callable] = {
    "flushed": flushed,
    "stopped": Stage.without_redis,
    "silent": Stage.silent_redis,
    "answering errors": erring,
}


def run(
    stage: Stage, town: Town, *, troubles: dict[str, float], normal: float, rate: float, seed: int
) -> tuple[float, list[Trouble], judging.Verdict]:
    """Return the p95 of a normal time, what each trouble of so many seconds did, and the judgment of it all."""
    acts = load.Acts(town, random.Random(seed))
    found = []
    with load.running(stage.port, acts, rate=rate) as running:
        began = time.time()
        time.sleep(normal)
        usual = load.percentile([one.seconds for one in running.since(began)], 0.95)
        for name, seconds in troubles.items():
            began = time.time()
            with TROUBLES[name](stage):
                time.sleep(seconds)
                meanwhile = running.since(began)
                last = Message.objects.order_by("-created_at").values_list("created_at", flat=True).first()
            found.append(_trouble(name, meanwhile, _left_after(last)))
    connection.close()
    return usual, found, judging.judge(stage, running.acts)


def _left_after(last) -> float:
    """Return after how many seconds no letter of meanwhile waits any more."""
    began = time.monotonic()
    waiting = Message.objects.filter(state__in=judging.WAITING, created_at__lte=last)
    while last and waiting.exists() and time.monotonic() - began < 2 * LEFT_WITHIN:
        time.sleep(0.1)
    return time.monotonic() - began


def _trouble(name: str, meanwhile: list[load.Attempt], left: float) -> Trouble:
    seconds = [one.seconds for one in meanwhile]
    bad = [f"{one.status}" for one in meanwhile if not 200 <= one.status < 400]
    return Trouble(name, bad, len(meanwhile), load.percentile(seconds, 0.95), max(seconds, default=0), left)


def figures(usual: float, troubles: list[Trouble], verdict: judging.Verdict) -> list[Figure]:
    lines = []
    for trouble in troubles:
        ratio = trouble.p95 / usual if usual else 0.0
        kept = not trouble.bad and ratio <= SLOWER and trouble.left <= LEFT_WITHIN
        lines.append(Figure(
            "REL-3", f"Redis {trouble.name}",
            f"{trouble.count} acts, {len(trouble.bad)} not 2xx, p95 {trouble.p95 * 1000:.0f} ms "
            f"({ratio:.1f} × usual), slowest {trouble.slowest:.1f} s, letters gone {trouble.left:.1f} s after",
            f"all 2xx, p95 ≤ {SLOWER:.0f} ×, ≤ {LEFT_WITHIN:.0f} s", kept,
        ))  # fmt: skip
    said = "; ".join(verdict.wrong) or f"{verdict.accepted} accepted, each there once; {verdict.letters} letters left"
    return [*lines, Figure("REL-3", "All of it, judged", said, "0 lost", not verdict.wrong)]
