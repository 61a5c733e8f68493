"""What a row weighs in the database we run on, table by table: what `manage.py sizing` computes from (SCALE-1).

Sizes hold everything that PostgreSQL keeps of a table: rows, indexes, what is stored beside.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from django.db import connection
from django.utils import timezone

from coordination.operations.errors import NothingMeasured

MEASURES = Path(__file__).with_name("data") / "sizing-measures.json"
# Under so many rows, the pages that any table and any index begins with weigh more than what they hold.
ENOUGH = 1_000
# What a row takes beside its columns: its pointer, and a tenth of the page left for updates.
POINTER, FILL = 4, 1.1
# One entry of a b-tree on a UUID, in pages filled to 70 %.
INDEX_ENTRY = 50


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and bytes of one table, its partitions together. `estimated`: too few rows to divide its size by."""

    rows: int
    bytes: int
    estimated: bool

    @property
    def per_row(self) -> float:
        return self.bytes / self.rows if self.rows else 0.0


@dataclass(frozen=True, slots=True)
class Measures:
    """What was measured. `date` and `server` say when and on what (the major version of PostgreSQL)."""

    date: dt.date
    server: int
    tables: Mapping[str, Table]


def measure() -> Measures:
    """Measure each table of this database, after an ANALYZE. Two SQL statements, one more for each small table."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # A partition without a row is a month made ahead: its empty indexes are no part of what a line weighs.
        cursor.execute(
            "SELECT coalesce(p.relname, c.relname), coalesce(sum(c.reltuples) FILTER (WHERE c.reltuples > 0), 0),"
            " coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.reltuples > 0), 0),"
            " max((SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid))"
            " FROM pg_class c LEFT JOIN pg_inherits h ON h.inhrelid = c.oid"
            " LEFT JOIN pg_class p ON p.oid = h.inhparent"
            " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace GROUP BY 1"
        )
        tables = {
            name: Table(int(rows), int(size), False) if rows >= ENOUGH else _few(cursor, name, indexes)
            for name, rows, size, indexes in cursor.fetchall()
        }
        cursor.execute("SHOW server_version_num")
        server = int(cursor.fetchone()[0]) // 10_000
    if not tables["dossiers_dossier"].rows:
        raise NothingMeasured
    return Measures(timezone.localdate(), server, tables)


def _few(cursor, name: str, indexes: int) -> Table:
    """Return what a table of a few rows weighs, from the width of its rows and the number of its indexes."""
    quoted = connection.ops.quote_name(name)
    cursor.execute(f"SELECT count(*), coalesce(avg(pg_column_size(t.*)), 0) FROM {quoted} t")  # noqa: S608
    rows, width = cursor.fetchone()
    return Table(rows, round(rows * ((float(width) + POINTER) * FILL + indexes * INDEX_ENTRY)), True)


def read(path: Path = MEASURES) -> Measures:
    """Return measures kept in a file."""
    said = orjson.loads(path.read_bytes())
    tables = {name: Table(**table) for name, table in said["tables"].items()}
    return Measures(dt.date.fromisoformat(said["date"]), said["server"], tables)


def write(measures: Measures, path: Path = MEASURES) -> None:
    """Keep measures in a file, one line for each figure: what changes from a release to the next is then seen."""
    said = {
        "date": measures.date,
        "server": measures.server,
        "tables": {name: asdict(table) for name, table in sorted(measures.tables.items())},
    }
    path.write_bytes(orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
