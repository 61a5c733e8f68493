"""What the journal costs: a chained trace against a plain insert, and its share of a page (PERF-2).

A trace takes its number and its hash under a lock on the last one of its dossier, in the database. The plain insert
writes the same row in a table of the same shape, with neither chain nor guard. Both would wait for the disk as long:
that wait, the dearest part and the most variable, is taken out of the comparison and given by itself.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable

from tests.bench import servers

CALLS, FULL_CALLS = 300, 2_000
SHARE, LONGEST = 15, 0.6
# Lines of a dossier's journal: an ordinary one, and that of many years.
FEW, MANY, READ = 1_000, 100_000, 60
FLAT = 1.5
# Lines written in one transaction: the end of a chain moves at each, and its old places are swept between two only.
AT_ONCE = 200
# Bytes of an ordinary line and of the hash before it.
HASHED = 400


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    from tests.bench import town

    with servers.database(lambda: town.build(dossiers=200)) as there:
        calls = FULL_CALLS if full else CALLS
        waiting = _waiting(there, calls)  # leaves the connection without it
        traced, plain, page = _in_turn(_acts(there), calls)
        few, many = _in_turn(_screens(there), READ)
        checked, hashed = _verified()
    cost = traced - plain
    share = 100 * cost / page
    return [
        {
            "name": "Trace of a page, chained",
            "value": f"{traced:.2f} ms",
            "ratio": traced / plain,
            "yardstick": f"plain insert {plain:.2f} ms",
            "goal": f"≤ {LONGEST} ms more",
            "ok": cost <= LONGEST,
        },
        {
            "name": "Share of the chain in the circle page, in process",
            "value": f"{share:.1f} %",
            "ratio": None,
            "yardstick": f"circle page {page:.2f} ms",
            "goal": f"≤ {SHARE} %",
            "ok": share <= SHARE,
        },
        {
            "name": "Wait for the disk in a trace",
            "value": f"{waiting:.2f} ms",
            "ratio": None,
            "yardstick": "the same with synchronous_commit off",
            "goal": None,
            "ok": None,
        },
        {
            "name": f"A page of the journal of a dossier of {MANY} lines, in process, p50",
            "value": f"{many:.2f} ms",
            "ratio": many / few,
            "yardstick": f"of {FEW} lines {few:.2f} ms",
            "goal": f"≤ {FLAT} ×",
            "ok": many / few <= FLAT,
        },
        {
            "name": "Verification of the journal, lines read and hashed again",
            "value": f"{checked:.0f} /s",
            "ratio": hashed / checked,
            "yardstick": f"hashing alone as many bytes {hashed:.0f} /s",
            "goal": "≥ 300000 /s",
            "ok": checked >= 300_000,
        },
    ]


def _screens(there) -> tuple[Callable[[], object], ...]:
    """Return two pages to time: the journal of a dossier of few lines, and of many, written by another account."""
    from django.db import connection
    from django.test import Client

    from habilitations.models import Habilitation

    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(there.reader)
    mine = Habilitation.objects.granting().filter(user=there.reader).exclude(dossier=there.entry.dossier.pk)
    chosen = list(mine.values_list("dossier_id", flat=True)[:2])
    with connection.cursor() as cursor:
        for dossier_id, lines in zip(chosen, (FEW, MANY), strict=True):
            for start in range(0, lines, AT_ONCE):
                cursor.execute(
                    """
                    INSERT INTO habilitations_trace
                    SELECT gen_random_uuid(), now() - interval '1 minute' * (%s - n) / 10, %s, 0,
                        md5((n %% 40)::text)::uuid, 'INVENTÉ ' || n %% 40, '', '60', '', 'Cabinet', 'infirmier',
                        NULL, 1, 'lecture', 'cercle', 'ok', '', NULL, '', '', '', '', ''
                    FROM generate_series(%s, %s) AS n""",
                    [lines, dossier_id, start + 1, start + AT_ONCE],
                )
        cursor.execute("ANALYZE habilitations_trace")

    def page(dossier_id) -> None:
        if client.get(f"/dossiers/{dossier_id}/journal/").status_code != 200:
            raise RuntimeError("the journal did not open")

    return lambda: page(chosen[0]), lambda: page(chosen[1])


def _verified() -> tuple[float, float]:
    """Return how many lines a second one process verifies, and how many it hashes when it does nothing else."""
    from habilitations.verification import verify

    started = time.perf_counter()
    report = verify()
    taken = time.perf_counter() - started
    if report.wrong:
        raise RuntimeError("the journal does not hold")
    said, started = bytes(HASHED), time.perf_counter()
    for _ in range(report.lines):
        hashlib.sha256(said).digest()
    return report.lines / taken, report.lines / (time.perf_counter() - started)


def _acts(there) -> tuple[Callable[[], object], ...]:
    """Return three acts to time: a trace, a plain insert of the same row, the circle page with its trace."""
    from django.db import connection
    from django.test import Client

    from habilitations.rubriques import Rubrique

    client = Client(headers={"Accept-Encoding": "gzip"})
    client.force_login(there.reader)
    path = f"/dossiers/{there.entry.dossier.pk}/cercle/"
    trace = lambda: there.entry.trace("lecture", rubrique=Rubrique.CERCLE)  # noqa: E731 - one of three in a row
    trace()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_plain AS SELECT * FROM habilitations_trace LIMIT 0")
        cursor.execute("ALTER TABLE bench_plain ADD PRIMARY KEY (id)")
        cursor.execute("SELECT * FROM habilitations_trace ORDER BY at DESC LIMIT 1")
        row, names = list(cursor.fetchone()), [column.name for column in cursor.description]
    at = names.index("id")
    statement = f"INSERT INTO bench_plain VALUES ({', '.join(['%s'] * len(row))})"

    def plain() -> None:
        from coordination.common.ids import uuid7

        row[at] = uuid7()
        with connection.cursor() as cursor:
            cursor.execute(statement, row)

    def page() -> None:
        if client.get(path).status_code != 200:
            raise RuntimeError("the circle page did not open")

    return trace, plain, page


def _in_turn(acts: tuple[Callable[[], object], ...], calls: int) -> list[float]:
    """Return the median milliseconds of each act; they alternate, so that a busy moment falls on all of them."""
    times: list[list[float]] = [[] for _ in acts]
    for _ in range(calls):
        for act, measured in zip(acts, times, strict=True):
            started = time.perf_counter()
            act()
            measured.append(time.perf_counter() - started)
    return [statistics.median(measured[calls // 10 :]) * 1000 for measured in times]


def _waiting(there, calls: int) -> float:
    """Return the milliseconds that durability adds; setting it is timed on both sides."""
    from django.db import connection

    def trace_with(commit: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET synchronous_commit = {commit}")
        there.entry.trace("lecture")

    durable, quick = _in_turn((lambda: trace_with("on"), lambda: trace_with("off")), calls)
    return durable - quick
