"""The age of the oldest waiting letter, ten times a second, and how soon after each fall it is young again (REL-2)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.chaos.stage import Stage, judge_connection

EVERY = 0.1
YOUNG = 5.0
# Since it was written, and not since it is due: an attempt in hand is put off, and would not count.
OLDEST = (
    "SELECT extract(epoch FROM clock_timestamp() - min(created_at))::float FROM outbox_message"
    " WHERE state IN ('en_file', 'en_cours', 'a_reessayer')"
)


@dataclass
class Watch:
    """`samples`: (moment, seconds), None when the database did not say."""

    samples: list[tuple[float, float | None]] = field(default_factory=list)

    def recoveries(self, falls: list[float]) -> list[float]:
        """Return for each fall the seconds until the oldest letter was young for good, before the next fall."""
        ends = [*falls[1:], float("inf")]
        found = []
        for fall, following in zip(falls, ends, strict=True):
            found.append(
                max((end - fall for began, end in self._episodes() if fall <= began < following), default=0.0)
            )
        return found

    @property
    def oldest(self) -> float:
        return max((age for _, age in self.samples if age is not None), default=0.0)

    def _episodes(self) -> list[tuple[float, float]]:
        """Return when the oldest letter was old, or the database silent: [(from, to)]."""
        found, began, last = [], None, 0.0
        for moment, age in self.samples:
            is_old = age is None or age >= YOUNG
            if is_old and began is None:
                began = moment
            if not is_old and began is not None:
                found.append((began, moment))
                began = None
            last = moment
        return found + ([(began, last)] if began is not None else [])


@contextmanager
def watching(stage: Stage) -> Iterator[Watch]:
    """Sample as long as the block lasts."""
    watch, over = Watch(), threading.Event()
    thread = threading.Thread(target=_sample, args=[stage, watch, over], daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()


def _sample(stage: Stage, watch: Watch, over: threading.Event) -> None:
    line: psycopg.Connection | None = None
    while not over.wait(EVERY):
        age: float | None = None
        try:
            line = line or judge_connection(stage)
            found = line.execute(OLDEST).fetchone()
            age = (found[0] or 0.0) if found else 0.0
        except psycopg.Error:
            line = _closed(line)
        watch.samples.append((time.time(), age))
    _closed(line)


def _closed(line: psycopg.Connection | None) -> None:
    if line is not None:
        line.close()
