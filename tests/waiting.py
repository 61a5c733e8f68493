"""What other connections do meanwhile: the second of two acts waits behind the first, a page left is answered."""

import time

from django.db import connection

PATIENCE = 20
# A test may leave on purpose a transaction that never ends.
AT_REST = 5
_WAIT = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
_WORK = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND state <> 'idle'"
)


def until_somebody_waits():
    """Return once another connection waits for a lock."""
    if not any(_counts(connection, _WAIT, PATIENCE)):
        raise AssertionError("the other act never waited")


def until_at_rest(connection):
    """Return once no other connection of this database does anything, or after a while all the same.

    A browser that is closed leaves its last requests to be answered: what they write would come after the tables are
    emptied, or wait for a table that waits for theirs.
    """
    all(_counts(connection, _WORK, AT_REST))


def _counts(connection, question, seconds):
    """Ask again and again, for so many seconds; yield each answer."""
    until = time.monotonic() + seconds
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(question)
            yield cursor.fetchone()[0]
            time.sleep(0.02)
