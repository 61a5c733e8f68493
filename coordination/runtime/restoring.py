"""`make restore FROM=…`: a backup into an empty database, verified, and left in quarantine (REL-12, REL-13).

The quarantine is written before the first row of data: a worker that wakes up meanwhile finds the gate closed.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import psycopg
from psycopg import sql

from coordination.runtime import contents
from coordination.runtime.archive import Backup, opened
from coordination.runtime.backing_up import JOBS, draft_folder, in_words, run_tool
from coordination.runtime.console import say, step
from coordination.runtime.database import BEHIND_THE_WALL, connect, environment_of, major_of
from coordination.runtime.places import ROOT
from coordination.runtime.problems import Problem, explain_tool_output
from coordination.runtime.programs import Postgres, find_tools

QUARANTINE = "outbox_quarantine"
# Of these sessions only: what a restoration loses with the machine is done again from its file.
FASTER = {"synchronous_commit": "off", "maintenance_work_mem": "256MB"}
# The end of each chain of the journal is moved by a trigger, with the rights of who owns it: in a backup whose journal
# has a role of its own that role, here the product's until deploy/journal-role.sql is run again.
MOVED = "public.habilitations_tracehead"
LEFT_TO_ITS_OWNER = f"REVOKE DELETE, TRUNCATE ON {MOVED} FROM CURRENT_USER"
JOURNAL_APART = (
    "The journal had a role of its own, which a backup does not bring: PostgreSQL's administrator runs "
    "deploy/journal-role.sql before anybody works here."
)
NOT_USED = "Do not use this database: empty it, and restore again from this backup or an older one."
NO_AMCHECK = (
    "  The indexes were not read again: this role may not use amcheck. The administrator of PostgreSQL can: "
    "pg_amcheck --install-missing --heapallindexed DATABASE"
)
# As pg_restore lists them: « 3999; 3256 16500 POLICY public circle_member declared coordination ».
_OF_THE_WALL = re.compile(r"\d+; \d+ \d+ (ROW SECURITY|POLICY) ")
_INDEXES = sql.SQL("""
SELECT {check}(c.oid::regclass, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
JOIN pg_am a ON a.oid = c.relam
WHERE a.amname = 'btree' AND c.relkind = 'i' AND i.indisvalid AND c.relpersistence = 'p'
    AND c.relnamespace = 'public'::regnamespace""")


class Server(Protocol):
    """Where the data go. `url` is asked each time: reading the data files again may move a server of ours."""

    @property
    def url(self) -> str: ...

    def check_data(self) -> bool:
        """Read tables and indexes again (amcheck); False when that is not possible here. Raises Problem."""
        ...


class GivenServer:
    """A server that somebody else runs, at DATABASE_URL."""

    def __init__(self, url: str) -> None:
        self.url = url

    def check_data(self) -> bool:
        """Read every B-tree index against its table, where the role may."""
        with connect(self.url) as connection:
            allowed = connection.execute(
                "SELECT p.oid::regproc::text FROM pg_proc p WHERE p.proname = 'bt_index_check' AND p.pronargs = 2"
                " AND has_function_privilege(p.oid, 'EXECUTE')"
            ).fetchone()
            if allowed is None:
                return False
            try:
                connection.execute(_INDEXES.format(check=sql.SQL(allowed[0])))
            except psycopg.errors.IndexCorrupted as error:
                raise Problem(f"An index does not say what its table says: {error}. {NOT_USED}") from None
        return True


def restore(source: str, server: Server, begins: Callable[[], object] = lambda: None) -> None:
    """Put a backup into an empty database. Raises Problem: nothing was changed, or the database is not to be used.

    `begins` is called before the first change, once nothing more is in the way.
    """
    started = time.monotonic()
    with opened(Path(source).expanduser().resolve()) as backup, in_words("the restoration"):
        with connect(server.url) as connection:
            tools = _suitable(backup, connection)
            say(f"Restoring the backup of {backup.manifest['made_at']} (version {backup.manifest['version']})")
            with draft_folder(_work_folder(backup.path)) as draft:
                with step("Checking the file"):
                    backup.extract(draft)
                begins()
                _put_back(backup, connection, server.url, tools, draft)
            _compare(backup, connection, server.url)
        with step("Reading the data files again (amcheck)"):
            checked = server.check_data()
        if not checked:
            say(NO_AMCHECK)
        _hand_to_the_product(backup, server.url)
    withheld = backup.manifest["withheld"]
    if any("INSERT" in one and f" ON {MOVED} " in one for one in withheld):
        say(JOURNAL_APART)
    say(
        f"Restored and verified in {time.monotonic() - started:.0f} s. The installation is in QUARANTINE: no mail and "
        "no exchange leaves, sessions and tokens are void.\nLook at what waits: .venv/bin/python manage.py quarantaine"
        "\nThen release it: .venv/bin/python manage.py quarantaine lever --par ADDRESS   (docs/operations-backup.md)"
    )


# --- Before anything is changed ---------------------------------------------------------------------


def _suitable(backup: Backup, connection: psycopg.Connection) -> Postgres:
    """The tools for this backup and this server, once everything that would stop half-way was looked at."""
    manifest = backup.manifest
    if major_of(connection) < manifest["server"]:
        raise Problem(
            f"This backup was made on PostgreSQL {manifest['server']}; this server is a PostgreSQL "
            f"{major_of(connection)}, which is older. Restore it on {manifest['server']} or newer."
        )
    if unknown := _unknown_migrations(manifest["migrations"]):
        raise Problem(
            f"This backup was made by a newer version of Coordination ({manifest['version']}): this one does not know "
            f"{unknown[0]}. Install that version first."
        )
    if tables := contents.tables_of(connection):
        raise Problem(
            f"The database is not empty ({len(tables)} tables): a backup is restored on an empty one only. "
            "With the embedded server, move the folder .data/run aside; with your own, create another database."
        )
    others = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchone()
    if others and others[0]:
        raise Problem(f"{others[0]} other programs use this database: stop the web servers and the workers first.")
    return find_tools(max(major_of(connection), manifest["tool"]))


def _unknown_migrations(applied: Sequence[Sequence[str]]) -> list[str]:
    """Those of our own rooms that this checkout does not have; a library's are told by Django."""
    folders = {path.parent.name: path for path in ROOT.glob("*/migrations")}
    folders |= {path.parent.name: path for path in (ROOT / "coordination").glob("*/migrations")}
    return [f"{app}.{name}" for app, name in applied if app in folders and not (folders[app] / f"{name}.py").exists()]


def _work_folder(source: Path) -> Path:
    """Where the parts of the file are put: beside it, or in TMPDIR when it is on something that cannot be written."""
    return source.parent if os.access(source.parent, os.W_OK) else Path(tempfile.gettempdir())


# --- The data ----------------------------------------------------------------------------------------


def _put_back(backup: Backup, connection: psycopg.Connection, url: str, tools: Postgres, draft: Path) -> None:
    environment = environment_of(url, FASTER)
    command = [tools.program("pg_restore"), "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments"]
    command += [BEHIND_THE_WALL, f"--dbname={connection.info.dbname}", str(draft)]
    try:
        with step("Tables"):
            run_tool([*command, "--section=pre-data"], environment)
            ours = _close_gate(connection, backup.manifest["made_at"])
        with step(f"Rows ({backup.size / 1e6:,.0f} MB)"):
            run_tool([*command, "--section=data", f"--jobs={JOBS}"], environment)
            if ours:
                _keep_one_quarantine(connection, ours)
        with step("Indexes and constraints"):
            walls, others = _post_data(tools, draft)
            run_tool([*command, f"--use-list={others}", f"--jobs={JOBS}"], environment)
            run_tool([*command, f"--use-list={walls}"], environment)
    except Problem as problem:
        raise Problem(f"{problem}\n{NOT_USED}") from problem
    with step("Grants and statistics"):
        for statement in backup.manifest["withheld"]:
            connection.execute(_withheld_here(statement).encode())
        connection.execute("ANALYZE")


def _post_data(tools: Postgres, draft: Path) -> tuple[Path, Path]:
    """Two lists of what follows the rows: row-level security, and what comes before it.

    A table has its security enabled, then its rule, and shows no row between the two, even to its owner: a foreign key
    that is verified at that moment beside finds nothing of what it names, and the restoration stops.
    """
    listed = subprocess.run(
        [tools.program("pg_restore"), "--list", "--section=post-data", str(draft)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip
    if listed.returncode:
        raise explain_tool_output("pg_restore", listed.stderr)
    lines = [line for line in listed.stdout.splitlines() if not line.startswith(";")]
    walls, others = draft / "walls.list", draft / "others.list"
    walls.write_text("\n".join(line for line in lines if _OF_THE_WALL.match(line)))
    others.write_text("\n".join(line for line in lines if not _OF_THE_WALL.match(line)))
    return walls, others


def _withheld_here(statement: str) -> str:
    return LEFT_TO_ITS_OWNER if f" ON {MOVED} " in statement else statement


def _close_gate(connection: psycopg.Connection, backup_at: str) -> str:
    """Write the quarantine; return its id, "" when the backup is older than the table of quarantines."""
    found = connection.execute("SELECT to_regclass(%s) IS NOT NULL", [QUARANTINE]).fetchone()
    if not (found and found[0]):
        return ""
    key = str(uuid.uuid4())
    connection.execute(
        "INSERT INTO outbox_quarantine (id, backup_at, opened_at) VALUES (%s, %s, now())", [key, backup_at]
    )
    return key


def _keep_one_quarantine(connection: psycopg.Connection, ours: str) -> None:
    """A backup made in quarantine brings its own, which stands as well: one is enough, and one is allowed."""
    connection.execute(
        "DELETE FROM outbox_quarantine WHERE id = %s"
        " AND EXISTS (SELECT FROM outbox_quarantine WHERE released_at IS NULL AND id <> %s)",
        [ours, ours],
    )


def _compare(backup: Backup, connection: psycopg.Connection, url: str) -> None:
    expected = backup.manifest["tables"]
    with step("Comparing every table with the backup"):
        found = contents.describe(url, leave_out=_added(connection, expected))
    if wrong := contents.differences(expected, found):
        more = f"\n… and {len(wrong) - 10} more." if len(wrong) > 10 else ""
        raise Problem(f"What was restored is not what was saved. {NOT_USED}\n" + "\n".join(wrong[:10]) + more)


def _added(connection: psycopg.Connection, expected: contents.Tables) -> Mapping[str, str]:
    """The quarantine that we wrote, which the backup does not have."""
    name = f"public.{QUARANTINE}"
    if name not in expected:
        return {}
    rows = connection.execute("SELECT id::text FROM outbox_quarantine WHERE released_at IS NULL").fetchall()
    count = connection.execute("SELECT count(*) FROM outbox_quarantine").fetchone()
    return {name: rows[0][0]} if rows and count and count[0] > expected[name][0] else {}


# --- The product -------------------------------------------------------------------------------------


def _hand_to_the_product(backup: Backup, url: str) -> None:
    """Bring the schema to this version, verify the journal, end the secrets: Django's part, in its own processes."""
    environment = os.environ | {"DATABASE_URL": url}
    environment.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.dev")
    root = backup.manifest["journal_root"]
    known = ["--racine", root] if root else []
    with step("Migrations"):
        _manage(["migrate", "--no-input"], environment, "The schema could not be brought to this version.")
    # Behind a pooler of transactions there is none (habilitations/second_wall.py).
    if environment.get("DATABASE_POOLER") != "transaction":
        with step("The second wall"):
            _manage(
                ["second_mur", "monter"], environment, "Row-level security could not be raised before the dossiers."
            )
    with step("The journal of accesses"):
        _manage(
            ["verify_journal", *known], environment,
            "The journal does not verify. If this installation has another SECRET_KEY or other JOURNAL_KEYS than the "
            "one that was saved, give it those; else the backup is not what the journal was.",
        )  # fmt: skip
    with step("Quarantine"):
        _manage(
            ["quarantaine", "preparer", "--sauvegarde", backup.manifest["made_at"]], environment,
            "The quarantine stands, but is not prepared: run this command again.",
        )  # fmt: skip


def _manage(arguments: list[str], environment: Mapping[str, str], otherwise: str) -> None:
    command = [sys.executable, str(ROOT / "manage.py"), *arguments]
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-6:])
        raise Problem(f"{otherwise}\n`manage.py {' '.join(arguments)}` said:\n{said}")
