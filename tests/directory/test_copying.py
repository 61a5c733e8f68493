"""What the server is told when a COPY stops half way: nothing of the file."""

import psycopg
import pytest
from django.db import connection, transaction

from coordination.common.copying import copy_in
from coordination.directory.imports import staging

SECRET = "Quatrelivres"


@pytest.fixture
def told(monkeypatch):
    """The last words of each COPY, as they leave for the server, which writes them in its log."""
    words = []
    from psycopg import _copy

    real = _copy.copy_end

    def heard(pgconn, message):
        words.append(message)
        return real(pgconn, message)

    monkeypatch.setattr(_copy, "copy_end", heard)
    return words


def broken_file():
    yield "1|a\n"
    raise ValueError(f"line 2: {SECRET}")


@pytest.mark.req("SEC-22")
@pytest.mark.django_db
@pytest.mark.parametrize("logged", [False, True])
def test_a_file_that_breaks_during_the_copy_is_not_quoted_to_the_server(told, logged):
    connection.force_debug_cursor = logged
    try:
        with transaction.atomic():
            staging.execute("CREATE TEMP TABLE copied (n int, name text) ON COMMIT DROP")
            with pytest.raises(ValueError, match=SECRET), transaction.atomic():
                staging.copy("copied", broken_file())
            assert staging.scalar("SELECT count(*) FROM copied") == 0
    finally:
        connection.force_debug_cursor = False
    (words,) = told
    assert SECRET.encode() not in words
    assert b"stopped by the application" in words


@pytest.mark.django_db
def test_a_copy_that_the_server_refuses_says_its_reason():
    with transaction.atomic():
        staging.execute("CREATE TEMP TABLE copied (n int, name text) ON COMMIT DROP")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation), transaction.atomic():
            staging.copy("copied", ["x|a\n"])
        with connection.cursor() as cursor, copy_in(cursor, "COPY copied FROM STDIN") as out:
            out.write("1\ta\n")
        assert staging.scalar("SELECT count(*) FROM copied") == 1
