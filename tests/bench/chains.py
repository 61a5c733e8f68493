"""Lines of the journal written by 1, 4 and 16 connections at once: chained, against the same rows unchained (SCALE-8).

The yardstick is a table of the same columns and indexes without the trigger: neither chain nor months. Each connection
writes in dossiers of its own choice among thousands, a transaction for each line, on prepared statements. Nobody waits
for the disk: that wait is the same for both and would hide the chain. Rounds alternate.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
import uuid

import psycopg

from tests.bench import servers

CONNECTIONS = (1, 4, 16)
DOSSIERS = 2_000
ROUNDS, SECONDS = 3, 1.5
FULL_ROUNDS, FULL_SECONDS = 5, 4
GOAL = 0.6
PLAIN = "bench_unchained"
VALUES = """
INSERT INTO {table} (id, at, dossier_id, seq, actor_id, actor_name, actor_national_id, profession, fonction,
    structure_name, profile, habilitation_id, matrix_version, action, rubrique, outcome, object_kind, object_id,
    reason, request_id, address, previous_hash, hash)
VALUES (gen_random_uuid(), now(), $1, 0, gen_random_uuid(), 'INVENTÉ Jeanne', '899700012345', '60', '',
    'Cabinet Exemple', 'infirmier', gen_random_uuid(), 3, 'lecture', 'cercle', 'ok', '', NULL, '',
    '0123456789abcdef0123456789abcdef', '192.0.2.7', '', '')"""


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    rounds, seconds = (FULL_ROUNDS, FULL_SECONDS) if full else (ROUNDS, SECONDS)
    with servers.database(_plain_table):
        return [_figure(many, rounds, seconds) for many in CONNECTIONS]


def _plain_table() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {PLAIN} (LIKE habilitations_trace INCLUDING ALL)")


def _figure(many: int, rounds: int, seconds: float) -> dict:
    dossiers = [str(uuid.UUID(int=number)).encode() for number in range(1, DOSSIERS + 1)]
    tables = {"habilitations_trace": [], PLAIN: []}
    for table in tables:
        _per_second(table, many, seconds / 3, dossiers)
    for _ in range(rounds):
        for table, rates in tables.items():
            rates.append(_per_second(table, many, seconds, dossiers))
    chained, plain = (statistics.median(rates) for rates in tables.values())
    return {
        "name": f"Lines of the journal, chained, by {many} connection{'s' * (many > 1)}",
        "value": f"{chained:.0f} /s",
        "ratio": chained / plain,
        "yardstick": f"the same rows, no chain, {plain:.0f} /s",
        "goal": f"≥ {GOAL} ×",
        "ok": chained / plain >= GOAL,
    }


def _per_second(table: str, many: int, seconds: float, dossiers: list[bytes]) -> float:
    """Return the lines a second that so many connections write together."""
    counts, ready = [0] * many, threading.Barrier(many + 1)
    until = [0.0]

    def write(rank: int) -> None:
        draw = random.Random(rank)
        with servers.own_connection() as own:
            own.execute("SET synchronous_commit = off")
            # The bare protocol: what Python does between two lines must not be what is measured.
            own.pgconn.prepare(b"line", VALUES.format(table=table).encode())
            ready.wait()
            while time.monotonic() < until[0]:
                answer = own.pgconn.exec_prepared(b"line", [draw.choice(dossiers)])
                if answer.status != psycopg.pq.ExecStatus.COMMAND_OK:
                    raise RuntimeError(answer.error_message.decode())
                counts[rank] += 1

    threads = [threading.Thread(target=write, args=(rank,)) for rank in range(many)]
    for thread in threads:
        thread.start()
    until[0] = time.monotonic() + 60
    ready.wait()
    started = time.monotonic()
    until[0] = started + seconds
    for thread in threads:
        thread.join()
    if not all(counts):
        raise RuntimeError("a connection wrote nothing")
    return sum(counts) / (time.monotonic() - started)
