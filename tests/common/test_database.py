"""A kept connection is looked at before each request, not asked a question."""

import psycopg
import pytest
from django.db import connection

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
