"""`make backup TO=…`: the whole database at one instant, in one file (REL-12)."""

import os
import shutil
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

from coordination.runtime import archive, contents
from coordination.runtime.console import say, step
from coordination.runtime.database import BEHIND_THE_WALL, connect, environment_of, major_of
from coordination.runtime.places import ROOT
from coordination.runtime.problems import Problem, explain_os_error, explain_tool_output
from coordination.runtime.programs import Postgres, find_tools

JOBS = 2
SUFFIX = ".backup"
# How often a long step says how far it is.
SAID_EVERY = 10


def back_up(target: str, url: str) -> Path:
    """Write the backup of a database; return its file. Raises Problem, and leaves nothing behind then.

    `target`: a file that does not exist, or a folder in which one is named by the moment.
    """
    started = time.monotonic()
    with connect(url) as connection:
        tools = find_tools(major_of(connection))
        made_at, size = _moment_and_size(connection)
        path = _destination(target, made_at)
        say(f"Backup of {size / 1e6:,.0f} MB of PostgreSQL {major_of(connection)}")
        with in_words("the backup"), draft_folder(path.parent) as draft:
            manifest = _taken(connection, url, tools, draft)
            with step("Writing the file"):
                archive.write(path, draft / "dump", manifest)
    rows = sum(table[0] for table in manifest["tables"].values())
    say(
        f"{path}: {path.stat().st_size / 1e6:,.1f} MB, {len(manifest['tables'])} tables, {rows:,} rows, "
        f"{time.monotonic() - started:.0f} s. It holds everything: keep it encrypted, away from this machine, "
        "and SECRET_KEY, JOURNAL_KEYS and the other keys elsewhere."
    )
    return path


def _taken(connection: psycopg.Connection, url: str, tools: Postgres, draft: Path) -> dict[str, Any]:
    """Dump into `draft`/dump and describe the same instant; return the manifest."""
    dump = draft / "dump"
    with connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot, made_at = _one(connection, "SELECT pg_export_snapshot(), now()")
        with watched("Copying the data", dump):
            command = [tools.program("pg_dump"), "--format=directory", f"--jobs={JOBS}", f"--snapshot={snapshot}"]
            run_tool([*command, BEHIND_THE_WALL, f"--file={dump}"], environment_of(url))
        with step("Counting and hashing every table"):
            tables = contents.describe(url, snapshot)
        migrations = list(connection.execute("SELECT app, name FROM django_migrations ORDER BY app, name"))
        return {
            "made_at": made_at.isoformat(),
            "version": _version(),
            "server": major_of(connection),
            "tool": tools.major,
            "schema": {app: name for app, name in migrations},
            "migrations": [list(one) for one in migrations],
            "tables": tables,
            "withheld": contents.withheld_of(connection),
            "journal_root": _journal_root(connection),
        }


def _moment_and_size(connection: psycopg.Connection) -> tuple[Any, int]:
    moment, size, product = _one(
        connection, "SELECT now(), pg_database_size(current_database()), to_regclass('django_migrations') IS NOT NULL"
    )
    if not product:
        raise Problem("This database does not hold Coordination: there is nothing to back up.")
    return moment, size


def _journal_root(connection: psycopg.Connection) -> str:
    """The last signed root, as `verify_journal --racine` takes it; "" when there is none."""
    found = connection.execute(
        "SELECT number || ':' || encode(signature, 'hex') FROM habilitations_journalroot ORDER BY number DESC LIMIT 1"
    ).fetchone()
    return found[0] if found else ""


def _one(connection: psycopg.Connection, statement: str) -> Any:
    return connection.execute(statement).fetchone()


def _version() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def _destination(target: str, moment: Any) -> Path:
    path = Path(target).expanduser().resolve()
    if path.is_dir():
        path /= f"coordination-{moment:%Y%m%d-%H%M%S}{SUFFIX}"
    if path.exists():
        raise Problem(f"{path} exists already: a backup replaces no other. Give another name.")
    if not path.parent.is_dir():
        raise Problem(f"The folder {path.parent} does not exist: make it, or give another place.")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise Problem(f"This account may not write in {path.parent}: give it that folder, or give another place.")
    return path


@contextmanager
def draft_folder(beside: Path) -> Iterator[Path]:
    """A private folder on the same disk, removed whatever happens."""
    folder = Path(tempfile.mkdtemp(prefix=".coordination-", dir=beside))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def in_words(what: str) -> Iterator[None]:
    """Turn what a database or a system says into a sentence."""
    try:
        yield
    except OSError as error:
        raise explain_os_error(error) from error
    except psycopg.OperationalError as error:
        raise explain_tool_output(f"The database, during {what},", str(error)) from error


def run_tool(command: Sequence[str], environment: dict[str, str]) -> None:
    """Run a tool of PostgreSQL to its end. Raises Problem with what it said."""
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise explain_tool_output(Path(command[0]).name, done.stderr)


@contextmanager
def watched(label: str, folder: Path) -> Iterator[None]:
    """As `step`, and every few seconds the size of what is in `folder`."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(SAID_EVERY):
            print(f"{_size_of(folder) / 1e6:,.0f} MB … ", end="", flush=True)

    teller = threading.Thread(target=tell, daemon=True)
    with step(label):
        teller.start()
        try:
            yield
        finally:
            over.set()
            teller.join()


def _size_of(folder: Path) -> int:
    try:
        return sum(entry.stat().st_size for entry in os.scandir(folder))
    except OSError:
        return 0
