"""The journal in a role of its own (deploy/journal-role.sql): the application writes it and cannot undo it.

On a cluster of its own: making a role takes PostgreSQL's administrator, whom the suite's servers do not let in.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import psycopg
import pytest

from coordination.runtime.account import server_account
from coordination.runtime.places import ROOT, Place
from coordination.runtime.postgres import DATABASE, Cluster
from coordination.runtime.processes import ENVIRONMENT

pytestmark = [pytest.mark.slow, pytest.mark.req("SEC-10")]

LINE = """
INSERT INTO habilitations_trace
SELECT gen_random_uuid(), now(), '{dossier}', 0, NULL, 'x', '', '', '', '', '', NULL, 1, 'lecture', 'cercle', 'ok', '',
    NULL, '', '', '', '', ''
"""
DOSSIER = "01908123-4567-7890-8123-456789abcdef"
UNDOING = [
    "UPDATE habilitations_trace SET actor_name = 'y'",
    "DELETE FROM habilitations_trace",
    "TRUNCATE habilitations_trace",
    "DELETE FROM habilitations_trace_autre",
    "INSERT INTO habilitations_trace_autre SELECT * FROM habilitations_trace",
    "ALTER TABLE habilitations_trace DISABLE TRIGGER USER",
    "ALTER TABLE habilitations_trace DETACH PARTITION habilitations_trace_autre",
    "DROP TRIGGER trace_is_kept ON habilitations_trace",
    "DROP TABLE habilitations_trace",
    "DROP TABLE habilitations_accounttrace CASCADE",
    "UPDATE habilitations_tracehead SET seq = 0",
    "INSERT INTO habilitations_tracehead VALUES (gen_random_uuid(), 9, '', '')",
    "CREATE TRIGGER spy BEFORE INSERT ON habilitations_trace EXECUTE FUNCTION habilitations_refuse_change()",
    "CREATE OR REPLACE FUNCTION habilitations_guard_head() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "DROP FUNCTION habilitations_refuse_change() CASCADE",
    "SELECT habilitations_seal_partition('habilitations_trace_autre')",
    "UPDATE habilitations_journalroot SET lines = 0",
    "DELETE FROM habilitations_journalroot",
    "DELETE FROM habilitations_journalanchor",
    "DROP TABLE habilitations_journalanchor",
    "TRUNCATE habilitations_journalcheck",
    "SELECT habilitations_drop_month('2020-01-01', 1, gen_random_uuid(), NULL, '')",
    "SET ROLE coordination_purge",
    "SET ROLE coordination_journal",
    "DROP SCHEMA public CASCADE",
    "DROP DATABASE coordination",
]


class Database:
    """A cluster that has been migrated by the application's role, then given its second role."""

    def __init__(self, folder: Path) -> None:
        place = Place("run", folder)
        place.make()
        self.cluster = Cluster(place, place.remember(), server_account())

    def manage(self, *words: str) -> subprocess.CompletedProcess:
        environment = os.environ | {"DATABASE_URL": self.cluster.url, "REDIS_URL": "redis://127.0.0.1:9"}
        environment["DJANGO_SETTINGS_MODULE"] = "coordination.settings.test"
        command = [sys.executable, str(ROOT / "manage.py"), *words]
        return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)

    def administer(self, script: str) -> str:
        """Run a script as PostgreSQL's administrator, the server being stopped; what it complained of."""
        programs = self.cluster._matching_programs()
        command = [programs.program("postgres"), "--single", "-j", "-D", str(self.cluster.data), DATABASE]
        account = self.cluster.account.options()
        done = subprocess.run(
            command, input=f"{script}\n\n", capture_output=True, text=True, cwd="/", env=ENVIRONMENT, **account
        )
        assert done.returncode == 0, done.stderr
        return "\n".join(line for line in done.stderr.splitlines() if "ERROR" in line or "FATAL" in line)

    def run(self, statement: str):
        with psycopg.connect(self.cluster.url, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None


@pytest.fixture(scope="module")
def database():
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o711)
        made = Database(Path(name, "data"))
        made.cluster.start()
        try:
            migrated = made.manage("migrate", "--no-input")
            assert migrated.returncode == 0, migrated.stderr
            made.cluster.stop()
            script = (ROOT / "deploy" / "journal-role.sql").read_text()
            assert made.administer(script) == ""
            assert made.administer(script) == "", "a second time must be harmless"
            made.cluster.start()
            made.run(LINE.format(dossier=DOSSIER))
            yield made
        finally:
            made.cluster.stop()


def test_the_application_writes_lines_and_the_chain_is_made(database):
    database.run(LINE.format(dossier=DOSSIER))
    (lines,) = database.run("SELECT count(*) FROM habilitations_trace")
    assert lines >= 2
    assert database.run("SELECT dossier_id::text, seq FROM habilitations_tracehead") == (DOSSIER, lines)


def test_the_application_cannot_give_itself_more(database):
    database.run("GRANT UPDATE, DELETE ON habilitations_trace TO CURRENT_USER")  # PostgreSQL only warns
    asked = "SELECT bool_or(has_table_privilege(t, p)) FROM unnest(ARRAY['habilitations_trace', "
    asked += "'habilitations_accounttrace', 'habilitations_tracehead', 'habilitations_trace_autre']) AS t, "
    asked += "unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS p"
    assert database.run(asked) == (False,)


@pytest.mark.parametrize("statement", UNDOING, ids=lambda statement: " ".join(statement.split()[:6]))
def test_the_application_cannot_undo_it(database, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.run(statement)


def test_a_trigger_of_the_application_cannot_move_the_end_of_a_chain(database):
    """The guard lets triggers pass, the chain's being one: the rights do not."""
    database.run("CREATE TABLE bait (n int)")
    database.run(
        "CREATE FUNCTION bite() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN UPDATE habilitations_tracehead SET seq = 0; RETURN NEW; END'"
    )
    database.run("CREATE TRIGGER bites BEFORE INSERT ON bait FOR EACH ROW EXECUTE FUNCTION bite()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.run("INSERT INTO bait VALUES (1)")


def test_the_application_signs_roots_and_keeps_its_checks(database):
    for words in (["sign_journal"], ["verify_journal"]):
        done = database.manage(*words)
        assert done.returncode == 0, done.stderr


@pytest.mark.req("SECT-13")
def test_the_role_that_purges_writes_no_line_and_removes_only_by_the_function(database):
    asked = "SELECT has_table_privilege('coordination_purge', t, p) FROM unnest(ARRAY['habilitations_trace', "
    asked += "'habilitations_accounttrace', 'habilitations_tracehead', 'habilitations_journalroot']) AS t, "
    asked += "unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) AS p"
    assert database.run(f"SELECT bool_or(held) FROM ({asked}) AS said(held)") == (False,)
    for table in ("habilitations_trace", "habilitations_accounttrace"):
        assert database.run(f"SELECT has_table_privilege('coordination_purge', '{table}', 'INSERT')") == (False,)
    function = "habilitations_drop_month(date, bigint, uuid, uuid, text)"
    for role, held in (("coordination_purge", True), ("coordination", False)):
        assert database.run(f"SELECT has_function_privilege('{role}', '{function}', 'EXECUTE')") == (held,)


def test_migrations_and_the_months_to_come_go_on_with_the_application_s_role(database):
    # Other tables are the application's: a migration changes them backwards, and again forwards with all the others.
    for words in (["outbox", "0001"], ["--no-input"]):
        moved = database.manage("migrate", *words)
        assert moved.returncode == 0, moved.stderr
    assert database.run("SELECT habilitations_ensure_partitions(26)")[0] == 4
    assert database.run("SELECT habilitations_ensure_partitions(26)") == (0,)
    owners = "SELECT count(*), count(*) FILTER (WHERE tableowner = 'coordination_journal') FROM pg_tables "
    owners += "WHERE tablename ~ '^habilitations_(account)?trace'"
    made, kept = database.run(owners)
    assert made == kept > 50
