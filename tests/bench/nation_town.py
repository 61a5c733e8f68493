"""The base of `nation`: circles of twelve copied by the database, and the journal of each of them, chained.

What is copied was made by the product's own actions. The journal is too much for its trigger, which takes one line at
a time: the same hashes are computed here a rank at a time, the first line of every dossier, then the second of each,
and `nation` has them all verified by the product. All names are invented.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.bench import servers

LINES, MONTHS = 100, 10
HOLDERS = 1_000
# Those who read one dossier.
READERS = 8
# Dossiers copied in one transaction.
AT_ONCE = 5_000
# Two cores: each takes the dossiers of half of the identifiers.
HALVES = (
    ("00000000-0000-0000-0000-000000000000", "7fffffff-ffff-ffff-ffff-ffffffffffff"),
    ("80000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"),
)
_COLUMNS = (
    "id, at, dossier_id, seq, actor_id, actor_name, actor_national_id, profession, fonction, structure_name, profile,"
    " habilitation_id, matrix_version, action, rubrique, outcome, object_kind, object_id, reason, request_id, address,"
    " previous_hash, hash"
)
# As habilitations_chain_trace() writes it (migration 0002_journal).
_HASHED = """sha256(previous_hash || convert_to(json_build_array(
    id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), dossier_id, seq, actor_id, actor_name,
    actor_national_id, profession, fonction, structure_name, profile, habilitation_id, matrix_version, action,
    rubrique, outcome, object_kind, object_id, reason, request_id, address
)::text, 'UTF8'))"""
# An identifier of version 7, as the product's: they come in the order of time.
_KEY = """(lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7' || substr(drawn, 1, 3) || '8'
    || substr(drawn, 4, 15))::uuid"""
_RANK = f"""
CREATE TEMP TABLE bench_next AS
SELECT *, {_HASHED} AS hash FROM (
    SELECT {_KEY} AS id, at, dossier_id, seq + 1 AS seq,
        md5(reader::text)::uuid AS actor_id, 'INVENTÉE ' || reader AS actor_name, '' AS actor_national_id,
        '60' AS profession, '' AS fonction,
        'Cabinet des Hêtres' AS structure_name, 'infirmier' AS profile, NULL::uuid AS habilitation_id,
        1 AS matrix_version, 'lecture' AS action, 'cercle' AS rubrique, 'ok' AS outcome, '' AS object_kind,
        NULL::uuid AS object_id, '' AS reason, substr(drawn, 1, 16) AS request_id, '' AS address,
        hash AS previous_hash
    FROM (
        SELECT dossier_id, seq, hash, md5(random()::text || dossier_id) AS drawn,
            abs(hashtext(dossier_id::text) %% {HOLDERS} + floor(random() * {READERS})::int) AS reader,
            %s::timestamptz + random() * %s::interval AS at
        FROM bench_head
    ) AS one
) AS line
"""


def said(what: str) -> None:
    """Long work shows progress."""
    print(f"  {time.strftime('%H:%M:%S')} {what}", file=sys.stderr, flush=True)


def add_circles(patterns: list, start: int, stop: int, holders: list) -> None:
    """Copy circles so many times, a few thousand at once.

    A few first: foreign keys are looked for by a plan made once, and that of an empty table reads it whole.
    """
    from django.db import connection

    from tests.bench import calls

    first = start
    while first < stop:
        last = min(stop, first + min(AT_ONCE, 10 * first))
        calls.add_copies(patterns, range(first, last), holders)
        if last - first < AT_ONCE:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        said(f"{last} circles of {stop}")
        first = last


def holders() -> list:
    """Make the accounts of everybody else."""
    from coordination.accounts.models import User

    made = User.objects.bulk_create(
        User(email=f"titulaire{n}@mesure.example", family_name=f"TITULAIRE{n}", given_name="Léa", password="!")
        for n in range(HOLDERS)
    )
    return [user.pk for user in made]


def add_journal() -> int:
    """Give each dossier that has none its lines, over the months past; return how many were written."""
    with ThreadPoolExecutor(len(HALVES)) as pool:
        lines: list[Any] = [psycopg.connect(servers.database_url(), autocommit=True) for _ in HALVES]
        try:
            list(pool.map(_begin, lines, HALVES))
            for back in range(MONTHS, 0, -1):
                with _month(lines[0], back) as month:
                    list(pool.map(_fill, lines, [month] * len(lines)))
                said(f"journal, {MONTHS - back + 1} months of {MONTHS}")
            with _untouched(lines[0], "habilitations_tracehead"):
                return sum(pool.map(_end, lines))
        finally:
            for line in lines:
                line.close()


def _begin(line, bounds: tuple[str, str]) -> None:
    line.execute("SET coordination.actor = 'system:bench'")
    line.execute(
        "CREATE TEMP TABLE bench_head AS SELECT d.id AS dossier_id, 0::bigint AS seq, ''::bytea AS hash"
        " FROM dossiers_dossier d WHERE d.id BETWEEN %s AND %s"
        " AND NOT EXISTS (SELECT 1 FROM habilitations_tracehead h WHERE h.dossier_id = d.id)",
        bounds,
    )


@contextmanager
def _month(line, back: int) -> Iterator[tuple[str, str, str]]:
    """Give (table, first instant, the one after the last) of a past month to be filled; a new one is attached."""
    name, first, after = line.execute(
        "SELECT 'habilitations_trace' || to_char(m, '_YYYY_MM'), (m AT TIME ZONE 'UTC')::text,"
        " ((m + interval '1 month') AT TIME ZONE 'UTC')::text"
        " FROM (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => %s)) past (m)",
        [back],
    ).fetchone()
    if line.execute("SELECT to_regclass(%s) IS NOT NULL", [name]).fetchone()[0]:
        with _untouched(line, name):
            yield name, first, after
        return
    line.execute(f"CREATE TABLE {name} (LIKE habilitations_trace INCLUDING DEFAULTS)")
    yield name, first, after
    line.execute("SELECT habilitations_seal_partition(%s)", [name])
    line.execute(f"ALTER TABLE habilitations_trace ATTACH PARTITION {name} FOR VALUES FROM ('{first}') TO ('{after}')")


@contextmanager
def _untouched(line, table: str) -> Iterator[None]:
    """Neither chain nor guard meanwhile."""
    line.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    line.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _fill(line, month: tuple[str, str, str]) -> None:
    """Write LINES / MONTHS ranks of every dossier, each in its part of the month."""
    (name, first, after), ranks = month, LINES // MONTHS
    line.execute("SET TIME ZONE 'UTC'")
    for rank in range(ranks):
        with line.transaction():
            begin, length = line.execute(
                "SELECT %(first)s::timestamptz + (%(after)s::timestamptz - %(first)s::timestamptz) * %(part)s,"
                " ((%(after)s::timestamptz - %(first)s::timestamptz) / %(ranks)s)::text",
                {"first": first, "after": after, "part": rank / ranks, "ranks": ranks},
            ).fetchone()
            line.execute(_RANK, [begin, length], prepare=False)
            line.execute(f"INSERT INTO {name} ({_COLUMNS}) SELECT {_COLUMNS} FROM bench_next")
            line.execute("DROP TABLE bench_head")
            line.execute("CREATE TEMP TABLE bench_head AS SELECT dossier_id, seq, hash, previous_hash FROM bench_next")
            line.execute("DROP TABLE bench_next")


def _end(line) -> int:
    written = line.execute(
        "INSERT INTO habilitations_tracehead (dossier_id, seq, previous_hash, hash)"
        " SELECT dossier_id, seq, previous_hash, hash FROM bench_head"
    ).rowcount
    return written * LINES


def sizes() -> list[tuple[str, int, int]]:
    """Return (what, rows, bytes with indexes) of the largest families of tables."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(parent.relname, own.relname) AS name, sum(greatest(own.reltuples, 0))::bigint,"
            " sum(pg_total_relation_size(own.oid))::bigint FROM pg_class own"
            " LEFT JOIN pg_inherits i ON i.inhrelid = own.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent"
            " WHERE own.relkind = 'r' AND own.relnamespace = 'public'::regnamespace"
            " GROUP BY 1 ORDER BY 3 DESC"
        )
        return cursor.fetchall()
