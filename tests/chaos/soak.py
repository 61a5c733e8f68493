"""`make soak`: the product under thirty requests a second for a long time; does it grow, slow down, forget? (REL-23)

    make soak                     four hours, as the goal says; figures printed and recorded in docs/soak.md
    make soak ARGS="--minutes 2"  printed only, unless --keep

The first samples are those of a product that fills its caches: growth is counted from the end of the first quarter.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import platform
import random
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import django

from tests.chaos.figures import Figure, table

if TYPE_CHECKING:
    from tests.chaos.stage import Stage

DOCS = Path(__file__).resolve().parents[2] / "docs"
MINUTES, RATE, DOSSIERS = 240.0, 30.0, 200
# So many samples in all, whatever the length.
SAMPLES = 40
# The bounds of the goal: growth of memory and of p95, dead rows of what the database keeps.
MEMORY, SLOWER, DEAD = 0.05, 0.10, 0.20
# A table of a few rows is all dead or alive at any moment.
ENOUGH_ROWS = 1000
PAGE = os.sysconf("SC_PAGE_SIZE")
_DEAD_ROWS = """
SELECT coalesce(sum(n_dead_tup)::float / nullif(sum(n_live_tup + n_dead_tup), 0), 0) FROM pg_stat_user_tables
WHERE n_live_tup + n_dead_tup > %s"""
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass(frozen=True)
class Sample:
    """What was seen at a moment. `memory`: {program: resident bytes}; `p95`: seconds, of the acts since the last."""

    at: float
    memory: dict[str, int]
    p95: float
    connections: int
    dead: float


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak ARGS=")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--rate", type=float, default=RATE, help="requests a second")
    parser.add_argument("--seed", type=int, default=20261130, help="of what is drawn")
    parser.add_argument("--keep", action="store_true", help="record the figures whatever the length")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    # Any: the run says where its own database is.
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@/none")
    django.setup()
    logging.disable(logging.WARNING)
    samples, statuses, wrong = soak(asked.minutes, asked.rate, asked.seed)
    figures = judged(samples, statuses, wrong)
    print(table(figures))
    if asked.keep or asked.minutes >= MINUTES:
        _record(table(figures), asked.minutes, asked.rate, asked.seed)
    return 1 if any(figure.ok is False for figure in figures) else 0


def soak(minutes: float, rate: float, seed: int) -> tuple[list[Sample], str, list[str]]:
    """Load the product for so long; return the samples, what was answered, and what was lost."""
    from django.db import connection

    from tests.chaos import judging, load, playing

    with playing.played_on(None, DOSSIERS) as (stage, there):
        acts = load.Acts(there, random.Random(seed))
        samples: list[Sample] = []
        with load.running(stage.port, acts, rate=rate, threads=24) as running:
            since, every = time.time(), minutes * 60 / SAMPLES
            for rank in range(SAMPLES):
                time.sleep(every)
                attempts = running.since(since)
                since = time.time()
                samples.append(_sample(stage, (rank + 1) * every, attempts))
        connection.close()
        every_attempt = [attempt for act in running.acts for attempt in act.attempts]
        said = ", ".join(f"{count} {what}" for what, count in load.statuses(every_attempt).most_common())
        return samples, said, judging.judge(stage, running.acts).wrong


def _sample(stage: Stage, at: float, attempts: Sequence) -> Sample:
    from tests.chaos import load
    from tests.chaos.stage import judge_connection

    memory = {name: _resident(part.group) for name, part in stage.parts.items()}
    with judge_connection(stage) as judge:
        connections = judge.execute(_CONNECTIONS).fetchone()
        dead = judge.execute(_DEAD_ROWS, [ENOUGH_ROWS]).fetchone()
    assert connections and dead
    p95 = load.percentile([one.seconds for one in attempts], 0.95)
    return Sample(at, memory, p95, connections[0], float(dead[0]))


def _resident(group: int) -> int:
    """Return the resident memory of the processes of a group, in bytes; what they share is counted in each."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                said = (entry / "stat").read_text().rpartition(")")[2].split()
                total += int(said[21]) * PAGE if int(said[2]) == group else 0
    return total


def judged(samples: Sequence[Sample], statuses: str, wrong: Sequence[str]) -> list[Figure]:
    """Compare the end with the end of the first quarter: each the middle one of a quarter of the samples."""
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    found = []
    for name in samples[0].memory:
        before, after = (_middle([one.memory[name] for one in part]) for part in (early, late))
        growth = after / before - 1 if before else 0.0
        said = f"{before / 2**20:.0f} → {after / 2**20:.0f} MiB ({growth:+.1%})"
        found.append(Figure("REL-23", f"Resident memory: {name}", said, f"≤ {MEMORY:+.0%}", growth <= MEMORY))
    before, after = (_middle([one.p95 for one in part]) for part in (early, late))
    drift = after / before - 1 if before else 0.0
    said = f"{before * 1000:.0f} → {after * 1000:.0f} ms ({drift:+.1%})"
    found.append(Figure("REL-23", "p95 of the acts", said, f"≤ {SLOWER:+.0%}", drift <= SLOWER))
    lines = [max(one.connections for one in part) for part in (early, late)]
    found.append(Figure("REL-23", "Connections", f"{lines[0]} → {lines[1]} at most", "constant", lines[1] <= lines[0]))
    dead = max(one.dead for one in late)
    found.append(Figure("REL-23", "Dead rows", f"{dead:.1%} at most", f"≤ {DEAD:.0%}", dead <= DEAD))
    said = f"{statuses}; {'; '.join(wrong) or 'nothing lost'}"
    return [*found, Figure("REL-23", "Answers", said, "nothing lost", not wrong)]


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _record(figures: str, minutes: float, rate: float, seed: int) -> None:
    (DOCS / "soak.md").write_text(
        "# The product for a long time, as last tried\n\n"
        f"`make soak`, {minutes:g} minutes (the goal says {MINUTES:g}) at {rate:g} requests a second, seed {seed}, "
        f"{dt.date.today():%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}; load of the machine "
        f"{os.getloadavg()[2]:.0f} (other programs on the same cores lengthen every delay). Each figure: the middle "
        "of the second quarter → the middle of the last; what processes share is counted in each.\n\n" + figures + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
