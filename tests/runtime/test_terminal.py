"""What stops a command is a sentence at the terminal, not a stack trace (issue 6, §1)."""

import errno
import signal
import socket
import subprocess
import sys

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, OperationalError, connection, transaction

from coordination.common import terminal
from coordination.runtime.problems import explain_command_output
from coordination.settings import environment
from tests.runtime.test_production_settings import KEPT, SAFE, manage

AWAY = "postgres://app:mot%20de%20passe@127.0.0.1:{}/coordination"


@pytest.fixture(scope="module")
def nobody():
    """An address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield AWAY.format(taken.getsockname()[1])


def test_a_database_that_is_away_is_one_sentence(nobody):
    done = manage("courriels", DATABASE_URL=nobody)
    assert done.returncode == 1
    assert done.stderr.startswith("La base de données ne répond pas")
    assert "Connection refused" in done.stderr and "Traceback" not in done.stderr
    assert "mot de passe" not in done.stderr


def test_the_trace_is_there_for_who_asks(nobody):
    assert "Traceback" in manage("courriels", "--traceback", DATABASE_URL=nobody).stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SECRET_KEY", ""), ("DATABASE_URL", "mysql://x/y"), ("EMAIL_PORT", "abc"), ("REDIS_URL", "localhost:6379")],
)
def test_a_wrong_setting_is_named_without_a_trace(variable, value):
    done = manage("check", "--deploy", **{variable: value})
    assert done.returncode == 1
    assert variable in done.stderr and "Traceback" not in done.stderr


def test_ctrl_c_leaves_a_word():
    child = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "create_account"],
        env=KEPT | SAFE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    asked = "Adresse e-mail"
    assert child.stdout.read(len(asked)) == asked
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    assert (child.returncode, said.strip()) == (130, "Interrompu.")


@pytest.mark.parametrize("statement", ["SELECT * FROM nowhere", "SELECT nothing FROM django_migrations"])
@pytest.mark.django_db
def test_another_schema_asks_for_its_migrations(statement):
    with pytest.raises(DatabaseError) as met, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert "manage.py migrate" in terminal.sentence(met.value)


def test_what_the_role_may_not_do_names_the_object():
    refused = DatabaseError("Unable to create the table (permission denied for schema public\nLINE 1: CREATE TABLE …)")
    # As `migrate` says it: an error of Django raised while another one of Django was handled.
    refused.__context__ = DatabaseError()
    refused.__context__.__cause__ = psycopg.errors.InsufficientPrivilege(
        "permission denied for schema public\nLINE 1: …"
    )
    first, second = terminal.sentence(refused).splitlines()
    assert "n’a pas le droit" in first and "propriétaire" in first
    assert second == "permission denied for schema public"


@pytest.mark.django_db
def test_what_the_database_says_of_a_row_is_not_repeated():
    """Only a trace explains it: it is for who mends the product."""
    with pytest.raises(DatabaseError) as met, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 'MARTIN'::int")
    assert terminal.sentence(met.value) is None


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/srv/a"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "/srv/a"),
    ],
)
def test_a_full_disk_is_still_known_to_who_runs_the_command(error, tmp_path):
    """`make run` and `make restore` run commands, and say what is to be done of a full disk."""
    assert "The disk is full" in str(explain_command_output("Loading", terminal.sentence(error), tmp_path))


def test_a_database_whose_disk_is_full_too(tmp_path):
    full = OperationalError('could not extend file "base/1/2": No space left on device\nHINT:  Check.')
    full.__cause__ = psycopg.errors.DiskFull()
    assert "The disk is full" in str(explain_command_output("Loading", terminal.sentence(full), tmp_path))


def test_the_system_s_refusals_are_french():
    assert terminal.sentence(FileNotFoundError(2, "No such file or directory", "/a")) == (
        "/a : ce fichier ou ce dossier n’existe pas."
    )
    assert terminal.sentence(ConnectionRefusedError(111, "Connection refused")) is None
    assert terminal.sentence(ZeroDivisionError()) is None
    assert terminal.sentence(ImproperlyConfigured("Dit.")) == "Dit."


def test_a_socket_of_redis_is_written_once_for_all():
    """Celery calls it otherwise than Redis’s own client does, which reads REDIS_URL."""
    assert environment.broker("unix://:p%40ss@/run/redis/redis.sock?db=3") == (
        "redis+socket://:p%40ss@/run/redis/redis.sock?virtual_host=3"
    )
    assert environment.broker("rediss://:x@h:6380/1") == "rediss://:x@h:6380/1"
    for wrong in ("localhost:6379", "http://h", "redis+socket:///run/redis.sock", "memory://"):
        with pytest.raises(environment.WrongVariable, match="REDIS_URL"):
            environment.broker(wrong)
