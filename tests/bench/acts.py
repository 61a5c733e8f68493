"""Every act answers within 100 ms, and typing is never held up (PERF-20): coordinator, invited, administrator.

The demonstration and its directory, a dossier for each round, the product as production runs it, Chromium: each act of
`tests/bench/deeds` is done in each round, on the page where its form stands (tests/bench/acting.py says what is
timed). The first round warms the processes and is not counted. The browser, the web server and PostgreSQL share the
cores of this machine. `ACTS_ROUNDS=3` makes a short run, and its figures say so.
"""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench import servers, weights

GOAL, LONG_TASK = 100, 50
ROUNDS, FULL_ROUNDS = 20, 40
PROFESSIONALS = 20_000
# Who acts beside the coordinator who opened the dossiers: a doctor, a nurse who may not habilitate.
PROFILES = ("coordinateur_sante", "medecin", "infirmier")
SITUATION = "habilité"


@dataclass
class Done:
    """What the rounds met. `missed`: {act: why it was not done}, the last reason."""

    answers: dict[str, list] = field(default_factory=dict)
    pieces: set[str] = field(default_factory=set)
    missed: dict[str, str] = field(default_factory=dict)
    typed: list = field(default_factory=list)


_notes: list[str] = []


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from django.test import override_settings

    from coordination.runtime import chromium

    program = chromium.find()
    if not program:
        return [_figure("Acts", "no Chromium on this machine", "a browser", False)]
    rounds = int(os.environ.get("ACTS_ROUNDS") or (FULL_ROUNDS if full else ROUNDS))
    # What is signed here is read by the product that runs beside.
    with (
        override_settings(SECRET_KEY=servers.SECRET),
        servers.database(lambda: build(rounds + 1)) as scenes,
        servers.product("tests.bench.loopback") as (address, _),
        weights.browser_of(program) as browser,
    ):
        done = play(browser, address, scenes)
    _notes[:] = _said(done)
    return figures(done)


def notes(full: bool) -> str:
    """Return what is above the goal and where its time goes, and what is not measured."""
    return "\n".join(_notes)


# --- The rounds -----------------------------------------------------------------------------------


def build(count: int) -> list:
    """Load the demonstration, and beside it a dossier for each round; return the scenes."""
    from coordination.demo import loader
    from tests.bench.deeds import Scene
    from tests.circle.factories import UserFactory
    from tests.security import world as w

    loader.load(say=lambda _: None, professionals=PROFESSIONALS)
    world = w.build(profiles=PROFILES, situations=(SITUATION,))
    places = [world.places[SITUATION], *(w.settle(world, SITUATION) for _ in range(count - 1))]
    people = {
        "coordinator": world.carers[0], "doctor": world.carers[1], "nurse": world.people["infirmier"],
        "administrator": world.apart[w.ADMINISTRATOR], "officer": world.apart[w.OFFICER],
        "keeper": world.apart[w.LOOKS_AFTER],
        "other administrator": UserFactory(administrator=True, family_name="SECONDE", given_name="Camille"),
    }  # fmt: skip
    return [Scene(world, place, number, people) for number, place in enumerate(places)]


def play(browser: Any, address: str, scenes: Sequence) -> Done:
    """Do every act in each scene; the first scene is not counted, and typing is watched in the last."""
    from tests.bench.acting import Hand

    hand, done = Hand(browser, address), Done()
    for scene in scenes:
        _freshen()
        for act, answer in _round(hand, scene, done):
            if scene.number:
                done.answers.setdefault(act.name, []).append(answer)
    pages = set()
    for act in _acts():
        if act.page not in pages and (typed := _typed(hand, act, scenes[-1])):
            pages.add(act.page)
            done.typed.append(typed)
    return done


def _round(hand: Any, scene: Any, done: Done):
    """Yield each act done, with its answer; an act that is not leaves its reason."""
    from tests.bench.deeds import PIECE

    for act in _acts():
        if act.answer == PIECE:
            done.pieces.add(act.name)
        try:
            answer = hand.does(act, scene)
        except Exception as why:  # refused, or what it needs could not be made: told by name, and the others are done
            done.missed[act.name] = f"round {scene.number}: {type(why).__name__}: {why}".partition("\n")[0]
        else:
            yield act, answer


def _typed(hand: Any, act: Any, scene: Any):
    try:
        return hand.types(act, scene)
    except Exception:  # what the page was about is done, or gone
        return None


def _acts() -> tuple:
    from tests.bench import deeds

    return deeds.every()


def _freshen() -> None:
    """Forget how many times each has tried what is counted, and what was being typed."""
    from django.core.cache import caches

    from coordination.accounts.models import Draft

    caches["default"].clear()
    Draft.objects.all().delete()


# --- Figures --------------------------------------------------------------------------------------


def p95(times: Sequence[float]) -> float:
    """Return the time that 95 % of these keep, one of them (nearest rank)."""
    return sorted(times)[math.ceil(0.95 * len(times)) - 1]


def figures(done: Done) -> list[dict]:
    """Return the figures of what was met."""
    from tests.bench.deeds.excused import EXCUSED

    late = {name: p95([one.took for one in answers]) for name, answers in done.answers.items()}
    within = sum(ms <= GOAL for ms in late.values())
    slowest = max(late, key=late.__getitem__)
    middle = statistics.median(one.took for answers in done.answers.values() for one in answers)
    times = min(map(len, done.answers.values()))
    routes = {name.partition(" ")[0] for name in done.answers}
    excused = sum(map(len, EXCUSED.values()))
    long = max((one.long for one in done.typed), default=0)
    key = max((one.key for one in done.typed), default=0)
    fields = f"{sum(one.fields for one in done.typed)} fields of {len(done.typed)} pages"
    return [
        _figure(f"Acts answered within {GOAL} ms at p95 ({times} times each at least, median {middle:.0f} ms)",
                f"{within} of {len(late)}", "all", within == len(late)),
        _figure("The slowest act, p95", f"{late[slowest]:.0f} ms ({slowest})", f"≤ {GOAL} ms", late[slowest] <= GOAL),
        _figure(f"Addresses that take a POST, acted on ({excused} others excused by name)",
                f"{len(routes)} of {len(routes | _missed_routes(done))}", "all", not _missed_routes(done)),
        _figure(f"Longest task while one types ({fields})", f"{long:.0f} ms" if long else f"none of {LONG_TASK} ms",
                f"< {LONG_TASK} ms", not long),
        _figure("From a key to its paint, the worst field", f"{key:.0f} ms", f"≤ {GOAL} ms", key <= GOAL),
    ]  # fmt: skip


def _missed_routes(done: Done) -> set[str]:
    """Return the routes of which no act at all was done."""
    return {name.partition(" ")[0] for name in done.missed} - {name.partition(" ")[0] for name in done.answers}


def _said(done: Done) -> list[str]:
    from tests.bench.deeds.excused import EXCUSED

    late = {name: p95([one.took for one in answers]) for name, answers in done.answers.items()}
    over = sorted((name for name, ms in late.items() if ms > GOAL), key=lambda name: -late[name])
    parts = "the act itself, the page after it, drawing"
    lines = [f"Acts above {GOAL} ms at p95, the slowest first (medians: {parts}):", ""]
    lines += [f"* {name}: p95 {late[name]:.0f} ms{_where(done, name)}" for name in over] or ["* none"]
    lines += [
        "",
        "A fragment is timed from its request: the field waits for the next letter first, 100 to 400 ms, by "
        "choice. It is timed to the frame after it was put in place; a page, to its first contentful paint.",
    ]
    if done.missed:
        lines += ["", "Not done in some round, hence not counted in it:", ""]
        lines += [f"* {name}: {why}" for name, why in sorted(done.missed.items())]
    lines += ["", "Not measured, and why:", ""]
    lines += [f"* {', '.join(sorted(names))}: {why}" for why, names in EXCUSED.items()]
    return lines


def _where(done: Done, name: str) -> str:
    answers = done.answers[name]
    said = f", median {statistics.median(one.took for one in answers):.0f}"
    if name in done.pieces:
        return f"{said} (a fragment)"
    parts = (statistics.median(getattr(one, part) for one in answers) for part in ("act", "page", "drawn"))
    return f"{said} ({', '.join(f'{part:.0f}' for part in parts)})"


def _figure(name: str, value: str, goal: str, kept: bool) -> dict:
    return {"name": name, "value": value, "ratio": None, "yardstick": None, "goal": goal, "ok": kept}
