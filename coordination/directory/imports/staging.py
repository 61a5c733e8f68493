"""COPY into temporary tables, keys for new rows, and indexes set aside for the first load."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import Any

from django.db import connection

from coordination.common.copying import copy_in
from coordination.common.ids import uuid7

MASK = (1 << 63) - 1
Params = Sequence[Any] | Mapping[str, Any] | None

# A savoir-faire that lines tell under two kinds is one: the speciality of the order, else the first by its letters.
ONE_KIND = "CASE WHEN bool_or(kind = 'S') THEN 'S' ELSE min(kind) END"

# Below this many rows a table counts as empty: building its indexes after the load is several times quicker.
SMALL_TABLE = 5_000
BIG_LOAD = 50_000


def hash64(text: bytes) -> int:
    """63 bits that tell whether a text changed; kept in a bigint."""
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") & MASK


def copy_line(values: Iterable[Any]) -> str:
    """One line for `copy`; None becomes NULL. For the smaller files: the big ones build their lines themselves."""
    return "|".join(map(_copied, values)) + "\n"


def _copied(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")
    return str(value)


def copy(table: str, blocks: Iterable[str | bytes], *, frozen: bool = False) -> None:
    """COPY blocks of lines into a table of our own making, or into one of the directory.

    `frozen`: the storage of the table was renewed in this transaction (`renewed`), its rows need no mark later.
    """
    options = "FREEZE, " if frozen else ""
    statement = f"COPY {table} FROM STDIN ({options}DELIMITER '|', NULL '\\N')"
    with connection.cursor() as cursor, copy_in(cursor, statement) as out:
        for block in blocks:
            out.write(block)


def execute(sql: str, params: Params = None) -> int:
    """Run one statement, return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def temporary(name: str, query: str, params: Params = None) -> None:
    """Keep the rows of `query` for the transaction, counted: a planner that knows no sizes loops over millions."""
    execute(f"CREATE TEMP TABLE {name} ON COMMIT DROP AS {query}", params)
    execute(f"ANALYZE {name}")


def hold(keys: Iterable[str]) -> None:
    """Keep what refused lines were about in the table `held`: it is not ceased."""
    execute("CREATE TEMP TABLE held (key text) ON COMMIT DROP")
    copy("held", (copy_line([key]) for key in keys if key))
    execute("ANALYZE held")


def scalar(sql: str, params: Params = None) -> Any:
    """Run one statement, return the one value it gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchone()[0]


def new_id(number: str) -> str:
    """SQL for a UUIDv7 out of a number of 32 bits unique in its statement: time and chance come from here."""
    return f"('{uuid7().hex[:24]}' || lpad(to_hex({number}), 8, '0'))::uuid"


@contextmanager
def postponed_indexes(
    tables: Iterable[str], rows: int, small: int = SMALL_TABLE, *, kept: Iterable[str] = ()
) -> Iterator[None]:
    """Drop the indexes and foreign keys of tables with fewer than `small` rows; build them again after the load.

    Only for a first load: nobody can be searching what is not there yet, and the locks taken last as long as
    the transaction. Primary keys stay, and the indexes of `kept`: those that the load leaves empty or nearly, where
    asking each new row costs less than reading the whole table again. Does nothing when the role does not own the
    tables.
    """
    restored: list[str] = []
    if rows >= BIG_LOAD:
        settle_constraints()
        for table in tables:
            if _is_small(table, small) and _is_ours(table):
                restored.extend(_drop(table, list(kept)))
    yield
    if restored:
        settle_constraints()
    for statement in restored:
        execute(statement)


def renewed(table: str, rows: int) -> bool:
    """Give a nearly empty table another file, before `rows` rows are COPYed `frozen` into it; False when it cannot be.

    A file made by the transaction vanishes with it, marks nothing twice, and needs no write-ahead log where nothing
    is replicated. What the table holds is kept. The lock is the one of `postponed_indexes`.
    """
    if rows < BIG_LOAD or not _is_ours(table) or not _is_small(table, SMALL_TABLE):
        return False
    key = scalar(
        "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = %s::regclass AND indisprimary", [table]
    )
    execute(f"CLUSTER {table} USING {key}")
    # Only the file was wanted: nothing is to be kept in this order.
    execute(f"ALTER TABLE {table} SET WITHOUT CLUSTER")
    return True


def settle_constraints() -> None:
    """Check now what waits for the end of the transaction: a table with checks waiting cannot be altered.

    Raises IntegrityError.
    """
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


def _is_small(table: str, small: int) -> bool:
    return scalar(f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT {small}) few") < small  # noqa: S608


def _is_ours(table: str) -> bool:
    return scalar("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass", [table])


def _drop(table: str, kept: list[str]) -> list[str]:
    """Drop all but `kept` and return what builds again: indexes first, then the keys that need them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(conname), pg_get_constraintdef(oid), contype FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype IN ('u', 'f') ORDER BY contype DESC, conname",
            [table],
        )
        constraints = cursor.fetchall()
        cursor.execute(
            "SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid) FROM pg_index i"
            " LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('u', 'p', 'x')"
            " WHERE i.indrelid = %s::regclass AND c.oid IS NULL AND i.indexrelid::regclass::text <> ALL(%s)"
            " ORDER BY 1",
            [table, kept],
        )
        indexes = cursor.fetchall()
        for name, _, _ in constraints:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for name, _ in indexes:
            cursor.execute(f"DROP INDEX {name}")
    unique = [f"ALTER TABLE {table} ADD CONSTRAINT {n} {d}" for n, d, kind in constraints if kind == "u"]
    foreign = [f"ALTER TABLE {table} ADD CONSTRAINT {n} {d}" for n, d, kind in constraints if kind == "f"]
    return [*unique, *(definition for _, definition in indexes), *foreign]
