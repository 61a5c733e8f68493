"""`manage.py migrate` gives way to those who work: half a second for a lock, then it comes back (REL-14)."""

import threading
from types import SimpleNamespace

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.core.management.commands import migrate as of_django
from django.db import OperationalError, connection, transaction
from django.db.migrations import Migration

from coordination.operations.management.commands import migrate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.req("REL-14")]
TABLE = "outbox_localmail"


def waits():
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        return cursor.fetchone()[0]


@pytest.fixture
def changing(monkeypatch):
    """A migration that wants a table for itself, in place of those there are; `.atomic` as it is said to be."""
    said = SimpleNamespace(atomic=True, begun=0, waited=[])
    monkeypatch.setattr(migrate, "LOCK_WAIT", "100ms")

    def handle(command, *args, **options):
        one = Migration("0099_change", "outbox")
        one.atomic = said.atomic
        command.verbosity = 0
        command.migration_progress_callback("apply_start", one)
        said.begun += 1
        said.waited.append(waits())
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS EXCLUSIVE MODE")

    monkeypatch.setattr(of_django.Command, "handle", handle)
    return said


@pytest.fixture
def somebody_reads(changing, monkeypatch):
    """Somebody reads that table; he leaves when the change has given way so many times (`.until`)."""
    reading, leaves = threading.Event(), threading.Event()
    said = SimpleNamespace(until=1)

    def read():
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {TABLE} IN ACCESS SHARE MODE")
                reading.set()
                leaves.wait(20)
        finally:
            connection.close()

    def sleep(_):
        if changing.begun == said.until:
            leaves.set()
            reader.join()

    monkeypatch.setattr(migrate.time, "sleep", sleep)
    reader = threading.Thread(target=read)
    reader.start()
    reading.wait(20)
    yield said
    leaves.set()
    reader.join()


def test_it_gives_way_and_comes_back(changing, somebody_reads, capsys):
    before = waits()
    somebody_reads.until = 2
    call_command("migrate")
    assert (changing.begun, set(changing.waited), waits()) == (3, {"100ms"}, before)
    said = capsys.readouterr().err
    assert said.count("Nouvel essai") == 2 and "la place est laissée à qui travaille" in said


def test_it_gives_up_in_words(changing, somebody_reads, monkeypatch):
    monkeypatch.setattr(migrate, "TRIES", 2)
    somebody_reads.until = 99
    with pytest.raises(CommandError, match="pg_stat_activity"):
        call_command("migrate")
    assert changing.begun == 2


def test_an_index_made_aside_waits_for_as_long_as_it_needs(changing):
    changing.atomic = False
    call_command("migrate")
    assert changing.waited == ["0"]


def test_who_is_ended_by_a_deadlock_comes_back(changing, monkeypatch, capsys):
    """PostgreSQL ends one of the two: what the change had begun is undone, whole."""
    handle, ended = of_django.Command.handle, []

    def once(*args, **options):
        if not ended:
            ended.append(True)
            error = OperationalError("deadlock detected")
            error.__cause__ = psycopg.errors.DeadlockDetected()
            raise error
        return handle(*args, **options)

    monkeypatch.setattr(of_django.Command, "handle", once)
    monkeypatch.setattr(migrate.time, "sleep", lambda _: None)
    call_command("migrate")
    assert changing.begun == 1
    assert capsys.readouterr().err.count("Nouvel essai") == 1


def test_another_error_is_not_taken_for_a_lock(changing, monkeypatch):
    def broken(*args, **options):
        raise OperationalError("the server is gone")

    monkeypatch.setattr(of_django.Command, "handle", broken)
    with pytest.raises(OperationalError, match="gone"):
        call_command("migrate")
