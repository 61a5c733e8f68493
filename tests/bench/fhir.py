"""The API: a circle read, searched with all that is around it, created whole; as circles grow (issue 4 §5).

Over HTTP, for a software with its professional named, rights and journal included, on a durable PostgreSQL. Reads are
told beside a hello-world, in turn. The two sizes are measured one after the other in the same base; a statement that
touches no table, timed beside, says what the machine did meanwhile (as in `file_active`).
"""

from __future__ import annotations

import statistics
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from tests.bench import export, servers

GOAL = 4
# PERF-4, of a p95.
GROWTH = 1.3
ROUNDS, SECONDS = 3, 2
FULL_ROUNDS, FULL_SECONDS = 5, 4
WARM_UP = 1
CIRCLES = 24
# Circles in the base: a hundredth, then all.
MANY, FULL_MANY = 10_000, 100_000
CALLS, FULL_CALLS = 120, 400
CREATIONS, FULL_CREATIONS = 40, 200
FORM = "application/x-www-form-urlencoded"
INCLUDES = (("_include", "*"), ("_include:iterate", "*"))


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    many = FULL_MANY if full else MANY
    with servers.database(lambda: town.build(dossiers=0, circles=1)) as there:
        world = World(there.reader, there.entry)
        world.grow(many // 100)
        with servers.product() as (address, environment), servers.hello() as hello:
            figures = _reads(world, address, hello, full)
            few = _measured(world, address, full)
            world.grow(many // 10)
            small = export.measured(environment, world.export)
            world.grow(many)
            at_scale = _measured(world, address, full)
            figures += _searches(few, at_scale)
            figures.append(_creations(world, address, full))
            figures += export.figures(small, export.measured(environment, world.export))
    return figures


class World:
    """A reader with his circles of thirty and of twelve, copied, and circles of others around them."""

    def __init__(self, reader, thirty) -> None:
        from tests.bench import calls, town
        from tests.circle import factories as make

        twelve = calls.circle_of_twelve(reader)
        self.headers = calls.connect(reader, "HÔPITAL DES CHÊNES")
        # Of everybody else: one coordinator, whose structure exports them all.
        self.other = make.coordinator(family_name="AUTRE")
        self.others = [calls.circle_of_twelve(self.other).dossier.pk]
        self.export = calls.connect(self.other, "HÔPITAL DES HÊTRES")
        self.patterns = {town.MEMBERS: thirty.dossier.pk, calls.FEW: twelve.dossier.pk}
        calls.identify([*self.patterns.values(), *self.others])
        calls.add_copies(list(self.patterns.values()), range(1, CIRCLES), [reader.pk])
        self.copied = 1

    def grow(self, total: int) -> None:
        from django.db import connection

        from circle.circles import Circle
        from tests.bench import calls

        more = total - Circle.objects.count()
        calls.add_copies(self.others, range(self.copied, self.copied + more), [self.other.pk])
        self.copied += more
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def dossiers(self, members: int) -> list[uuid.UUID]:
        """Return the dossiers of the reader whose circle has so many members."""
        from coordination.dossiers.models import Dossier

        pattern = Dossier.objects.get(pk=self.patterns[members])
        same = Dossier.objects.filter(birth_name=pattern.birth_name).order_by("pk")
        return list(same.values_list("pk", flat=True))

    def circles(self, members: int) -> list[str]:
        from circle.circles import Circle

        ids = Circle.objects.filter(dossier__in=self.dossiers(members)).order_by("pk").values_list("pk", flat=True)
        return [f"/fhir/CareTeam/{pk}" for pk in ids]


# --- Read -----------------------------------------------------------------------------------------


def _reads(world: World, address: str, hello: str, full: bool) -> list[dict]:
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    pages = {0: servers.Page(hello)}
    for members in world.patterns:
        turns = world.circles(members)
        pages[members] = servers.Page(address + turns[0], turns=tuple(turns), sent=world.headers)
    for page in pages.values():
        servers.per_second(page, WARM_UP)
    measured = [{key: servers.per_second(page, seconds) for key, page in pages.items()} for _ in range(rounds)]
    rates = {key: statistics.median(one[key] for one in measured) for key in pages}
    return [
        {
            "name": f"CareTeam read over HTTP, {members} members",
            "value": f"{rates[members]:.0f} /s",
            "ratio": rates[0] / rates[members],
            "yardstick": f"hello-world of a new Django project, {rates[0]:.0f} /s ({servers.client_name()})",
            "goal": f"≤ {GOAL} ×",
            "ok": rates[0] / rates[members] <= GOAL,
        }
        for members in world.patterns
    ]


# --- Search, and growth ---------------------------------------------------------------------------


def _measured(world: World, address: str, full: bool) -> dict[str, tuple[float, float, int, int]]:
    """Return {what: (p95, median of the unit beside it, statements, bytes)}, in milliseconds."""
    from tests.bench import calls

    api = calls.Api(address, world.headers)
    count = FULL_CALLS if full else CALLS
    found = {}
    for members in world.patterns:
        paths, bodies = world.circles(members), [search_of(pk) for pk in world.dossiers(members)]
        reads = [("GET", path, None, calls.JSON) for path in paths]
        searches = [("POST", "/fhir/CareTeam/_search", body, FORM) for body in bodies]
        for what, asked in ((f"read, {members}", reads), (f"search, {members}", searches)):
            for one in asked:
                api.ask(*one)
            times, units, size = [], [], 0
            for rank in range(count):
                seconds, said = api.ask(*asked[rank % len(asked)])
                times.append(seconds * 1000)
                units.append(_unit())
                size = len(said)
            p95 = statistics.quantiles(times, n=20)[-1]
            found[what] = p95, statistics.median(units), _statements(world.headers, asked[0]), size
    return found


def search_of(dossier: uuid.UUID) -> str:
    from tests.bench import calls

    return urlencode([("patient.identifier", f"{calls.IPP}|{dossier}"), *INCLUDES])


def _unit() -> float:
    from django.db import connection

    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM generate_series(1, 60000)")
        cursor.fetchall()
    return (time.perf_counter() - started) * 1000


def _statements(headers, asked: tuple) -> int:
    """Return how many statements a call asks in this process, once it is warm."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    method, path, body, media = asked
    client = Client(headers=dict(headers))

    def call() -> None:
        answer = client.generic(method, path, body or "", content_type=media if body else "")
        if answer.status_code != 200:
            raise RuntimeError(f"{method} {path} answered {answer.status_code}")

    call()
    with CaptureQueriesContext(connection) as statements:
        call()
    return len(statements)


def _searches(few: dict, many: dict) -> list[dict]:
    figures = []
    least = min(found[2] for what, found in many.items() if what.startswith("search"))
    for what, (p95, unit, asked, size) in many.items():
        before, unit_before, asked_before, _ = few[what]
        kind, _, members = what.partition(", ")
        ratio = (p95 / unit) / (before / unit_before)
        same = asked == asked_before and (kind == "read" or asked == least)
        said = "read" if kind == "read" else "search by patient.identifier with all includes"
        figures.append({
            "name": f"CareTeam {said}, {members} members, among {_circles()} circles, p95",
            "value": f"{p95:.1f} ms, {asked} SQL, {size / 1000:.0f} KB",
            "ratio": ratio,
            "yardstick": f"a hundredth of them: {before:.1f} ms, {asked_before} SQL",
            "goal": f"≤ {GROWTH} ×, as many SQL",
            "ok": ratio <= GROWTH and same,
        })  # fmt: skip
    return figures


def _circles() -> int:
    from circle.circles import Circle

    return Circle.objects.count()


# --- Creation -------------------------------------------------------------------------------------


def _creations(world: World, address: str, full: bool) -> dict:
    """Return the transactions per second of two clients at once."""
    from tests.bench import calls

    api = calls.Api(address, world.headers)
    bundles = [calls.creation() for _ in range(FULL_CREATIONS if full else CREATIONS)]
    for _ in range(4):
        api.ask("POST", "/fhir/", calls.creation())
    started = time.perf_counter()
    with ThreadPoolExecutor(servers.WORKERS) as pool:
        times = [seconds for seconds, _ in pool.map(lambda body: api.ask("POST", "/fhir/", body), bundles)]
    rate = len(bundles) / (time.perf_counter() - started)
    entries = bundles[0].count(b'"fullUrl"')
    return {
        "name": f"Transaction that creates a circle of {calls.FEW} ({entries} resources), durable, two at once",
        "value": f"{rate:.1f} /s, p50 {statistics.median(times) * 1000:.0f} ms",
        "ratio": None,
        "yardstick": f"{rate * entries:.0f} resources/s",
        "goal": None,
        "ok": None,
    }
