"""Due work: how soon it begins, how many are done in a second, with a long queue too (REL-4, SCALE-12).

The product's worker (two processes, its clock with it) under production's settings and a durable PostgreSQL; the work
itself is one row that says when it began. A job begins late by the time between the commit of who leaves it and that
row.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from tests.bench import servers

IDLE, FULL_IDLE = 60, 300
DRAINED, FULL_DRAINED = 3_000, 20_000
DEEP, FULL_DEEP = 100_000, 1_000_000
FEW, SWEEPS = 1_000, 20
BELL, RATE, GROWTH, PAYLOAD, MEMORY = 50, 500, 2, 200, 300
# Seconds: forty jobs a second at least.
PATIENCE = 60
MB = 1 << 20
# The messages whose weight in the broker is measured.
WEIGHED = 500


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    idle, drained, deep = (FULL_IDLE, FULL_DRAINED, FULL_DEEP) if full else (IDLE, DRAINED, DEEP)
    with servers.database(_table), tempfile.TemporaryDirectory() as folder:
        environment = servers.production(Path(folder))
        environment["REDIS_URL"] = environment["REDIS_URL"].rpartition("/")[0] + "/7"  # of nobody else
        broker = redis.Redis.from_url(environment["REDIS_URL"])
        broker.flushdb()
        try:
            weighed = _weighed(environment, broker)
            with _worker(environment, folder):
                quiet = _delays(environment, idle)
                _fill(deep, "interval '1 day'")
                behind = _delays(environment, idle)
            rate = _drained(environment, folder, drained)
            few, many = _first_in(deep)
        finally:
            broker.flushdb()
            broker.close()
    return [
        _bell(quiet),
        _growth(f"The same beside {deep} jobs that wait for their hour, p50", behind, quiet),
        {
            "name": f"Jobs done in a second on two cores ({drained} waiting)",
            "value": f"{rate:.0f} /s",
            "ratio": None,
            "yardstick": "",
            "goal": f"≥ {RATE} /s",
            "ok": rate >= RATE,
        },
        {
            "name": f"First job taken and done by the sweep when {deep} wait, p50",
            "value": f"{many * 1000:.1f} ms",
            "ratio": many / few,
            "yardstick": f"when {FEW} wait {few * 1000:.1f} ms",
            "goal": f"≤ {GROWTH} ×",
            "ok": many / few <= GROWTH,
        },
        *_weights(*weighed),
    ]


# ---- Figures ---------------------------------------------------------------------------------------


def _bell(delays: list[float]) -> dict:
    p95 = _p95(delays) * 1000
    return {
        "name": f"Doorbell, commit to start, idle, p95 (p50 {statistics.median(delays) * 1000:.0f} ms)",
        "value": f"{p95:.0f} ms",
        "ratio": None,
        "yardstick": "",
        "goal": f"≤ {BELL} ms",
        "ok": p95 <= BELL,
    }


def _growth(name: str, behind: list[float], quiet: list[float]) -> dict:
    one, other = statistics.median(behind), statistics.median(quiet)
    return {
        "name": name,
        "value": f"{one * 1000:.1f} ms, p95 {_p95(behind) * 1000:.0f} ms",
        "ratio": one / other,
        "yardstick": f"with none {other * 1000:.1f} ms",
        "goal": f"≤ {GROWTH} ×",
        "ok": one / other <= GROWTH,
    }


def _weights(payload: int, each: float) -> list[dict]:
    from coordination.outbox.doorbell import MOST_UNHEARD

    million = each * min(1_000_000, MOST_UNHEARD) / MB
    return [
        {
            "name": "Payload of a ring, identifiers only",
            "value": f"{payload} bytes",
            "ratio": None,
            "yardstick": "",
            "goal": f"≤ {PAYLOAD} bytes",
            "ok": payload <= PAYLOAD,
        },
        {
            "name": "Memory of the broker when a million jobs wait, worked out",
            "value": f"{million:.0f} MB",
            "ratio": None,
            "yardstick": f"{each:.0f} bytes a ring ({WEIGHED} weighed), {MOST_UNHEARD} rings at most",
            "goal": f"≤ {MEMORY} MB",
            "ok": million <= MEMORY,
        },
    ]


def _p95(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


# ---- Measures --------------------------------------------------------------------------------------


def _table() -> None:
    with _cursor() as cursor:
        cursor.execute("CREATE TABLE bench_begun (ref uuid PRIMARY KEY, at double precision NOT NULL)")


def _leave(environment: dict[str, str], way: str, count: int) -> dict[str, float]:
    command = [sys.executable, "-m", "tests.bench.jobs_side", way, str(count)]
    done = subprocess.run(command, cwd=servers.ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


@contextmanager
def _worker(environment: dict[str, str], folder: str) -> Iterator[None]:
    """Run the worker of the systemd unit, with the clock that one of them has."""
    command = [sys.executable, "-m", "celery", "-A", "tests.bench.jobs_side", "worker", "--concurrency", "2", "-B"]
    command += ["--schedule", str(Path(folder, "beat")), "--loglevel", "ERROR"]
    with Path(folder, "worker.log").open("wb") as said:
        process = subprocess.Popen(command, cwd=servers.ROOT, env=environment, stdout=said, stderr=said)
        try:
            yield
        except Silent as silence:
            raise RuntimeError(f"{silence}: {Path(folder, 'worker.log').read_text()[-2000:]}") from silence
        finally:
            process.terminate()
            process.wait(60)


class Silent(RuntimeError):
    """Jobs that never began."""


def _delays(environment: dict[str, str], count: int) -> list[float]:
    """Leave jobs one by one and return how late each began, but the first ones: the worker starts."""
    _await(_leave(environment, "one-by-one", 10))
    committed = _leave(environment, "one-by-one", count)
    begun = _await(committed)
    return [begun[ref] - at for ref, at in committed.items()]


def _drained(environment: dict[str, str], folder: str, count: int) -> float:
    """Leave many jobs while no worker runs, then return how many it does in a second, its start left out."""
    committed = _leave(environment, "at-once", count)
    with _worker(environment, folder):
        begun = sorted(_await(committed).values())
    tenth = len(begun) // 10
    return (len(begun) - tenth) / (begun[-1] - begun[tenth])


def _await(committed: dict[str, float]) -> dict[str, float]:
    until = time.monotonic() + PATIENCE + len(committed) / 40
    while time.monotonic() < until:
        with _cursor() as cursor:
            cursor.execute("SELECT ref::text, at FROM bench_begun WHERE ref = ANY(%s::uuid[])", [list(committed)])
            begun = dict(cursor.fetchall())
        if len(begun) == len(committed):
            return begun
        time.sleep(0.5)
    raise Silent(f"{len(committed) - len(begun)} jobs of {len(committed)} never began")


def _fill(count: int, due_in: str) -> None:
    """Put so many jobs in the queue, due in so long, in the place of those that are there."""
    with _cursor() as cursor:
        cursor.execute("TRUNCATE outbox_job")
        cursor.execute(
            f"""
            INSERT INTO outbox_job (id, kind, ref, attempts, next_attempt_at, ring_after, last_error, created_at)
            SELECT gen_random_uuid(), 'bench.nothing', gen_random_uuid(), 0, now() + {due_in} + n * interval '1 ms',
                now() + {due_in} + n * interval '1 ms', '', now()
            FROM generate_series(1, %s) AS n""",
            [count],
        )
        cursor.execute("ANALYZE outbox_job")


def _first_in(deep: int) -> tuple[float, float]:
    """Return how long the sweep takes to find its batch and a worker to do the first of it, few waiting and many."""
    from coordination.outbox import jobs, sweeping
    from coordination.outbox.models import Job

    jobs.handler("bench.nothing")(_nothing)

    def first() -> None:
        if not jobs.run(sweeping._claim(Job.objects.all)[0]):
            raise RuntimeError("the first job was not done")

    # So long ago that each batch is due. A batch is taken from those that wait: the few are put back each time.
    few = []
    for _ in range(SWEEPS):
        _fill(FEW, "interval '-2 days'")
        few.append(_timed(first))
    _fill(deep, "interval '-2 days'")
    return statistics.median(few), statistics.median(_timed(first) for _ in range(SWEEPS))


def _nothing(ref) -> None:
    """The same work without its row: nothing."""


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _weighed(environment: dict[str, str], broker: redis.Redis) -> tuple[int, float]:
    """Return the bytes of what a ring says, and of what it takes in the broker; the rings are forgotten."""
    import base64

    before = broker.info("memory")["used_memory"]
    _leave(environment, "alone", WEIGHED)
    each = (broker.info("memory")["used_memory"] - before) / WEIGHED
    message = json.loads(broker.lindex("celery", 0))
    payload = base64.b64decode(message["body"])
    broker.flushdb()
    with _cursor() as cursor:
        cursor.execute("TRUNCATE outbox_job")
    return len(payload), each


def _cursor():
    from django.db import connection

    return connection.cursor()
