"""What the migrations of the product say to PostgreSQL, and what squawk finds dangerous in it (REL-14)."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from coordination.operations.management.commands.migrate import LOCK_WAIT

OURS = {
    "accounts", "agenda", "circle", "directory", "dossiers", "fhir", "habilitations", "outbox", "partners",
}  # fmt: skip
# The oldest that is supported.
POSTGRESQL = "15"
SQUAWK = Path(sys.executable).parent / "squawk"


@dataclass(frozen=True)
class Written:
    """The SQL of one migration; `atomic`: in one transaction, whose locks wait as `manage.py migrate` lets them."""

    name: str
    sql: str
    atomic: bool


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a migration breaks, and in which words."""

    migration: str
    rule: str
    said: str = ""


def written(since: Mapping[str, str] | None = None) -> list[Written]:
    """Return the SQL of the migrations of the product, in the order in which they are applied.

    `since`: {app: its last migration that is left out}; None for all, which takes a minute. Of data that Python
    changes, no SQL can be told. In a connection of its own: some are not atomic.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(_written, since).result()


def _written(since: Mapping[str, str] | None) -> list[Written]:
    try:
        executor = MigrationExecutor(connection)
        plan = [one for one, _ in executor.migration_plan(executor.loader.graph.leaf_nodes(), clean_start=True)]
        asked = [one for one in plan if one.app_label in OURS and (not since or one.name > since[one.app_label])]
        state = executor.loader.project_state([])
        # Nothing of before depends on what was written since: its state is drawn once.
        for migration in plan:
            if migration not in asked:
                state = migration.mutate_state(state, preserve=False)
        found = []
        for migration in asked:
            with connection.schema_editor(collect_sql=True, atomic=migration.atomic) as editor:
                state = migration.apply(state, editor, collect_sql=True)
            found.append(Written(_name(migration), "\n".join(editor.collected_sql), migration.atomic))
        return found
    finally:
        connection.close()


def _name(migration: Migration) -> str:
    return f"{migration.app_label}.{migration.name}"


def findings(migrations: Iterable[Written], folder: Path, *, never: Iterable[str] = ()) -> list[Finding]:
    """Return what squawk finds; `never`: rules that are not asked. Two runs of it: in a transaction, and without."""
    by_way: Mapping[bool, list[str]] = {True: [], False: []}
    for one in migrations:
        file = folder / f"{one.name}.sql"
        file.write_text((f"SET lock_timeout = '{LOCK_WAIT}';\n" if one.atomic else "") + one.sql)
        by_way[one.atomic].append(str(file))
    left_out = [option for rule in never for option in ("--exclude", rule)]
    found = []
    for atomic, files in by_way.items():
        if files:
            way = ["--assume-in-transaction"] if atomic else []
            found += _asked([*way, *left_out, *files])
    return sorted(found)


def _asked(arguments: list[str]) -> list[Finding]:
    command = [str(SQUAWK), "--reporter=json", f"--pg-version={POSTGRESQL}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    # 0: nothing found, 1: something; anything else is squawk itself, which must not pass for nothing.
    if done.returncode not in (0, 1) or not done.stdout.startswith("["):
        raise AssertionError(f"squawk failed: {done.stderr or done.stdout}")
    return [
        Finding(Path(one["file"]).stem, one["rule_name"], one["message"]) for one in json.loads(done.stdout)
    ]  # fmt: skip
