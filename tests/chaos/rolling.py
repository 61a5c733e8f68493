"""REL-15: the web and the workers replaced under a load, as a release does. Nobody sees it."""

from __future__ import annotations

import random
import time

from django.db import connection

from tests.chaos import judging, load
from tests.chaos.figures import Figure
from tests.chaos.stage import Stage
from tests.chaos.town import Town


def run(
    stage: Stage, town: Town, *, times: int, renewals: int, pause: float, rate: float, seed: int
) -> tuple[list[load.Attempt], judging.Verdict]:
    """Replace the processes of the web, then the worker, so many times; then gunicorn itself, code included."""
    acts = load.Acts(town, random.Random(seed))
    with load.running(stage.port, acts, rate=rate, threads=24) as running:
        began = time.time()
        time.sleep(pause)
        for _ in range(times):
            stage.reload_web()
            time.sleep(pause)
            stage.restart("worker")
            time.sleep(pause)
        for _ in range(renewals):
            stage.renew_web()
            time.sleep(pause)
        attempts = running.since(began)
    connection.close()
    return attempts, judging.judge(stage, running.acts)


def figures(times: int, renewals: int, attempts: list[load.Attempt], verdict: judging.Verdict) -> list[Figure]:
    bad = [one for one in attempts if not 200 <= one.status < 400]
    seconds = [one.seconds for one in attempts]
    said = ", ".join(f"{count} {what}" for what, count in load.statuses(attempts).most_common())
    return [
        Figure(
            "REL-15",
            f"{times} restarts of the web (HUP) and of the worker (TERM), {renewals} of gunicorn itself (USR2)",
            f"{said}; slowest {max(seconds, default=0):.1f} s; {'; '.join(verdict.wrong) or 'nothing lost'}",
            "0 not 2xx, 0 lost", not bad and not verdict.wrong,
        )
    ]  # fmt: skip
