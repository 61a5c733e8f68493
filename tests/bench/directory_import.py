"""Loads of the activity file against a bare COPY of the same bytes (quality goal PERF-13).

FINESS is there first, as README and the demonstration do. Each load runs in a process of its own; a bare COPY is
measured before and after, and the middle of them is the yardstick: the same bytes, as they are, into one plain
logged table of 57 text columns without any index. Both share the machine: its load is told with the figures.
Memory: the processes of the load together, the pages they share counted once (PSS), looked at five times a second.
Runs by itself too: `python -m tests.bench.directory_import [--full]`.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from tests.bench import search

PEOPLE, FULL_PEOPLE = 175_000, 1_910_000
MEMORY_GOAL = 300
SEARCHES = 100
PAUSE = 0.02


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}. Makes and drops a database of its own."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from coordination.directory.generator import generate

    kept = connection.settings_dict["NAME"]
    own = f"bench_import_{uuid.uuid4().hex[:8]}"
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{own}"')
    connection.close()
    connection.settings_dict["NAME"] = own
    try:
        call_command("migrate", verbosity=0)
        with tempfile.TemporaryDirectory() as folder:
            made = generate(Path(folder), professionals=FULL_PEOPLE if full else PEOPLE, structures=20_000, seed=3)
            call_command("import_finess", str(made.finess_json), lignes_min=1, verbosity=0)
            return _measure(made.activities, made.activity_count)
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{own}" WITH (FORCE)')


def _measure(path: Path, rows: int) -> list[dict]:
    before = _bare_copies(path)
    first, memory = _load(path)
    between = _bare_copies(path)
    durable = statistics.median(_durable_copy(path) for _ in range(2))
    # Nothing left to do for the server by itself, whose writing would be counted with that of a reload.
    _execute("VACUUM ANALYZE")
    written, logged = _rows_written(), _log_position()
    reloads = [_load(path) for _ in range(3)]
    written, logged = _rows_written() - written, (_log_position() - logged) / len(reloads)
    after = _bare_copies(path)
    changed_path = _with_changes(path)
    changed, _ = _load(changed_path)
    reload = statistics.median(seconds for seconds, _ in reloads)
    memory = max(memory, *(peak for _, peak in reloads))
    copy_first = statistics.median(before + between)
    copy_again = statistics.median(between + after)
    return [
        _figure(f"Import of {rows} activities, first load with all indexes", first, copy_first, 8),
        {
            **_figure("The same against a COPY as durable", first, durable, None),
            "yardstick": f"COPY into a table that is there, committed {durable:.1f} s",
        },
        _figure("Import, unchanged file", reload, copy_again, 2),
        _figure("Import, one line in a hundred changed", changed, copy_again, None),
        {
            "name": "Import, peak memory, all processes together",
            "value": f"{memory} MB",
            "ratio": None,
            "yardstick": "",
            "goal": f"≤ {MEMORY_GOAL} MB",
            "ok": memory <= MEMORY_GOAL,
        },
        {
            "name": "Import, unchanged file: rows written in the directory, write-ahead log of a reload",
            "value": f"{written} rows, {logged / 1e6:.2f} MB",
            "ratio": None,
            "yardstick": "",
            "goal": "0 row, < 1 MB",
            "ok": written == 0 and logged < 1_000_000,
        },
        *_searches_during(path, changed_path),
    ]


def _figure(name: str, seconds: float, yardstick: float, goal: int | None) -> dict:
    ratio = seconds / yardstick
    return {
        "name": name,
        "value": f"{seconds:.1f} s",
        "ratio": ratio,
        "yardstick": f"bare COPY {yardstick:.1f} s, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores",
        "goal": f"≤ {goal} ×" if goal else "",
        "ok": ratio <= goal if goal else None,
    }


def _searches_during(path: Path, changed_path: Path) -> list[dict]:
    """The same searches on a quiet base, then while one person in a hundred changes: three loads in a row."""
    with search.server() as product:
        texts = [f"{person.family} {person.given} {person.town}" for person in search.sample(SEARCHES)]
        for text in texts:
            product.ask(text)
        quiet = _times(product, texts, lambda asked: asked < 3 * SEARCHES)
        busy: list[float] = []
        for loaded in (path, changed_path, path):
            with _loading(loaded) as child:
                busy += _times(product, texts, lambda _, child=child: child.poll() is None)
    figures = []
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        calm, during = (sorted(times)[int(len(times) * share)] * 1000 for times in (quiet, busy))
        figures.append(
            {
                "name": f"Directory search while a load runs, {name} ({len(busy)} searches)",
                "value": f"{during:.1f} ms",
                "ratio": during / calm,
                "yardstick": f"quiet base {calm:.1f} ms",
                "goal": "≤ 1.5 ×",
                "ok": during / calm <= 1.5,
            }
        )
    return figures


def _times(product: search.Server, texts: list[str], goes_on: Callable[[int], bool]) -> list[float]:
    """Seconds of searches that follow each other at a human pace, from one connection."""
    times: list[float] = []
    while goes_on(len(times)):
        times.append(product.ask(texts[len(times) % len(texts)]))
        time.sleep(PAUSE)
    return times


def _rows_written() -> int:
    """Rows inserted, changed or deleted in the directory since it was made; its journal of loads apart."""
    # A server process that ends tells what it did a moment later.
    time.sleep(1)
    return _scalar(
        "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
        " WHERE relname LIKE 'directory\\_%' AND relname NOT LIKE 'directory\\_import%'"
    )


def _log_position() -> int:
    return _scalar("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")


def _execute(sql: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)


def _scalar(sql: str) -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def _bare_copies(path: Path, times: int = 2) -> list[float]:
    """Seconds to COPY the file as it is into a table of 57 text columns, logged as the directory's own are.

    The table is made by the same transaction and thrown away: where nothing is replicated its rows never reach the
    write-ahead log nor the disk, which a load does wait for. The yardstick is severe.
    """
    from django.db import transaction

    found = []
    for _ in range(times):
        with transaction.atomic():
            _execute(_BARE)
            started = time.perf_counter()
            _copy(path)
            found.append(time.perf_counter() - started)
            _execute("DROP TABLE bare")
    return found


def _durable_copy(path: Path) -> float:
    """Seconds of the same COPY into a table that is there already, committed: as durable as what a load leaves."""
    from django.db import transaction

    _execute(_BARE)
    started = time.perf_counter()
    with transaction.atomic():
        _copy(path)
    seconds = time.perf_counter() - started
    _execute("DROP TABLE bare")
    return seconds


_BARE = f"CREATE TABLE bare ({', '.join(f'c{n} text' for n in range(57))})"


def _copy(path: Path) -> None:
    from django.db import connection

    with (
        connection.cursor() as cursor,
        cursor.copy("COPY bare FROM STDIN (DELIMITER '|', NULL '')") as out,
        path.open("rb") as file,
    ):
        while block := file.read(1 << 18):
            out.write(block.replace(b"\\", b"/"))


def _with_changes(path: Path) -> Path:
    """The same file the next day: one person in a hundred has another telephone."""
    target = path.with_name(path.name.replace("0620", "0621"))
    with path.open(encoding="utf-8") as source, target.open("w", encoding="utf-8") as out:
        for number, line in enumerate(source):
            out.write(line.replace("|053649", "|053640", 1) if number % 70 == 5 else line)
    return target


_CHILD = """
import pathlib, sys, time, django
django.setup()
from coordination.directory.imports.rpps import import_rpps
from coordination.directory.imports.runs import Options
started = time.perf_counter()
import_rpps([pathlib.Path(sys.argv[1])], Options(min_rows=0, max_rows=10_000_000))
print(time.perf_counter() - started)
"""


@contextmanager
def _loading(path: Path) -> Iterator[subprocess.Popen]:
    """Load in a process of its own. Raises RuntimeError when it fails."""
    from django.db import connection

    s = connection.settings_dict
    # A folder of sockets goes in the query, whatever the kind of address.
    url = f"postgres://{s['USER']}:{quote(s['PASSWORD'])}@/{s['NAME']}?host={s['HOST']}&port={s['PORT']}"
    environment = {**os.environ, "DATABASE_URL": url}
    command = [sys.executable, "-c", _CHILD, str(path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:  # noqa: S603 - ours
        yield child
    if child.returncode:
        raise RuntimeError(f"the load failed ({child.returncode})")


def _load(path: Path) -> tuple[float, int]:
    """Return the seconds of a load and its peak of memory in MB."""
    with _loading(path) as child:
        peak = 0
        while child.poll() is None:
            peak = max(peak, _memory(child.pid))
            time.sleep(0.2)
        answer = child.stdout.read() if child.stdout else ""
    return float(answer.split()[-1]), peak // 1024


def _memory(pid: int) -> int:
    """Kilobytes of a process and of those it started; shared pages are divided among those that share them."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = next((int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")), 0)
    return own + sum(_memory(int(child)) for child in children)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    for figure in run("--full" in sys.argv):
        print(figure)  # noqa: T201
