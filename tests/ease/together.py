"""The hands at work side by side, each in a process of its own, on the same demonstration."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import django

from tests.ease.hand import HUMAN


def everybody(hands: list[str], asked) -> dict[str, object]:
    """Load the demonstration, serve it, and have each hand do the ten tasks in a dossier of its own.

    Side by side: somebody at work mostly thinks. Return {hand: tests.ease.doing.Done}.
    """
    from tests.bench import servers
    from tests.ease import stage

    workers = ProcessPoolExecutor(len(hands), multiprocessing.get_context("spawn"), initializer=django.setup)
    with (
        servers.database(lambda: stage.demonstration(asked.professionals)) as places,
        servers.demonstration() as address,
        workers as pool,
    ):
        done = [pool.submit(_do, hand, address, place, asked) for hand, place in zip(hands, places, strict=False)]
        return {hand: one.result() for hand, one in zip(hands, done, strict=True)}


def _do(hand: str, address: str, place, asked):
    from coordination.runtime import chromium
    from tests.bench import weights
    from tests.ease import doing

    program = chromium.find()
    if not program:
        raise SystemExit("No Chromium on this machine.")
    if asked.shots:
        asked.shots.mkdir(parents=True, exist_ok=True)
    with weights.browser_of(program) as browser:
        return doing.all_of_them(browser, address, place, hand, HUMAN, asked.shots, patient=not asked.reckoned)
