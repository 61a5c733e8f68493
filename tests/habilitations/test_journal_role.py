"""The journal in a role of its own (deploy/journal-role.sql): the application writes it and cannot undo it.

On a cluster of its own: making a role takes PostgreSQL's administrator, whom the suite's servers do not let in.
"""

import os
import subprocess
import sys
import tempfile
import uuid
from importlib import import_module
from pathlib import Path

import psycopg
import pytest

from coordination.runtime.account import server_account
from coordination.runtime.backing_up import back_up
from coordination.runtime.places import ROOT, Place
from coordination.runtime.postgres import DATABASE, Cluster
from coordination.runtime.processes import ENVIRONMENT
from coordination.runtime.restoring import GivenServer, restore

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

    def manage(self, *words: str, url: str = "") -> subprocess.CompletedProcess:
        environment = os.environ | {"DATABASE_URL": url or self.cluster.url, "REDIS_URL": "redis://127.0.0.1:9"}
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
        with psycopg.connect(
            self.cluster.url, autocommit=True, options="-c coordination.actor=system:tests"
        ) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchone() if cursor.description else None

    def let_in(self, role: str, *statements: str) -> str:
        """Let a role sign in by what PostgreSQL's administrator does; return its address."""
        self.cluster.stop()
        try:
            assert self.administer(";\n\n".join(statements)) == ""
            rules = self.cluster.data / "pg_hba.conf"
            rules.write_text(rules.read_text() + f"local all {role} trust\n")
        finally:
            self.cluster.start()
        return f"postgres://{role}@{self.cluster.url.partition('@')[2]}"

    def as_administrator(self) -> None:
        """Run deploy/journal-role.sql again, as an upgrade says."""
        self.cluster.stop()
        try:
            assert self.administer((ROOT / "deploy" / "journal-role.sql").read_text()) == ""
        finally:
            self.cluster.start()


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
    (lines,) = database.run(f"SELECT count(*) FROM habilitations_trace WHERE dossier_id = '{DOSSIER}'")
    assert lines >= 2
    assert database.run(f"SELECT seq FROM habilitations_tracehead WHERE dossier_id = '{DOSSIER}'") == (lines,)


@pytest.mark.asvs("v5.0.0-13.2.2", "v5.0.0-16.4.2")
def test_the_application_cannot_give_itself_more(database):
    database.run("GRANT UPDATE, DELETE ON habilitations_trace TO CURRENT_USER")  # PostgreSQL only warns
    asked = "SELECT bool_or(has_table_privilege(t, p)) FROM unnest(ARRAY['habilitations_trace', "
    asked += "'habilitations_accounttrace', 'habilitations_tracehead', 'habilitations_trace_autre']) AS t, "
    asked += "unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES']) AS p"
    assert database.run(asked) == (False,)


@pytest.mark.asvs("v5.0.0-13.2.2", "v5.0.0-16.4.2")
@pytest.mark.parametrize("statement", UNDOING, ids=lambda statement: " ".join(statement.split()[:6]))
def test_the_application_cannot_undo_it(database, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        database.run(statement)


@pytest.mark.req("SEC-22")
def test_the_server_s_own_log_quotes_no_row(database):
    """Whatever the file of the server says: the script that its administrator runs says it for this database."""
    said = "SELECT array_to_string(setconfig, ' ') FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
    (kept,) = database.run(f"{said} WHERE datname = current_database() AND setrole = 0")
    assert "log_error_verbosity=terse" in kept and "log_min_error_statement=panic" in kept


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


@pytest.mark.req("SEC-14", "SECT-13")
def test_a_month_leaves_by_the_role_that_purges(database, tmp_path):
    """From the first word to the last, as docs/operations.md says: the role has what the command asks, and no more."""
    month, of_the_month = "2025_01", "FOR VALUES FROM ('2025-01-01 00:00+00') TO ('2025-02-01 00:00+00')"
    past = [
        statement
        for parent in ("habilitations_trace", "habilitations_accounttrace")
        for statement in (
            f"CREATE TABLE {parent}_{month} (LIKE {parent} INCLUDING DEFAULTS)",
            f"SELECT habilitations_seal_partition('{parent}_{month}')",
            f"ALTER TABLE {parent} ATTACH PARTITION {parent}_{month} {of_the_month}",
        )
    ]
    database.let_in("coordination_purge", *past, "ALTER ROLE coordination_purge LOGIN")
    database.as_administrator()
    url = database.cluster.url.replace("coordination:", "coordination_purge:", 1)
    database.run(LINE.format(dossier=uuid.uuid4()).replace("now()", "'2025-01-05 08:00+00'"))
    named = ("--email", "anna@cabinet.example", "--nom", "ADMIN", "--prenom", "Anna", "--administrateur")
    assert database.manage("create_account", *named).returncode == 0
    kept = tmp_path / "2025-01"
    asked = ("purge_journal", "2025-01", "--par", "anna@cabinet.example", "--archive", str(kept))
    refused = database.manage(*asked)
    assert refused.returncode != 0 and not kept.exists()
    done = database.manage(*asked, url=url)
    assert done.returncode == 0, done.stderr
    assert database.run("SELECT to_regclass('habilitations_trace_2025_01') IS NULL") == (True,)
    for words in (["verify_journal"], ["verify_journal", "--archive", str(kept)]):
        verified = database.manage(*words)
        assert verified.returncode == 0, verified.stdout


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


@pytest.mark.req("REL-15")
def test_the_wall_is_lowered_and_raised_before_the_journal_too(database):
    """Its tables are another role's: the script does before them what the command did before the application's."""

    def behind():
        asked = "SELECT count(*) FILTER (WHERE relforcerowsecurity), count(*) FILTER (WHERE relowner = "
        asked += "'coordination_journal'::regrole AND relforcerowsecurity) FROM pg_class WHERE relnamespace = "
        return database.run(f"{asked}'public'::regnamespace AND (relrowsecurity OR relforcerowsecurity)")

    _, of_the_journal = behind()
    assert of_the_journal > 20
    lowered = database.manage("second_mur", "baisser")
    assert lowered.returncode == 1 and "deploy/journal-role.sql" in lowered.stderr
    assert behind() == (of_the_journal, of_the_journal)
    database.as_administrator()
    assert behind() == (0, 0)
    raised = database.manage("second_mur", "monter")
    assert raised.returncode == 1 and "deploy/journal-role.sql" in raised.stderr
    database.as_administrator()
    assert behind()[1] >= of_the_journal  # months that another test had made are of them
    assert database.manage("second_mur").returncode == 0


def test_an_upgrade_leaves_the_function_of_the_journal_to_the_script(database):
    """`CREATE OR REPLACE` is the owner's: the migration would stop every upgrade there."""
    function = "habilitations_drop_month(date, bigint, uuid, uuid, text)"
    written = f"SELECT prosrc, proowner::regrole::text FROM pg_proc WHERE oid = '{function}'::regprocedure"
    ours = database.run(written)
    assert "lock_not_available" in ours[0]
    for words in (["habilitations", "0026"], ["--no-input"]):
        moved = database.manage("migrate", *words)
        assert moved.returncode == 0, moved.stderr
        assert database.run(written) == ours
    migration = import_module("habilitations.migrations.0027_month_removed_quickly")
    assert migration.DROP_MONTH.strip() in (ROOT / "deploy" / "journal-role.sql").read_text()


@pytest.mark.req("REL-13")
def test_a_backup_is_restored_and_prepared_before_the_journal_has_its_role_again(database, tmp_path, capsys):
    """Everything is the application's there: the chain is moved by a trigger that would have no right to."""
    # As docs/operations-backup.md says.
    made = "CREATE ROLE coordination_backup LOGIN BYPASSRLS IN ROLE pg_read_all_data"
    saved = back_up(str(tmp_path / "un.backup"), database.let_in("coordination_backup", made))
    database.run("CREATE DATABASE restored")
    url = database.cluster.url.replace("/coordination?", "/restored?")
    restore(str(saved), GivenServer(url))
    assert "deploy/journal-role.sql" in capsys.readouterr().out
    with psycopg.connect(url, autocommit=True, options="-c coordination.actor=system:tests") as connection:
        asked = "SELECT prepared_at IS NOT NULL, released_at IS NULL FROM outbox_quarantine"
        assert connection.execute(asked).fetchall() == [(True, True)]
        connection.execute(LINE.format(dossier=DOSSIER))
        for statement in ("DELETE FROM habilitations_tracehead", "UPDATE habilitations_trace SET actor_name = 'y'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    database.run("DROP DATABASE restored")
