"""One at a time in the whole installation, for what lasts outside of any transaction: a load, an exchange, a reading.

A lock of a session of the database: a process that is killed gives it back with its connection. Behind a pooler of
transactions (DATABASE_POOLER) each statement is run by whichever session is free: such a lock would stay with one of
them, be given back to another, and hold everybody for as long as the pooler keeps the first. There a transaction holds
it, which does nothing else, on a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def held(number: int) -> Iterator[bool]:
    """Hold a number while the block runs; give whether this is so, or somebody else holds it."""
    pooled = connection.settings_dict.get("DISABLE_SERVER_SIDE_CURSORS")
    with _by_a_transaction(number) if pooled else _by_the_session(number) as mine:
        yield mine


@contextmanager
def _by_the_session(number: int) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        # A connection lost in the middle has already let it go.
        if mine and connection.connection is not None and not connection.connection.closed:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


@contextmanager
def _by_a_transaction(number: int) -> Iterator[bool]:
    beside = connection.copy()
    try:
        beside.set_autocommit(False)
        with beside.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
            mine = bool(cursor.fetchone()[0])
        try:
            yield mine
        finally:
            # The server sees the end of a connection some moments after: given back before it.
            beside.rollback()
    finally:
        beside.close()
