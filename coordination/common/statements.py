"""Running the hottest statements: prepared on the server when the connection allows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections

# Planning many joins or index scans costs more than running them: the server keeps the plan after the second time.
PREPARE_AFTER = 1


_PLACE = re.compile(r"%(?:\((\w+)\))?[s%]")


def rows(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> list[tuple]:
    """Return the rows of a read, its parameters in order or named; a tuple among those in order is an SQL array."""
    if isinstance(params, Mapping):
        params = {name: _one(value) for name, value in params.items()}
    else:
        params = [_one(value) for value in params]
    with _ran(sql, params) as cursor:
        return cursor.fetchall()


def ids_in_one(ids: Iterable[UUID]) -> str:
    """Return ids as the text of an SQL array: the driver would write each of them by itself, five times slower."""
    return "{" + ",".join([id.hex for id in ids]) + "}"


def _one(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return ids_in_one(value) if value and all(type(one) is UUID for one in value) else list(value)


def write(sql: str, params: Mapping[str, Any]) -> None:
    """Run a statement that answers nothing; its parameters are named."""
    with _ran(sql, params):
        pass


def _ran(sql: str, params: Sequence[Any] | Mapping[str, Any]) -> Any:
    """Return a cursor that has run the statement, wrapped like Django's: execute wrappers, errors, transactions."""
    # Through `connection` each of these words would look for the connection of this thread again.
    ours = connections[DEFAULT_DB_ALIAS]
    ours.ensure_connection()
    # Behind a transaction pooler a prepared statement may live on another server connection; and when statements are
    # logged (tests, debug), only Django's own cursors know how to write them.
    if ours.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS") or ours.queries_logged:
        cursor = ours.cursor()
    else:
        raw = ours.connection
        if raw.prepare_threshold is None:
            _allow_preparing(raw)
        cursor = ours.make_cursor(_Preparing(raw))
    cursor.execute(sql, params)
    return cursor


class _Preparing(psycopg.RawCursor):
    """Binds on the server, which prepares, where Django's cursors bind on the client.

    Statements come as they are written, with names or marks, and leave with the places that the server knows: given
    other marks, the driver would look for the places of a long statement at each run.
    """

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        numbered, names = _numbered(query)
        if isinstance(params, Mapping):
            params = [params[name] for name in names]
        return super().execute(numbered, params, **options)


@lru_cache(maxsize=500)
def _numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Return a statement with the places that the server knows ($1), and the names given to them in that order."""
    names: list[str] = []
    rank = 0

    def place(found: re.Match[str]) -> str:
        nonlocal rank
        if found.group() == "%%":
            return "%"
        name = found.group(1)
        if name is None:
            rank += 1
            return f"${rank}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PLACE.sub(place, sql), tuple(names)


def _allow_preparing(raw: psycopg.Connection) -> None:
    """Once per connection. Each such statement has one good plan whatever its parameters: planning again is pure loss.

    Django's own statements are never prepared, so that setting does not reach them. Compiling (jit) costs a hundred
    milliseconds when the planner overrates a branch; no page of this product is long enough to win them back.
    """
    raw.prepare_threshold = PREPARE_AFTER
    psycopg.Cursor(raw).execute("SET plan_cache_mode = force_generic_plan", prepare=False)
    psycopg.Cursor(raw).execute("SET jit = off", prepare=False)
