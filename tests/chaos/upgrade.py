"""REL-14: the former version serves, under a load, while this one's `manage.py migrate` changes its database.

Its data are there, and somebody reads for a long time what is about to change. The former version is that of a
commit, taken out of the history; what this one adds to the schema is undone first, then done again under the load.
"""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from habilitations import second_wall
from tests.bench import servers
from tests.chaos import judging, load, town
from tests.chaos.figures import Figure
from tests.chaos.stage import Stage, judge_connection, opened

# The former version: the last commit of it. At each release, that of the release before.
FORMER = "28e973f"
# Longer than `migrate` waits for a lock, and than a page may take.
LONG_READ = 6.0
SLOWEST = 1.0
READ = 'SELECT count(*) FROM "{}"'


@dataclass
class Outcome:
    """`changed`: the migrations done under the load; `gave_way`: how often one left its place to those who work."""

    changed: list[str] = field(default_factory=list)
    attempts: list[load.Attempt] = field(default_factory=list)
    verdict: judging.Verdict = field(default_factory=judging.Verdict)
    seconds: float = 0.0
    gave_way: int = 0
    said: str = ""


def run(*, dossiers: int, rate: float, pause: float, seed: int) -> Outcome | None:
    """Upgrade under a load; None where the history does not hold the former version (a shallow clone)."""
    with former() as root, opened() as stage, town.over(stage.database_url):
        if root is None:
            return None
        there = town.build(dossiers)
        outcome = Outcome(changed=_undone(root))
        connection.close()
        stage.root = root
        stage.open()
        acts = load.Acts(there, random.Random(seed), without=_unknown_to(root))
        with load.running(stage.port, acts, rate=rate, threads=24) as running:
            began = time.time()
            time.sleep(pause)
            _migrate(stage, outcome)
            time.sleep(pause)
            outcome.attempts = running.since(began)
        if not outcome.said:
            outcome.verdict = judging.judge(stage, running.acts)
        return outcome


@contextmanager
def former() -> Iterator[Path | None]:
    """Give the tree of the former version, out of the history of this one."""
    taken = subprocess.run(["git", "archive", FORMER], cwd=servers.ROOT, capture_output=True, check=False)
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        if taken.returncode:
            yield None
            return
        with tarfile.open(fileobj=io.BytesIO(taken.stdout)) as tree:
            tree.extractall(folder, filter="data")
        # Served with the settings of the scenarios, which it may be older than.
        shutil.copytree(servers.ROOT / "tests" / "chaos", Path(folder) / "tests" / "chaos", dirs_exist_ok=True)
        yield Path(folder)


def _unknown_to(root: Path) -> frozenset[str]:
    """Return the kinds of acts that a version has no page for."""
    rooms = {"appointment": root / "agenda" / "urls.py", "fhir": root / "coordination" / "fhir" / "urls.py"}
    return frozenset(kind for kind, urls in rooms.items() if not urls.exists())


def _undone(root: Path) -> list[str]:
    """Undo the migrations that the former version does not have; return their names."""
    executor = MigrationExecutor(connection)
    known = {(path.parent.parent.name, path.stem) for path in root.glob("**/migrations/[0-9]*.py")}
    ours = {key for key, one in executor.loader.disk_migrations.items() if _is_ours(one)}
    new = sorted(ours - known)
    if not (root / "habilitations" / "second_wall.py").exists():
        # A version that says to nobody for whom it reads: its database has none.
        second_wall.lower_wall()
    for app in {app for app, _ in new}:
        before = sorted(name for label, name in ours if label == app and (label, name) not in new)
        call_command("migrate", app, before[-1] if before else "zero", verbosity=0)
    return [f"{app}.{name}" for app, name in new]


def _is_ours(migration) -> bool:
    return migration.__module__.partition(".")[0] in ("agenda", "circle", "coordination", "habilitations")


def _migrate(stage: Stage, outcome: Outcome) -> None:
    """Run this version's `migrate`, while somebody reads the tables that it changes."""
    reading = threading.Thread(target=_read_for_long, args=[stage, outcome.changed])
    reading.start()
    time.sleep(0.5)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input"], cwd=servers.ROOT, capture_output=True, text=True,
        env=stage.environment(stage.logs / "static") | {"PYTHONPATH": str(servers.ROOT)}, timeout=300, check=False,
    )  # fmt: skip
    outcome.seconds = time.monotonic() - began
    outcome.gave_way = done.stderr.count("Nouvel essai")
    outcome.said = "" if done.returncode == 0 else (done.stderr or done.stdout)[-300:]
    reading.join()


def _read_for_long(stage: Stage, changed: list[str]) -> None:
    apps = {name.partition(".")[0] for name in changed}
    with judge_connection(stage) as reader, reader.transaction():
        tables = reader.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            if table.partition("_")[0] in apps:
                reader.execute(READ.format(table))
        time.sleep(LONG_READ)


def figures(outcome: Outcome | None) -> list[Figure]:
    if outcome is None:
        return [Figure("REL-14", "Upgrade from the former version", "NOT TRIED: its commit is not in this history")]
    bad = [one for one in outcome.attempts if not 200 <= one.status < 400]
    seconds = [one.seconds for one in outcome.attempts]
    answers = ", ".join(f"{count} {what}" for what, count in load.statuses(outcome.attempts).most_common())
    p99 = load.percentile(seconds, 0.99)
    said = (
        f"{answers}; p99 {p99:.2f} s, slowest {max(seconds, default=0):.1f} s; {outcome.seconds:.0f} s, gave way "
        f"{outcome.gave_way} times; {outcome.said or '; '.join(outcome.verdict.wrong) or 'nothing lost'}"
    )
    what = f"{len(outcome.changed)} migrations while version {FORMER} serves and a reader holds their tables"
    kept = not bad and not outcome.said and not outcome.verdict.wrong and p99 < SLOWEST
    return [Figure("REL-14", what, said, f"0 not 2xx, p99 < {SLOWEST:.0f} s, 0 lost", kept)]
