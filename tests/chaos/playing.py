"""The scenarios one after the other, in their short form or with the numbers of the goals."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from tests.chaos import broker_away, dependencies, exhausted, judging, kills, rolling, town, upgrade
from tests.chaos.figures import Figure, table
from tests.chaos.stage import Stage, opened
from tests.chaos.town import Town

__all__ = ["play", "played_on", "table"]


@dataclass(frozen=True)
class Size:
    """How long and how much: seconds, and acts a second."""

    dossiers: int
    kills: int
    every: float
    rate: float
    normal: float
    troubles: dict[str, float]
    rollings: int
    renewals: int
    pause: float
    rolling_rate: float
    acts: int
    shortage: float


SHORT = Size(
    dossiers=20, kills=9, every=4, rate=20, normal=6,
    troubles={"flushed": 3, "stopped": 8, "silent": 6, "answering errors": 4}, rollings=2, renewals=1, pause=3,
    rolling_rate=20, acts=3, shortage=4,
)  # fmt: skip
FULL = Size(
    dossiers=200, kills=200, every=9, rate=20, normal=60,
    troubles={"flushed": 10, "stopped": 600, "silent": 60, "answering errors": 60}, rollings=10, renewals=2, pause=5,
    rolling_rate=50, acts=20, shortage=20,
)  # fmt: skip


def play(scenarios: Iterable[str], *, full: bool, seed: int) -> list[Figure]:
    """Play these scenarios; return what they found."""
    size = FULL if full else SHORT
    found: list[Figure] = []
    asked = list(scenarios)
    usual = [name for name in asked if name not in ("exhausted", "upgrade")]
    if "upgrade" in asked:
        # Over servers of its own: another version serves there.
        _say("upgrade")
        found += upgrade.figures(
            upgrade.run(dossiers=size.dossiers, rate=size.rolling_rate, pause=size.pause, seed=seed + 8)
        )
    # The disk that is filled is a small one, which a long run of the others would fill by itself.
    with exhausted.small_disk() as disk:
        if usual and (full or disk is None):
            with played_on(None, size.dossiers) as (stage, there):
                found += _usual(stage, there, usual, size, seed)
            usual = []
        if usual or "exhausted" in asked:
            with played_on(disk, size.dossiers) as (stage, there):
                found += _usual(stage, there, usual, size, seed)
                if "exhausted" in asked:
                    found += shortages(stage, there, size, seed, disk=disk is not None)
    return found


@contextmanager
def played_on(folder: Path | None, dossiers: int) -> Iterator[tuple[Stage, Town]]:
    """Make the servers, in that folder if any, and the town; start the product."""
    with opened(folder) as stage, town.over(stage.database_url):
        _say("the servers and the town")
        there = town.build(dossiers)
        stage.open()
        yield stage, there


def _usual(stage: Stage, there: Town, asked: list[str], size: Size, seed: int) -> list[Figure]:
    found: list[Figure] = []
    for name in asked:
        _say(name)
        if name == "kills":
            found += kills.figures(
                kills.run(stage, there, kills=size.kills, every=size.every, rate=size.rate, seed=seed)
            )
        if name == "redis":
            found += broker_away.figures(*broker_away.run(
                stage, there, troubles=size.troubles, normal=size.normal, rate=size.rate, seed=seed + 2
            ))  # fmt: skip
        if name == "rolling":
            attempts, verdict = rolling.run(
                stage, there, times=size.rollings, renewals=size.renewals, pause=size.pause, rate=size.rolling_rate,
                seed=seed + 3,
            )  # fmt: skip
            found += rolling.figures(size.rollings, size.renewals, attempts, verdict)
        if name == "dependencies":
            seen = dependencies.run(stage, there, acts=size.acts, seed=seed + 4)
            found += dependencies.figures(seen, judging.wait_for_letters(120))
    return found


def shortages(stage: Stage, there: Town, size: Size, seed: int, *, disk: bool) -> list[Figure]:
    """Play the three shortages; without a small disk, say that one was not tried."""
    _say("exhausted")
    found = [
        exhausted.without_connections(stage, there, seconds=size.shortage, seed=seed + 5),
        exhausted.without_memory(stage, there, seconds=size.shortage, seed=seed + 6),
    ]
    if disk:
        found.append(exhausted.without_room(stage, there, seconds=size.shortage, seed=seed + 7))
    # The connection of who judges was taken with the others.
    connection.close()
    whole = judging.judge(stage, [])
    figures = exhausted.figures(found)
    if not disk:
        figures.append(Figure("REL-18", "Disk full", "NOT TRIED: only root may mount a small disk", "", None))
    said = "; ".join(whole.wrong) or "the journal verifies, every letter left"
    return [*figures, Figure("REL-18", "Afterwards", said, "nothing corrupt", not whole.wrong)]


def _say(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)
