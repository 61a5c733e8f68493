"""A kept connection is looked at before each request, not asked a question."""

from contextlib import suppress

import psycopg
import pytest
from django.db import connection

from coordination.common.database import alone
from tests.asvs import reading

pytestmark = pytest.mark.django_db(transaction=True)


def beside():
    """Return another connection to the same database, as an administrator has."""
    return psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True)


def test_a_living_connection_is_kept_without_a_question(django_assert_num_queries):
    connection.ensure_connection()
    raw = connection.connection
    with django_assert_num_queries(0):
        connection.close_if_unusable_or_obsolete()
    assert connection.connection is raw


def test_a_connection_that_the_server_ended_is_opened_again():
    connection.ensure_connection()
    dead = connection.connection.info.backend_pid
    with beside() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [dead])
    assert not connection.is_usable()
    # What Django does when a request starts.
    connection.health_check_done = False
    connection.close_if_health_check_failed()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone()[0] != dead


def test_a_connection_left_in_a_failed_transaction_is_not_usable():
    connection.ensure_connection()
    raw = connection.connection
    raw.autocommit = False
    with pytest.raises(psycopg.errors.DivisionByZero):
        raw.execute("SELECT 1/0")
    assert not connection.is_usable()
    raw.rollback()
    raw.autocommit = True
    assert connection.is_usable()


# ---- One at a time -------------------------------------------------------------------------------

NUMBER = 4_242_424_242


@pytest.fixture(params=[False, True], ids=["a session of our own", "behind a pooler of transactions"])
def pooled(request, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", request.param)
    return request.param


def holders(other):
    """Who holds an advisory lock in this database: {number of its process of the server}."""
    asked = "SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory'"
    return {pid for (pid,) in other.execute(f"{asked} AND datname = current_database()").fetchall()}


def test_a_number_is_held_by_one_and_given_back_whatever_happens(pooled):
    with beside() as other:
        with suppress(ZeroDivisionError), alone.held(NUMBER) as mine:
            assert mine
            assert other.execute("SELECT pg_try_advisory_lock(%s)", [NUMBER]).fetchone() == (False,)
            raise ZeroDivisionError
        assert other.execute("SELECT pg_try_advisory_lock(%s)", [NUMBER]).fetchone() == (True,)
        with alone.held(NUMBER) as mine:
            assert not mine
        assert holders(other) == {other.info.backend_pid}, "what somebody else holds is not given back for him"


def test_behind_a_pooler_no_session_that_it_lends_holds_anything(pooled):
    """It would stay with that session, lent to others, when ours asks another one to give it back."""
    connection.ensure_connection()
    ours = connection.connection.info.backend_pid
    with beside() as other, alone.held(NUMBER):
        assert (ours in holders(other)) is not pooled
        assert len(holders(other)) == 1
        # Nobody works in the transaction that holds it: rows are seen and cleaned as ever.
        asked = "SELECT count(*) FROM pg_stat_activity WHERE backend_xmin IS NOT NULL AND pid = ANY (%s)"
        assert other.execute(asked, [list(holders(other))]).fetchone() == (0,)
        assert connection.get_autocommit() and not connection.in_atomic_block


def test_locks_of_a_session_are_asked_in_one_place():
    asking = {path.name for path in reading.paths() if "pg_try_advisory_lock" in path.read_text()}
    assert asking == {"alone.py"}
