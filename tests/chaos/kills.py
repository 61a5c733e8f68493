"""REL-1 and REL-2: kill -9 of whatever serves, at drawn instants, under a load: nothing lost, nothing twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from tests.chaos import judging, load, watch
from tests.chaos.figures import Figure
from tests.chaos.stage import Stage
from tests.chaos.town import Town

# Goals: seconds until the oldest letter is under five seconds old again.
P95, MAX = 10.0, 15.0


@dataclass(frozen=True)
class Outcome:
    verdict: judging.Verdict
    recoveries: list[float]
    falls: list[str]
    statuses: Counter[str]
    oldest: float


def targets(stage: Stage, chance: random.Random) -> dict[str, Callable[[], None]]:
    """Return what may be killed, and how."""
    drawn = chance.randrange
    return {
        "a process of the web": lambda: stage.kill_child("web", drawn(100)),
        "PostgreSQL": stage.kill_postgres,
        "the worker, whole": lambda: stage.kill("worker"),
        "Redis": stage.kill_redis,
        "the clock (beat)": lambda: stage.kill("beat"),
        "a process of the worker": lambda: stage.kill_child("worker", drawn(100)),
        "a connection of PostgreSQL": lambda: stage.kill_backend(drawn(100)),
        "the web, whole": lambda: stage.kill("web"),
        "the sweep": lambda: stage.kill("sweep"),
    }


def run(stage: Stage, town: Town, *, kills: int, every: float, rate: float, seed: int, calm: float = 15) -> Outcome:
    """Kill so many times, about every so many seconds, and judge what is left after `calm` seconds."""
    chance = random.Random(seed)
    killing = targets(stage, chance)
    falls: list[tuple[float, str]] = []
    acts = load.Acts(town, random.Random(seed + 1))
    began = time.time()
    with watch.watching(stage) as watched:
        with load.running(stage.port, acts, rate=rate) as running:
            time.sleep(every / 2)
            for what in order(list(killing), kills, chance):
                with stage.alone():
                    falls.append((time.time(), what))
                    killing[what]()
                time.sleep(chance.uniform(0.5, 1.5) * every)
            # What fell last is judged as the others are: with people at work.
            time.sleep(min(calm, MAX))
        judging_from = time.time()
        # The connection of who judges fell with the database.
        connection.close()
        verdict = judging.judge(stage, running.acts)
    watched.samples = [sample for sample in watched.samples if sample[0] <= judging_from]
    return Outcome(
        verdict, watched.recoveries([moment for moment, _ in falls]), [what for _, what in falls],
        load.statuses(running.since(began)), watched.oldest,
    )  # fmt: skip


def order(names: list[str], count: int, chance: random.Random) -> list[str]:
    """Draw what falls: each of them as often as the others."""
    drawn: list[str] = []
    while len(drawn) < count:
        # The first row in its order: a short run meets the gravest falls.
        drawn += names if not drawn else chance.sample(names, len(names))
    return drawn[:count]


def figures(outcome: Outcome) -> list[Figure]:
    verdict = outcome.verdict
    p95, worst = load.percentile(outcome.recoveries, 0.95), max(outcome.recoveries, default=0.0)
    fallen = ", ".join(f"{what} {count}" for what, count in sorted(Counter(outcome.falls).items()))
    slowest = sorted(zip(outcome.recoveries, outcome.falls, strict=True), reverse=True)[:3]
    after = ", ".join(f"{seconds:.1f} s after {what}" for seconds, what in slowest)
    return [
        Figure(
            "REL-1", f"{len(outcome.falls)} kill -9 ({fallen}) under {verdict.acts} acts",
            "; ".join(verdict.wrong) or (
                f"{verdict.accepted} accepted, each there once, with its line; {verdict.letters} letters left, "
                f"{verdict.twice_by_a_fall} of them twice and said so; {verdict.sent_again} acts sent again"
            ),
            "0 missing, 0 twice", not verdict.wrong,
        ),
        Figure("REL-1", "Answers meanwhile", ", ".join(f"{n} {what}" for what, n in outcome.statuses.most_common()),
               "no 500", "500" not in outcome.statuses),
        Figure("REL-2", "Oldest letter under 5 s again, p95 of the falls", f"{p95:.1f} s", f"≤ {P95:.0f} s",
               p95 <= P95),
        Figure("REL-2", "the same, the longest", f"{after} (oldest letter seen: {outcome.oldest:.1f} s)",
               f"≤ {MAX:.0f} s", worst <= MAX),
    ]  # fmt: skip
