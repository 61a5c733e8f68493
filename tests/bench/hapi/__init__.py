"""The API beside HAPI FHIR JPA: the same circles, the same calls, the same PostgreSQL (issue 4 §5).

One server at a time, each in turn, as many clients. HAPI's is the server of
tests/conformance/partner. What each does and does not do is printed with the figures and written beside them.
"""

from __future__ import annotations

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.bench import servers
from tests.bench.hapi import processor
from tests.conformance import java

# Of what is answered in a second, ours beside theirs.
GOAL, CREATION_GOAL = 1.0, 0.5
CIRCLES, FULL_CIRCLES = 1_000, 10_000
ROUNDS, FULL_ROUNDS = 2, 3
SECONDS, FULL_SECONDS = 8, 10
# Of processor, for each kind of call each time a server starts: Java compiles what runs often.
WARM_UP, FULL_WARM_UP = 15, 30
# HAPI keeps the answers of a search for a minute, unless a client says this.
ANEW = ("Cache-Control", "no-store")
PLAIN = ("Accept-Encoding", "identity")
READ, SEARCH, KEPT, CREATION = "read", "search", "search kept", "creation"
SAID = {
    READ: "CareTeam read",
    SEARCH: "CareTeam search by patient.identifier with all includes",
    KEPT: "The same search, HAPI keeping its answers for a minute",
    CREATION: "Transaction that creates a circle",
}
NOTES = """\
Each server in turn, {rounds} times, on {circles} circles, the same resources under the same ids: answers per second
and processor time of each, PostgreSQL included, which holds better than rates on a machine that does other things
(medians). {clients} clients ({client} for reads, ours otherwise), two for creations. Before measuring, at each
start, {warm_up} s of processor for each kind of call. The same PostgreSQL, two databases, the same settings: each
commit waits for the disk. Ours: {workers} processes, a connection to PostgreSQL each. HAPI FHIR JPA 8.8.0: one process
with all the threads it wants, a heap of {heap}, up to 20 connections (it does not open with two), its own settings.

- Both: references to nothing refused, versions kept, a transaction whole or not at all; no answer compressed, and log
  lines that nobody keeps.
- Ours only: the token, its software and its professional looked up at each call; rights by dossier and by member; one
  trace in the journal for each dossier told; profiles and rules of the guide checked on what comes in; what is created
  is at once on the screens, with its history. Each read is a new connection (HAPI keeps them open).
- HAPI only: all parameters of R4 indexed for all types. One token, compared, and nobody known behind it; no profile
  checked, no right, no journal.
- The structure that manages a circle is among the includes of ours; R4 has no parameter for it.
"""
Kind = tuple[str, int]
# Seconds in; how many answers, and how many in a second, out.
Load = Callable[[float], tuple[float, float]]


@dataclass(frozen=True)
class Side:
    """A server while it runs: its address, and what a call says of who calls."""

    address: str
    headers: tuple[tuple[str, str], ...]


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}; none, with a sentence, without Java or Maven."""
    if absent := java.absent():
        return _not_run(f"no {' nor '.join(absent)} on this machine")
    try:
        libraries = java.classpath(java.PARTNER)
    except java.Missing as missing:
        return _not_run(str(missing))
    from tests.bench import calls, town
    from tests.bench.fhir import World
    from tests.bench.hapi import foreign, loading

    with servers.database(lambda: town.build(dossiers=0, circles=1)) as there:
        world = World(there.reader, there.entry)
        world.grow(FULL_CIRCLES if full else CIRCLES)
        paths = _paths(world)
        with servers.product() as (address, _):
            resources = loading.exported(*(calls.Api(address, who) for who in (world.headers, world.export)))
            told = _told(Side(address, world.headers), paths)
        with foreign.database(libraries) as (start, vacuum):
            with start() as address:
                count = loading.load(calls.Api(address, foreign.HEADERS), resources)
                _same(told, _told(Side(address, foreign.HEADERS), paths))
            vacuum()
            print(f"  {count} resources in HAPI", file=sys.stderr)
            ours, theirs = [], []
            for _ in range(FULL_ROUNDS if full else ROUNDS):
                with servers.product() as (address, _):
                    ours.append(_measured(Side(address, world.headers), paths, full))
                with start() as address:
                    theirs.append(_measured(Side(address, foreign.HEADERS), paths, full))
    return [_figure(kind, [one[kind] for one in ours], [one[kind] for one in theirs]) for kind in theirs[0]]


def _not_run(why: str) -> list[dict]:
    print(f"NOT RUN beside HAPI FHIR JPA: {why}.", file=sys.stderr)
    return []


# --- What is asked --------------------------------------------------------------------------------


def _paths(world) -> dict[Kind, list[str]]:
    from tests.bench.fhir import search_of

    found = {}
    for members in world.patterns:
        found[READ, members] = world.circles(members)
        found[SEARCH, members] = [f"/fhir/CareTeam?{search_of(pk)}" for pk in world.dossiers(members)]
    return found


def _told(side: Side, paths: dict[Kind, list[str]]) -> dict[Kind, set[str]]:
    """Return what one search of each kind finds."""
    from tests.bench import calls

    api, found = calls.Api(side.address, side.headers), {}
    for kind, asked in paths.items():
        if kind[0] == SEARCH:
            entries = json.loads(api.ask("GET", asked[0])[1])["entry"]
            found[kind] = {f"{one['resource']['resourceType']}/{one['resource']['id']}" for one in entries}
    return found


def _same(ours: dict[Kind, set[str]], theirs: dict[Kind, set[str]]) -> None:
    """Raise RuntimeError unless both tell the same, but for the structure that manages the circle."""
    for kind, told in ours.items():
        more = told - theirs[kind]
        if theirs[kind] - told or len(more) > 1 or any(not one.startswith("Organization/") for one in more):
            raise RuntimeError(f"{kind}: not the same answer, {more} and {theirs[kind] - told}")


# --- What is measured -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Answers in a second, and the seconds of processor that each took, PostgreSQL included."""

    rate: float
    processor: float

    def __str__(self) -> str:
        rate = f"{self.rate:.0f}" if self.rate >= 100 else f"{self.rate:.1f}"
        return f"{rate} /s, {self.processor * 1000:.1f} ms of processor each"


def _measured(side: Side, paths: dict[Kind, list[str]], full: bool) -> dict[Kind, Measured]:
    """Return what each kind of call gives, once all are warm."""
    seconds, warm_up = (FULL_SECONDS, FULL_WARM_UP) if full else (SECONDS, WARM_UP)
    loads: dict[Kind, Load] = {}
    for (what, members), asked in paths.items():
        if what == READ:
            loads[what, members] = _fast(side, asked)
        else:
            loads[SEARCH, members] = _slow(side, asked, ANEW)
            loads[KEPT, members] = _slow(side, asked)
    loads[CREATION, 12] = _creations(side)
    for load in loads.values():
        _warm(load, warm_up)
    found = {}
    for kind, load in loads.items():
        before = processor.spent()
        count, rate = load(seconds)
        found[kind] = Measured(rate, (processor.spent() - before) / count)
    return found


def _warm(load: Load, seconds: float) -> None:
    """Ask until so many seconds of processor are taken: a busy machine makes a warm-up longer, not shorter."""
    before = processor.spent()
    while processor.spent() - before < seconds:
        load(1)


def _fast(side: Side, asked: list[str]) -> Load:
    page = servers.Page(side.address + asked[0], turns=tuple(asked), sent=(*side.headers, PLAIN))

    def load(seconds: float) -> tuple[float, float]:
        rate = servers.per_second(page, seconds)
        return rate * seconds, rate

    return load


def _slow(side: Side, asked: list[str], *more: tuple[str, str]) -> Load:
    turns = itertools.cycle(asked)
    return _clients(side, lambda: ("GET", next(turns), None), servers.CONNECTIONS, *more)


def _creations(side: Side) -> Load:
    from tests.bench import calls

    return _clients(side, lambda: ("POST", "/fhir/", calls.creation()), servers.WORKERS)


def _clients(side: Side, call: Callable[[], tuple], count: int, *more: tuple[str, str]) -> Load:
    """Clients that each ask when they are answered, and are all answered: no call is left over for what comes next."""
    from tests.bench import calls

    api = calls.Api(side.address, (*side.headers, PLAIN, *more))

    def load(seconds: float) -> tuple[float, float]:
        started = time.perf_counter()

        def client(_: int) -> int:
            answered = 0
            while time.perf_counter() < started + seconds:
                api.ask(*call())
                answered += 1
            return answered

        with ThreadPoolExecutor(count) as clients:
            answered = sum(clients.map(client, range(count)))
        return answered, answered / (time.perf_counter() - started)

    return load


# --- What is told ---------------------------------------------------------------------------------


def _figure(kind: Kind, ours: list[Measured], theirs: list[Measured]) -> dict:
    (what, members), goal = kind, CREATION_GOAL if kind[0] == CREATION else GOAL
    mine, other = _median(ours), _median(theirs)
    ratio = mine.rate / other.rate
    return {
        "name": f"{SAID[what]}, {members} members",
        "value": mine,
        "ratio": ratio,
        "yardstick": f"HAPI FHIR JPA, {other}: {other.processor / mine.processor:.2f} × by the processor",
        "goal": f"≥ {goal} ×",
        "ok": ratio >= goal,
    }


def _median(found: list[Measured]) -> Measured:
    return Measured(statistics.median(one.rate for one in found), statistics.median(one.processor for one in found))


def notes(full: bool) -> str:
    """Return what each side does and does not do, as it is written under the figures."""
    from tests.bench.hapi import foreign

    return NOTES.format(
        rounds=FULL_ROUNDS if full else ROUNDS,
        circles=FULL_CIRCLES if full else CIRCLES,
        clients=servers.CONNECTIONS,
        client=servers.client_name(),
        workers=servers.WORKERS,
        warm_up=FULL_WARM_UP if full else WARM_UP,
        heap=foreign.HEAP,
    )
