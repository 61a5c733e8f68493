"""Running the hottest statements: prepared on the server when the connection allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

# Planning many joins or index scans costs more than running them: the server keeps the plan after the second time.
PREPARE_AFTER = 1


def rows(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple]:
    """Return the rows of a read, its parameters in order or named; a tuple among those in order is an SQL array."""
    if not isinstance(params, Mapping):
        params = [list(p) if isinstance(p, tuple) else p for p in params]
    with _cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def write(sql: str, params: Mapping[str, Any]) -> None:
    """Run a statement that answers nothing; its parameters are named."""
    with _cursor() as cursor:
        cursor.execute(sql, params)


def _cursor() -> Any:
    """Return a cursor that prepares, wrapped like Django's: execute wrappers, database errors, transactions."""
    connection.ensure_connection()
    # Behind a transaction pooler a prepared statement may live on another server connection; and when statements are
    # logged (tests, debug), only Django's own cursors know how to write them.
    if connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS") or connection.queries_logged:
        return connection.cursor()
    raw = connection.connection
    if raw.prepare_threshold is None:
        _allow_preparing(raw)
    # Django's cursors bind on the client, which cannot prepare; this one binds on the server.
    return connection.make_cursor(psycopg.Cursor(raw))


def _allow_preparing(raw: psycopg.Connection) -> None:
    """Once per connection. Each such statement has one good plan whatever its parameters: planning again is pure loss.

    Django's own statements are never prepared, so that setting does not reach them. Compiling (jit) costs a hundred
    milliseconds when the planner overrates a branch; no page of this product is long enough to win them back.
    """
    raw.prepare_threshold = PREPARE_AFTER
    psycopg.Cursor(raw).execute("SET plan_cache_mode = force_generic_plan", prepare=False)
    psycopg.Cursor(raw).execute("SET jit = off", prepare=False)
