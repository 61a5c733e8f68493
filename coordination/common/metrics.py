"""What is counted for Prometheus: durations, answers, waits (REL-16). Names of routes and of queues, nothing else.

A label is a name of ours, a status or a method: never an address, an identifier nor a word that somebody typed
(SEC-22).

Every process counts in a file of its own under PROMETHEUS_MULTIPROC_DIR, which `manage.py metrics` reads and adds up;
without that directory each process counts for itself and nobody asks
(docs/decisions/2026-11-29-metrics.md).
"""

import fcntl
import itertools
import os
from datetime import timedelta
from pathlib import Path
from typing import IO

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram, values

REGISTRY = CollectorRegistry()
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# An address that leads nowhere, a method that somebody made up.
NONE, OTHER = "-", "AUTRE"


class Place:
    """Which file this process counts in: the lowest number that no living process holds.

    The library's own choice, the number of the process, leaves one file for each process that ever lived, and web
    workers are renewed for ever. A place is held by a lock, which the system gives back whatever a process dies of;
    who takes it next goes on with its counts, so that a sum never goes back.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid, self._number = 0, 0
        self._held: IO[bytes] | None = None

    def __call__(self) -> int:
        """Return the place of this process, found again after a fork."""
        if self._pid != os.getpid():
            inherited, self._held = self._held, self._taken()
            if inherited is not None:
                # The parent's is still held by the parent.
                inherited.close()
            self._pid = os.getpid()
        return self._number

    def _taken(self) -> IO[bytes]:
        for number in itertools.count():
            held = (self._folder / f"place-{number}.lock").open("ab")
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.close()
                continue
            self._number = number
            return held
        raise AssertionError("Numbers do not end.")


def _count_in_files() -> None:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        values.ValueClass = values.MultiProcessValue(Place(Path(folder)))


_count_in_files()

# Each promise of coordination/operations/data/service-levels.toml is the bound of a bucket: kept or not is then exact.
REQUEST_SECONDS = Histogram(
    "coordination_request_seconds",
    "Time to answer, by route.",
    ["route"],
    buckets=(0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10),
    registry=REGISTRY,
)
REQUESTS = Counter(
    "coordination_requests", "Answers given, by route, method and status.", ["route", "method", "status"],
    registry=REGISTRY,
)  # fmt: skip
JOURNAL_SECONDS = Histogram(
    "coordination_journal_append_seconds",
    "Time to append to the journal of accesses, by chain.",
    ["chain"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1),
    registry=REGISTRY,
)
WAIT_SECONDS = Histogram(
    "coordination_queue_wait_seconds",
    "How late what is due is begun, by queue.",
    ["queue"],
    buckets=(0.05, 0.1, 0.5, 1, 3, 5, 10, 30, 60, 300, 3600),
    registry=REGISTRY,
)


def answered(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """Count one answer and its duration."""
    match = request.resolver_match
    route = match.view_name if match else NONE
    REQUEST_SECONDS.labels(route).observe(seconds)
    REQUESTS.labels(route, method_of(request), response.status_code).inc()


def refused() -> None:
    """Count a request refused before its address was looked at (coordination/common/overload.py)."""
    REQUESTS.labels(NONE, NONE, 503).inc()


def method_of(request: HttpRequest) -> str:
    """Return the method of a request; one that somebody made up is what he typed, and is written nowhere."""
    return request.method if request.method and request.method in METHODS else OTHER


def begun(queue: str, late: timedelta) -> None:
    """Count how late a waiting row is begun. `queue` is the name of its table in the code: "message", "job"…"""
    WAIT_SECONDS.labels(queue).observe(max(0.0, late.total_seconds()))
