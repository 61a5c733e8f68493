"""Everything in one base, at a hundredth of its size, then whole: 200,000 dossiers of twelve members, a hundred lines
of journal each, the national directory (issue 6 §4; SCALE-2, a fifth of its size). The short form: a hundredth of it.

The same pages of the same coordinator are asked at both sizes, each time of another of her dossiers; a statement that
touches no table, timed beside, says what the machine did meanwhile, and the ratio is taken of one to the other
(PERF-4). Then the pages over HTTP beside a hello-world, the journal verified whole, and what everything weighs.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tests.bench import servers

DOSSIERS, FULL_DOSSIERS = 2_000, 200_000
OWN = 400
PEOPLE, FULL_PEOPLE = 40_000, 1_910_000
STRUCTURES, FULL_STRUCTURES = 4_000, 20_000
CALLS, FULL_CALLS = 60, 400
ROUNDS, SECONDS, FULL_ROUNDS, FULL_SECONDS = 3, 2, 5, 4
TURNS = 24
# PERF-4, of a p95; PERF-1 for twelve members, issue 2 for thirty; PERF-10.
GROWTH, PAGE, LARGE_PAGE, API = 1.3, 8, 12, 4
VERIFIED = 300_000
UNIT = "SELECT count(*) FROM generate_series(1, 60000)"
MILLION, GB = 1_000_000, 1e9


class Measured(NamedTuple):
    """Milliseconds; `unit`: of the statement beside."""

    p50: float
    p95: float
    unit: float
    statements: int


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from django.test import override_settings

    from tests.bench import nation_town, town
    from tests.bench.fhir import World

    total = FULL_DOSSIERS if full else DOSSIERS
    calls = FULL_CALLS if full else CALLS
    # A load is one software, and never too many calls.
    unlimited = override_settings(FHIR_CALLS_PER_MINUTE=0)
    with servers.database(lambda: town.build(dossiers=0, circles=1)) as there, unlimited:
        world = World(there.reader, there.entry)
        own = _own_circles(world, there.reader)
        began, holders = time.monotonic(), nation_town.holders()
        nation_town.add_circles(world.others, 1, total // 100, holders)
        nation_town.add_journal()
        asked = _pages(world, there, own)
        few = _all_measured(asked, calls)
        nation_town.add_circles(world.others, total // 100, total - _circles() + total // 100, holders)
        lines = nation_town.add_journal()
        _fill_the_directory(full)
        many = _all_measured(asked, calls)
        filled = time.monotonic() - began
        return [
            *(_growth(what, few[what], many[what]) for what in asked),
            *_over_http(world, there, own, full),
            *_searches(full),
            _verified(),
            *_weights(lines, filled),
        ]


# ---- What is asked -------------------------------------------------------------------------------


def _own_circles(world, reader) -> list[str]:
    """Give the coordinator her dossiers of twelve; return their identifiers, in an order that is none."""
    from tests.bench import calls
    from tests.bench.fhir import CIRCLES

    calls.add_copies([world.patterns[calls.FEW]], range(CIRCLES, OWN), [reader.pk])
    return [str(pk) for pk in world.dossiers(calls.FEW)]


def _pages(world, there, own: list[str]) -> dict[str, list[Callable[[], object]]]:
    """Return {what: the same question of one dossier after another}."""
    from django.test import Client

    from tests.bench import calls
    from tests.bench.fhir import FORM, search_of

    browser, software = Client(headers={"Accept-Encoding": "gzip"}), Client(headers=dict(world.headers))
    browser.force_login(there.reader)

    def page(path: str) -> Callable[[], object]:
        return lambda: _is_well(browser.get(path))

    def search(dossier: str) -> Callable[[], object]:
        return lambda: _is_well(software.post("/fhir/CareTeam/_search", search_of(dossier), content_type=FORM))

    def read(path: str) -> Callable[[], object]:
        return lambda: _is_well(software.get(path))

    return {
        "Home of a dossier": [page(f"/dossiers/{pk}/") for pk in own],
        f"Circle page, {calls.FEW} members": [page(f"/dossiers/{pk}/cercle/") for pk in own],
        "History of a circle": [page(f"/dossiers/{pk}/cercle/historique/") for pk in own],
        "Journal of a dossier": [page(f"/dossiers/{pk}/journal/") for pk in own],
        "Agenda of a person": [page(f"/dossiers/{pk}/agenda/") for pk in own],
        f"Patients, {len(own) + TURNS} of one’s own": [page("/dossiers/")],
        f"CareTeam read, {calls.FEW} members": [read(path) for path in world.circles(calls.FEW)],
        "CareTeam search by patient.identifier with all includes": [search(pk) for pk in own],
        "A line of the journal written": [lambda: there.entry.trace("lecture")],
    }


def _is_well(answer) -> None:
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.request['PATH_INFO']} answered {answer.status_code}")


def _all_measured(asked: dict[str, list[Callable[[], object]]], calls: int) -> dict[str, Measured]:
    from django.db import connection

    from tests.bench import nation_town

    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    nation_town.said("measured")
    return {what: _measured(acts, calls) for what, acts in asked.items()}


def _measured(acts: Sequence[Callable[[], object]], calls: int) -> Measured:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def unit() -> None:
        with connection.cursor() as cursor:
            cursor.execute(UNIT)
            cursor.fetchall()

    for rank in range(5):
        acts[-1 - rank % len(acts)]()
    with CaptureQueriesContext(connection) as statements:
        acts[-1]()
    # Counted now: the next request forgets them.
    asked = len(statements)
    times, units = zip(*((_timed(acts[n % len(acts)]), _timed(unit)) for n in range(calls)), strict=True)
    return Measured(statistics.median(times), statistics.quantiles(times, n=20)[-1], statistics.median(units), asked)


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _growth(what: str, few: Measured, many: Measured) -> dict:
    ratio = (many.p95 / many.unit) / (few.p95 / few.unit)
    return {
        "name": f"{what}, p95 among all dossiers",
        "value": f"{many.p95:.1f} ms (p50 {many.p50:.1f}), {many.statements} SQL",
        "ratio": ratio,
        "yardstick": f"among a hundredth {few.p95:.1f} ms (p50 {few.p50:.1f}), {few.statements} SQL",
        "goal": f"≤ {GROWTH} ×, as many SQL",
        "ok": ratio <= GROWTH and few.statements == many.statements,
    }


# ---- Over HTTP -----------------------------------------------------------------------------------


def _over_http(world, there, own: list[str], full: bool) -> list[dict]:
    from tests.bench import calls, town

    cookie = servers.signed_in(there.reader)
    thirty = [str(pk) for pk in world.dossiers(town.MEMBERS)]
    paths = {
        (f"Circle page, {calls.FEW} members", PAGE): [f"/dossiers/{pk}/cercle/" for pk in own[:TURNS]],
        (f"Circle page, {calls.FEW} members, {OWN} in turn", None): [f"/dossiers/{pk}/cercle/" for pk in own],
        (f"Circle page, {town.MEMBERS} members", LARGE_PAGE): [f"/dossiers/{pk}/cercle/" for pk in thirty],
        ("Home of a dossier", LARGE_PAGE): [f"/dossiers/{pk}/" for pk in own[:TURNS]],
        (f"CareTeam read, {calls.FEW} members", API): world.circles(calls.FEW)[:TURNS],
    }
    with servers.product() as (address, _), servers.hello() as hello:
        pages = {("", None): servers.Page(hello)}
        for key, turns in paths.items():
            of_a_program = turns[0].startswith("/fhir/")
            who = {"sent": world.headers} if of_a_program else {"cookie": cookie}
            pages[key] = servers.Page(address + turns[0], turns=tuple(turns), **who)
        rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
        for page in pages.values():
            servers.per_second(page, 1)
        rates = [{key: servers.per_second(page, seconds) for key, page in pages.items()} for _ in range(rounds)]
    middle = {key: statistics.median(one[key] for one in rates) for key in pages}
    usual = middle.pop(("", None))
    return [
        {
            "name": f"{said}, over HTTP among all dossiers",
            "value": f"{rate:.0f} /s",
            "ratio": usual / rate,
            "yardstick": f"hello-world of a new Django project, {usual:.0f} /s ({servers.client_name()})",
            "goal": f"≤ {goal} ×" if goal else None,
            "ok": usual / rate <= goal if goal else None,
        }
        for (said, goal), rate in middle.items()
    ]


def _fill_the_directory(full: bool) -> None:
    from tests.bench import nation_town, search

    people, houses = (FULL_PEOPLE, FULL_STRUCTURES) if full else (PEOPLE, STRUCTURES)
    search.load(people, houses)
    nation_town.said(f"directory of {people} people")


def _searches(full: bool) -> list[dict]:
    from tests.bench import search

    people = search.sample(search.FULL_QUERIES if full else search.QUERIES)
    with search.server() as product:
        found = search.over_http(people, product.ask)
    return [figure | {"name": f"{figure['name']}, among all dossiers"} for figure in found]


# ---- The journal, and what it all weighs ---------------------------------------------------------


def _verified() -> dict:
    from habilitations.verification import verify
    from tests.bench import nation_town

    nation_town.said("journal verified")
    started = time.perf_counter()
    report = verify()
    rate = report.lines / (time.perf_counter() - started)
    if report.wrong:
        raise RuntimeError("the journal does not hold")
    return {
        "name": f"Verification of a journal of {report.lines} lines, {report.dossiers} dossiers",
        "value": f"{rate:.0f} /s",
        "ratio": None,
        "yardstick": f"{report.lines / rate:.0f} s in all",
        "goal": f"≥ {VERIFIED} /s",
        "ok": rate >= VERIFIED,
    }


def _weights(lines: int, filled: float) -> list[dict]:
    """Say what the base weighs, and what a million dossiers would."""
    from tests.bench import nation_town

    tables, dossiers = nation_town.sizes(), _circles()
    total = sum(size for *_, size in tables)
    # The directory does not grow with the dossiers.
    growing = sum(size for name, _, size in tables if not name.startswith("directory_"))
    million = total - growing + growing * MILLION / dossiers
    return [
        _weight(f"The base: {dossiers} dossiers", total, f"of a million dossiers {million / GB:.0f} GB"),
        *(_weight(f"Table {name}, with its indexes", size, f"{rows} rows") for name, rows, size in tables[:6]),
        {
            "name": "The base, filled",
            "value": f"{filled:.0f} s",
            "ratio": None,
            "yardstick": f"{lines} lines of journal chained in it",
            "goal": None,
            "ok": None,
        },
    ]


def _weight(name: str, size: int, beside: str) -> dict:
    return {"name": name, "value": f"{size / GB:.2f} GB", "ratio": None, "yardstick": beside, "goal": None, "ok": None}


def _circles() -> int:
    from circle.circles import Circle

    return Circle.objects.count()
