"""The service levels: what is promised, and whether it is kept (REL-16).

What is promised is in data/service-levels.toml. What happened comes from what the processes of this machine counted
(since it started), or from the lines of a log (over the window); letters and restores from the database.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson
from django.utils import timezone
from prometheus_client import CollectorRegistry

from coordination.operations.proofs import last_proved_restore
from coordination.outbox.models import Message

PROMISES = Path(__file__).with_name("data") / "service-levels.toml"


@dataclass(frozen=True, slots=True)
class Level:
    """One promise. `at_most` or `at_least` is the bound; `share` of the cases is within it, all of them if None."""

    key: str
    says: str
    measure: str
    at_most: float | None = None
    at_least: float | None = None
    share: float | None = None
    routes: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a promise is kept, None when nothing was measured. `value`: in the unit of the bound."""

    level: Level
    kept: bool | None
    value: float | None = None
    cases: int = 0


@dataclass(slots=True)
class Counted:
    """What happened: answers, those that failed; for each route and queue, the cases under each bound in seconds.

    `requests`, `waits`: {name: {bound: cases at most that long}}, the last bound infinite. Bounds are those of the
    buckets, or every duration that a log holds.
    """

    answers: int = 0
    failed: int = 0
    requests: dict[str, dict[float, float]] = field(default_factory=dict)
    waits: dict[str, dict[float, float]] = field(default_factory=dict)


def promises() -> tuple[int, list[Level]]:
    """Return the window in days, and the promises."""
    said = tomllib.loads(PROMISES.read_text())
    levels = [
        Level(
            **one
            | {name: frozenset(one[name]) for name in ("routes", "queues") if name in one}
            | {"kinds": tuple(one.get("kinds", ()))}
        )
        for one in said["level"]
    ]
    return said["window_days"], levels


def verdicts(counted: Counted, *, now: datetime | None = None) -> list[Verdict]:
    """Return whether each promise is kept. One SQL statement for letters, one for restores."""
    now = now or timezone.now()
    days, levels = promises()
    since = now - timedelta(days=days)
    measures: dict[str, Callable[[Level], Verdict]] = {
        "answers": lambda level: _answers(level, counted),
        "requests": lambda level: _times(level, counted.requests, level.routes),
        "waits": lambda level: _times(level, counted.waits, level.queues),
        "letters": lambda level: _letters(level, since),
        "restore_days": lambda level: _restore(level, now),
    }
    return [measures[level.measure](level) for level in levels]


def _answers(level: Level, counted: Counted) -> Verdict:
    if not counted.answers:
        return Verdict(level, None)
    share = (counted.answers - counted.failed) / counted.answers
    assert level.at_least is not None
    return Verdict(level, share >= level.at_least, share, counted.answers)


def _times(level: Level, found: Mapping[str, Mapping[float, float]], names: Iterable[str]) -> Verdict:
    assert level.share is not None and level.at_most is not None
    buckets = _added(found[name] for name in names if name in found)
    cases = int(max(buckets.values(), default=0))
    if not cases:
        return Verdict(level, None)
    within = max((number for bound, number in buckets.items() if bound <= level.at_most), default=0)
    return Verdict(level, within >= level.share * cases, quantile(buckets, level.share), cases)


def _added(many: Iterable[Mapping[float, float]]) -> dict[float, float]:
    """Add cumulative counts, whose bounds may differ."""
    steps: dict[float, float] = defaultdict(float)
    for one in many:
        before = 0.0
        for bound, number in sorted(one.items()):
            steps[bound] += number - before
            before = number
    bounds = sorted(steps)
    return dict(zip(bounds, accumulate(steps[bound] for bound in bounds), strict=True))


def quantile(buckets: Mapping[float, float], share: float) -> float:
    """Return the duration that this share of the cases does not exceed, read between two bounds as Prometheus does.

    Beyond the last finite bound, that bound: it was longer. `buckets`: {bound: cases at most that long}, not empty.
    """
    ordered = sorted(buckets.items())
    wanted = share * ordered[-1][1]
    before, under = 0.0, 0.0
    for bound, number in ordered:
        if number >= wanted:
            if bound == float("inf"):
                return before
            return bound if number == under else before + (bound - before) * (wanted - under) / (number - under)
        before, under = bound, number
    return before


def _letters(level: Level, since: datetime) -> Verdict:
    assert level.share is not None and level.at_most is not None
    seconds = Message.objects.seconds_to_leave(level.kinds, since=since, share=level.share)
    return Verdict(level, None) if seconds is None else Verdict(level, seconds <= level.at_most, seconds)


def _restore(level: Level, now: datetime) -> Verdict:
    """A restore that nobody proved is a promise broken, not a figure that is missing."""
    assert level.at_most is not None
    proved = last_proved_restore()
    if proved is None:
        return Verdict(level, False)
    days = (now - proved).total_seconds() / 86400
    return Verdict(level, days <= level.at_most, days)


def from_metrics(registry: CollectorRegistry) -> Counted:
    """Return what the processes of this machine counted since it started."""
    counted = Counted()
    for metric in registry.collect():
        for sample in metric.samples:
            said = sample.labels
            if sample.name == "coordination_requests_total":
                counted.answers += int(sample.value)
                counted.failed += int(sample.value) if said["status"].startswith("5") else 0
            elif sample.name == "coordination_request_seconds_bucket":
                counted.requests.setdefault(said["route"], {})[float(said["le"])] = sample.value
            elif sample.name == "coordination_queue_wait_seconds_bucket":
                counted.waits.setdefault(said["queue"], {})[float(said["le"])] = sample.value
    return counted


def from_log(lines: Iterable[str | bytes], *, since: datetime) -> Counted:
    """Return what the lines of a log say of requests, since a moment; other lines are passed over.

    Waits are not in the log: that promise is then not measured.
    """
    counted = Counted()
    times: dict[str, dict[float, int]] = defaultdict(lambda: defaultdict(int))
    for line in lines:
        said = _line(line)
        if said is None or said["at"] < since:
            continue
        # Refused before the product saw them: a line says how many (coordination/common/overload.py).
        if refused := said.get("refused"):
            counted.answers += refused
            counted.failed += refused
            continue
        counted.answers += 1
        counted.failed += said["status"] >= 500
        times[said["view"]][said["ms"] / 1000] += 1
    for view, found in times.items():
        reached, cumulative = 0, {}
        for seconds in sorted(found):
            reached += found[seconds]
            cumulative[seconds] = float(reached)
        counted.requests[view] = cumulative | {float("inf"): float(reached)}
    return counted


def _line(line: str | bytes) -> dict[str, Any] | None:
    """Return what one line says of a request, or of those refused; None for anything else, or unreadable."""
    try:
        said = orjson.loads(line)
        if said["event"] not in ("request", "web.too_many_wait"):
            return None
        at = datetime.fromisoformat(said["timestamp"])
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        if said["event"] != "request":
            return {"at": at, "refused": int(said["refused"])}
        return {"at": at, "status": int(said["status"]), "view": str(said["view"]), "ms": float(said["ms"])}
    except (ValueError, KeyError, TypeError):
        return None
