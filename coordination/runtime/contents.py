"""What a database holds, as numbers that two databases can be compared by: rows and a hash of every table.

The hash of a table is the exclusive or of the MD5 of its rows as text: the order of rows does not count, and a damage
changes it. It is no defence against somebody who writes in the backup: the signed journal is.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
from psycopg import sql

from coordination.runtime.database import connect

AT_ONCE = 2
_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
ORDER BY pg_relation_size(c.oid) DESC, 1, 2"""
_ROWS = sql.SQL(
    """SELECT count(*), coalesce(bit_xor(('x' || md5("whole row"::text))::bit(128))::text, '0')
FROM ONLY {table} AS "whole row" WHERE {kept}"""
)
# What the product's role is denied on its own tables and functions. Grants are not restored: roles have other names.
# Who makes the backup may be another role, which reads everything.
_WITHHELD = """
WITH product AS (SELECT relowner AS role FROM pg_class WHERE oid = 'django_migrations'::regclass)
SELECT format('REVOKE %s ON %I.%I FROM CURRENT_USER', string_agg(asked, ', ' ORDER BY asked), n.nspname, c.relname)
FROM product, pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
    unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) AS asked
WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(product.role, c.oid, asked)
GROUP BY n.nspname, c.relname
UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', p.oid::regprocedure)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'public' AND NOT has_function_privilege('public', p.oid, 'EXECUTE')
ORDER BY 1"""

Tables = dict[str, list[Any]]


def tables_of(connection: psycopg.Connection) -> list[tuple[str, str]]:
    """(schema, name) of each table that holds rows, the largest first."""
    return [(schema, name) for schema, name in connection.execute(_TABLES)]


def withheld_of(connection: psycopg.Connection) -> list[str]:
    """The statements that take from the application's role, elsewhere, what it may not do here."""
    return [statement for (statement,) in connection.execute(_WITHHELD)]


def describe(url: str, snapshot: str = "", leave_out: Mapping[str, str] | None = None) -> Tables:
    """Return {"schema.table": [rows, hash]} of a database.

    `snapshot`: of a transaction that is open meanwhile, for the same instant as a dump. `leave_out`: {"schema.table":
    id of the one row not to count}.
    """
    with connect(url) as connection:
        tables = tables_of(connection)
    queue = iter(tables)
    found: Tables = {}

    def work() -> None:
        with connect(url) as connection:
            connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            if snapshot:
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
            for schema, name in queue:
                found[f"{schema}.{name}"] = _described(connection, schema, name, leave_out or {})

    # The server does the work: a thread here is a connection there.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(work) for _ in range(AT_ONCE)]:
            done.result()
    return dict(sorted(found.items()))


def _described(connection: psycopg.Connection, schema: str, name: str, leave_out: Mapping[str, str]) -> list[Any]:
    left = leave_out.get(f"{schema}.{name}")
    kept = sql.SQL("id <> {}::uuid").format(left) if left else sql.SQL("true")
    asked = _ROWS.format(table=sql.Identifier(schema, name), kept=kept)
    rows, bits = connection.execute(asked).fetchone() or (0, "0")
    return [rows, f"{int(bits, 2):032x}"]


def differences(expected: Tables, found: Tables) -> list[str]:
    """Return one line per table that is not what was expected: names and numbers, no content."""
    told = []
    for table in sorted(expected.keys() | found.keys()):
        before, after = expected.get(table), found.get(table)
        if before is None or after is None:
            told.append(f"{table}: {'not in the backup' if before is None else 'missing'}")
        elif before[0] != after[0]:
            told.append(f"{table}: {after[0]} rows instead of {before[0]}")
        elif before != after:
            told.append(f"{table}: {after[0]} rows, of another content")
    return told
