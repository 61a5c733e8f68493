"""The two other processes of `jobs`: the worker's application, and who leaves work. Under production's settings.

`celery -A tests.bench.jobs_side worker`; `python -m tests.bench.jobs_side one-by-one|at-once|alone COUNT` prints the
hour of each commit, {job: seconds}.
"""

from __future__ import annotations

import json
import sys
import time
from uuid import UUID, uuid4

import django

django.setup()

from django.db import connection, transaction  # noqa: E402 - the settings first

from coordination.celery import app as celery  # noqa: E402
from coordination.outbox import actions, jobs  # noqa: E402

__all__ = ["celery"]
KIND = "bench.nothing"
# Between two jobs left one by one: the worker has nothing to do when the next one comes.
APART = 0.1
TOGETHER = 50


@jobs.handler(KIND)
def nothing(ref: UUID) -> None:
    """Say when it began, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_begun VALUES (%s, %s)", [ref, time.time()])


def leave(count: int, together: int, apart: float) -> dict[str, float]:
    """Leave so much work in transactions of so many; return when each was committed."""
    committed: dict[str, float] = {}
    for _ in range(count // together):
        with transaction.atomic():
            refs = [uuid4() for _ in range(together)]
            # First of what is done once committed: the bell rings after it.
            transaction.on_commit(lambda refs=refs: committed.update(dict.fromkeys(map(str, refs), time.time())))
            for ref in refs:
                actions.enqueue(KIND, ref)
        time.sleep(apart)
    return committed


if __name__ == "__main__":
    way, asked = sys.argv[1:]
    together, apart = {"one-by-one": (1, APART), "at-once": (TOGETHER, 0.0), "alone": (1, 0.0)}[way]
    print(json.dumps(leave(int(asked), together, apart)))
