"""PERF-9: the slot common to many agendas, in the process, and beside the bare fetch of the rows it reads.

Agendas as a circle has them: two openings a day, told by rules on the clock of the place; some five visits and
appointments a day, half of them by rules; some time held. One person in five never declared anything. Clocks change
within the window.
"""

from __future__ import annotations

import datetime as dt
import random
import statistics
import time
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")
DAYS = 28
OPENING = dt.datetime(2027, 3, 8, tzinfo=PARIS)
WINDOW = (OPENING, OPENING + dt.timedelta(days=DAYS))
DURATION = 60
# People, and milliseconds that 95 searches out of 100 do not pass (quality-goals.md).
SIZES = ((8, 5), (50, 20), (200, 60))
TURNS = 60
RATIO = 2
HOUR = dt.timedelta(hours=1)

Row = tuple[int, str, int, int]
Member = tuple[int, bool, bool]


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    figures = []
    for number, goal in SIZES:
        members, rows = agendas(number)
        took = _percentile([_processor(lambda m=members, r=rows: search(m, r)) for _ in range(TURNS)])
        fetch, dropped = _stored(rows)
        try:
            whole, bare = beside_fetch(members, fetch)
        finally:
            dropped()
        figures.append(
            {
                "name": f"Common slot, {number} people × {DAYS} days",
                "value": f"p95 {took:.1f} ms in-process, {len(rows)} spans",
                "ratio": whole / bare,
                "yardstick": f"bare fetch of the rows {bare:.1f} ms",
                "goal": f"p95 ≤ {goal} ms, ≤ {RATIO} × the fetch",
                "ok": took <= goal and whole / bare <= RATIO,
            }
        )
    return figures


def search(members: Sequence[Member], rows: Sequence[Row]) -> list:
    """Find the three best slots from rows of (key, kind, first minute, minute after the last)."""
    from agenda.common_slots import common_slots, people_from_rows

    people = people_from_rows(members, rows)
    return common_slots(people, duration=DURATION, window=WINDOW, zone=PARIS)


def beside_fetch(members: Sequence[Member], fetch: Callable[[], Sequence[Row]]) -> tuple[float, float]:
    """Return the milliseconds of a fetch with its search, and of the fetch alone, taken in turn.

    `fetch` gives the rows of `search`: this table's for now, those of a queryset as well.
    """
    if len(search(members, fetch())) != 3:
        raise RuntimeError("three slots were to be found")
    took: dict[bool, list[float]] = {True: [], False: []}
    for turn in range(TURNS):
        for searched in (turn % 2 == 0, turn % 2 == 1):
            begun = time.perf_counter()
            rows = fetch()
            if searched:
                search(members, rows)
            took[searched].append((time.perf_counter() - begun) * 1000)
    return statistics.median(took[True]), statistics.median(took[False])


def agendas(number: int) -> tuple[list[Member], list[Row]]:
    """Return so many people and the spans of their agendas over the window, the same at each run."""
    chance = random.Random(number)
    members, rows = [], []
    for key in range(number):
        declared = key % 5 != 4
        members.append((key, key < max(3, number // 4), declared))
        kinds = [("open", _openings())] if declared else []
        kinds += [("busy", _busy(chance)), ("tentative", _single(chance, 4))]
        rows += [(key, kind, first, after) for kind, spans in kinds for first, after in spans]
    return members, rows


def _weekly(start: dt.datetime, hours: float, days: str) -> list[tuple[int, int]]:
    from agenda import spans
    from agenda.recurrence import occurrences
    from agenda.rule_formats import rule_from_text

    rule = rule_from_text(f"FREQ=WEEKLY;BYDAY={days}")
    return spans.outward(
        (found.start, found.end) for found in occurrences(start, PARIS, hours * HOUR, rule, window=WINDOW)
    )


def _openings() -> list[tuple[int, int]]:
    weekdays = "MO,TU,WE,TH,FR"
    return _weekly(dt.datetime(2026, 1, 5, 9), 3, weekdays) + _weekly(dt.datetime(2026, 1, 5, 14), 4, weekdays)


def _busy(chance: random.Random) -> list[tuple[int, int]]:
    hours, days = [9, 10, 14, 15, 16, 17], ["MO,TH", "TU", "WE,FR"]
    visits = [_weekly(dt.datetime(2026, 1, 5, chance.choice(hours), 30), 0.5, chance.choice(days)) for _ in range(9)]
    return [span for visit in visits for span in visit] + _single(chance, 3 * 20)


def _single(chance: random.Random, number: int) -> list[tuple[int, int]]:
    from agenda import spans

    first = spans.minute(OPENING)
    begun = [first + chance.randrange(DAYS) * 1440 + chance.randrange(8 * 12, 18 * 12) * 5 for _ in range(number)]
    return [(start, start + chance.choice([20, 30, 45, 60])) for start in begun]


def _stored(rows: Sequence[Row]) -> tuple[Callable[[], list[Row]], Callable[[], None]]:
    """Keep rows in a table as an agenda does, and return what fetches them and what drops the table."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE bench_span (person int, kind text, starts_at timestamptz, ends_at timestamptz)"
        )
        cursor.executemany(
            "INSERT INTO bench_span VALUES (%s, %s, to_timestamp(%s), to_timestamp(%s))",
            [(key, kind, first * 60, after * 60) for key, kind, first, after in rows],
        )
        cursor.execute("CREATE INDEX ON bench_span (person, starts_at)")
        cursor.execute("ANALYZE bench_span")
    people = sorted({row[0] for row in rows})

    def fetch() -> list[Row]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT person, kind, floor(extract(epoch FROM starts_at) / 60)::int,"
                " ceil(extract(epoch FROM ends_at) / 60)::int"
                " FROM bench_span WHERE person = ANY(%s) AND starts_at < %s AND ends_at > %s"
                " ORDER BY person, kind",
                [people, WINDOW[1], WINDOW[0]],
            )
            return cursor.fetchall()

    def drop() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE bench_span")

    return fetch, drop


def _processor(act: Callable[[], object]) -> float:
    begun = time.process_time()
    act()
    return (time.process_time() - begun) * 1000


def _percentile(taken: list[float]) -> float:
    return statistics.quantiles(taken, n=20)[-1]
