"""The second wall (SECT-9): the database shows rows of dossiers to a session that says for whom it speaks, no other.

Row-level security, forced, since the application owns its tables, on every table that carries a dossier and on those
that rooms name (`protect`). Who speaks: `coordination.common.declaring`. Why no more than that, what it costs and what
it does not stop: docs/decisions/2026-11-30-row-level-security.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.db import connection, transaction

from coordination.common.declaring import SETTING

logger = structlog.stdlib.get_logger(__name__)

POLICY = "declared"
# By name: the room that keeps dossiers is on a higher floor.
DECIDES = "dossiers_dossier"
# Who waits for a table holds back all those that come after him: as `migrate` does.
LOCK_WAIT = "2s"
# A sub-select without a column: looked at once for each table of a statement, not once for each row.
_CONDITION = f"(SELECT coalesce(current_setting('{SETTING}', true), '') <> '')"
# Beside the tables that have a column "dossier_id".
_named: set[str] = set()

_TABLES = """
SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity
        AND EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = %(policy)s),
    pg_has_role(c.relowner, 'USAGE')
FROM pg_class c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND (
    c.relname = ANY (%(named)s) OR EXISTS (
        SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'dossier_id' AND NOT a.attisdropped
    )
)
ORDER BY c.relname"""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that holds rows of dossiers; whether the wall stands before it, and whether this role may raise it."""

    name: str
    stands: bool
    ours: bool


def protect(table: str) -> None:
    """Name a table without a column "dossier_id" whose rows are those of dossiers all the same."""
    _named.add(table)


def tables() -> list[Table]:
    """Return the tables that the wall is for, each month of the journal among them."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, {"policy": POLICY, "named": sorted(_named)})
        return [Table(*row) for row in cursor.fetchall()]


class BehindAPooler(Exception):
    """A pooler of transactions is between: what a session says of itself there is said for another."""


def is_pooled() -> bool:
    """Say whether a pooler of transactions is between: we were told (DATABASE_POOLER), or it shows."""
    return bool(connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")) or _lends_its_connections()


def _lends_its_connections() -> bool:
    # Two open sessions are two processes of the server. Such a pooler gives the second the process of the first, which
    # asks nothing meanwhile; or, the second keeping what it was given, another one to the first.
    first, other = _process(connection), connection.copy()
    try:
        other.set_autocommit(False)
        return _process(other) == first or _process(connection) != first
    finally:
        other.close()


def _process(session: Any) -> int:
    with session.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def raise_wall() -> list[str]:
    """Raise the wall wherever it does not stand; return the tables of another role, before which it could not be.

    Each table is locked by itself, for the time of three statements; who writes there meanwhile waits. Raises
    BehindAPooler, and OperationalError for a table that somebody keeps: what is raised stays, and the same call goes
    on from there.
    """
    missing = [table for table in tables() if not table.stands]
    if missing and is_pooled():
        raise BehindAPooler
    return _change(missing, _raise_before)


def lower_wall() -> list[str]:
    """Lower the wall, for a version that does not say for whom it speaks; return the tables of another role.

    Raises OperationalError as `raise_wall` does.
    """
    return _change([table for table in tables() if table.stands], _lower_before)


def _change(found: list[Table], change: Callable[[Any, str], None]) -> list[str]:
    # The one that decides (`stands`) first: `migrate` follows even where this is stopped half-way.
    for table in sorted(found, key=lambda table: table.name != DECIDES):
        if table.ours:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_WAIT}'")
                change(cursor, connection.ops.quote_name(table.name))
    return [table.name for table in found if not table.ours]


def _raise_before(cursor: Any, table: str) -> None:
    cursor.execute(f"DROP POLICY IF EXISTS {POLICY} ON {table}")
    cursor.execute(f"CREATE POLICY {POLICY} ON {table} USING ({_CONDITION})")
    cursor.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")


def _lower_before(cursor: Any, table: str) -> None:
    cursor.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY")


def stands() -> bool:
    """Say whether the wall was raised in this database: what comes after it then is put behind it.

    The table of dossiers decides alone, here and in deploy/journal-role.sql: those of the journal may be another
    role's, before which it still stands when it was lowered.
    """
    return any(table.stands for table in tables() if table.name == DECIDES)


def keep_up() -> None:
    """Raise the wall before new tables where it stands, and before all of them where no dossier is yet.

    An installation that holds dossiers may still be served by a version that says nothing: there, `manage.py
    second_mur monter`. Not behind a pooler of transactions.
    """
    if stands() or not _holds_dossiers():
        try:
            raise_wall()
        except BehindAPooler:
            logger.warning("second_wall.pooler")


def _holds_dossiers() -> bool:
    with connection.cursor() as cursor:
        # Migrated by half, or back to before it, a database may not have it.
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [DECIDES])
        if not cursor.fetchone()[0]:
            return False
        cursor.execute(f"SELECT EXISTS (SELECT 1 FROM {DECIDES})")  # noqa: S608 - a name of our own
        return bool(cursor.fetchone()[0])
