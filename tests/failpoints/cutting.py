"""The server that fails before the statement wanted, and what the whole database holds before and after."""

from __future__ import annotations

from typing import NamedTuple

from django.db import OperationalError, connection

ENDS = ("ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
# What a table holds: how many rows, and a sum of their hashes, which does not depend on their order.
State = dict[str, tuple[int, int]]


class Cut(OperationalError):
    """What the driver says when a statement fails, whatever the reason."""


class Statements:
    """Counts the statements that go by, and fails before one of them.

    `dead`: so do all those that follow, as when the server was killed. Otherwise all until the way back to a
    savepoint, as PostgreSQL does after an error.
    """

    def __init__(self, at: int = 0, *, dead: bool = False) -> None:
        self.at, self.dead = at, dead
        self.texts: list[str] = []
        self._is_broken = False

    def __call__(self, execute, sql, params, many, context):
        text = str(sql)
        self.texts.append(text)
        if len(self.texts) == self.at:
            self._is_broken = True
        if self._is_broken:
            if self.dead or len(self.texts) == self.at or not text.startswith(ENDS[0]):
                raise Cut(f"before statement {len(self.texts)}: {text[:60]}")
            self._is_broken = False
        return execute(sql, params, many, context)


class Ended(NamedTuple):
    """How one try ended: what it raised, what the database held then, the statements that went by."""

    raised: Exception | None
    state: State
    texts: list[str]


class Database:
    """Reads the state of every table of ours in one statement."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                """SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
                   AND c.relname <> 'django_migrations' ORDER BY 1"""
            )
            self.tables = [name for (name,) in cursor.fetchall()]
        self._asked = " UNION ALL ".join(
            f"SELECT '{table}', count(*), coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t"  # noqa: S608 - our own tables
            for table in self.tables
        )

    def state(self) -> State:
        with connection.cursor() as cursor:
            cursor.execute(self._asked)
            return {table: (count, int(total)) for table, count, total in cursor.fetchall()}


def settle() -> None:
    """Run now the triggers that wait for the commit: what they write belongs to the act (versions of a circle)."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def changed(before: State, after: State) -> dict[str, int]:
    """Return the tables whose rows are not the same, each with how many more it has."""
    return {
        table: after[table][0] - before[table][0] for table in before if before[table] != after[table]
    }  # fmt: skip
