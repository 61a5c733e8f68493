"""`make bench`: every speed goal as a ratio to a yardstick measured in the same run.

Each module of this folder exposes `run(full) -> list[Figure as dict]`. `FULL=1` uses the national size.
Figures are printed and added to docs/bench-history.csv, from which docs/bench.md, the pages of OWN_PAGE (national
size: docs/bench-national.md and so on) and docs/performance.md are drawn: a run of some modules leaves the rows of
the others.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import django

from coordination.runtime.services import embedded
from tests.bench import history, performance, written

MODULES = (
    "pages",
    "weights",
    "phone",
    "acts",
    "search",
    "directory_import",
    "journal",
    "readers",
    "chains",
    "months",
    "jobs",
    "overload",
    "energy",
    "neighbours",
    "starting",
    "rls",
    "file_active",
    "impact",
    "decisions",
    "fhir",
    "hapi",
    "slots",
    "finder",
    "agendas",
    "week",
    "feeds",
    "nation",
)
# Modules whose figures have a page of their own.
OWN_PAGE = (
    {"fhir": "bench-fhir", "hapi": "bench-hapi", "phone": "bench-phone", "acts": "bench-acts"}
    | {"nation": "bench-nation"}
    | dict.fromkeys(("slots", "finder", "agendas", "week", "feeds"), "bench-agenda")
    | dict.fromkeys(("chains", "months", "jobs", "overload", "energy", "neighbours", "starting"), "bench-load")
)
PAGES = {name: OWN_PAGE.get(name, "bench") for name in MODULES}
ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
HISTORY = DOCS / "bench-history.csv"


def _hush() -> None:
    """The product's log lines are written, as in production, and nobody keeps them: the table alone is to be read."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(open(os.devnull, "w"))  # noqa: SIM115 - as long as the process


def _commit() -> str:
    """Return the short name of the commit measured, with a + when files differ from it; « – » out of a repository."""
    asked = {"cwd": ROOT, "capture_output": True, "text": True, "check": False}
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **asked).stdout.strip()
    changed = subprocess.run(["git", "status", "--porcelain", "--", ":!docs"], **asked).stdout.strip()
    return (name or "–") + ("+" if name and changed else "")


def _module(name: str):
    return importlib.import_module(f"tests.bench.{name}")


def _measure(names: Iterable[str], full: bool) -> Iterator[list[history.Line]]:
    """Run modules in turn and yield the lines of each: what is measured is kept, whatever falls after it."""
    cores = os.cpu_count() or 1
    run = {
        "at": dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": _commit(), "cores": cores,
        "size": history.NATIONAL if full else history.SHORT,
        "machine": history.machine_of(os.getloadavg()[0], cores),
    }  # fmt: skip
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    # Durable servers, as in production: what a page writes waits for the disk.
    with embedded("bench") as given:
        os.environ.update(given)
        django.setup()
        _hush()
        for name in names:
            print(f"… {name}", file=sys.stderr, flush=True)
            yield [history.of_figure(figure, **run, module=name) for figure in _module(name).run(full)]


def _write(lines: list[history.Line], measured: set[str], size: str) -> None:
    """Draw the pages of the modules measured (all of them when there is none), and the page of the goals.

    What stands under the table of a page stays, unless the module that says it was measured.
    """
    modules = history.last(lines, size)
    for page in {PAGES[name] for name in measured or modules}:
        own = {name: modules[name] for name in MODULES if PAGES[name] == page and name in modules}
        changes = {line: history.worse_by(line, lines) for kept in own.values() for line in kept}
        full = size == history.NATIONAL
        there = DOCS / f"{page}{'-national' if full else ''}.md"
        said = [_module(name).notes(full) for name in own if name in measured and hasattr(_module(name), "notes")]
        notes = "\n".join(said) or (written.under_the_table(there.read_text()) if there.exists() else "")
        there.write_text(written.page(own, changes, size, notes))
    (DOCS / "performance.md").write_text(performance.page(performance.read(), lines, PAGES))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=")
    parser.add_argument("modules", nargs="*", help=f"some of: {', '.join(MODULES)}")
    parser.add_argument("--no-report", action="store_true", help="print only, leave the history and the pages alone")
    parser.add_argument("--draw", action="store_true", help="measure nothing: draw every page again from the history")
    args = parser.parse_args()
    unknown = set(args.modules) - set(MODULES)
    if unknown:
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    before = history.read(HISTORY)
    if args.draw:
        for size in written.SIZES:
            _write(before, set(), size)
        return 0
    full = os.environ.get("FULL") == "1"
    lines: list[history.Line] = []
    try:
        for measured in _measure(args.modules or MODULES, full):
            lines += measured
            if not args.no_report:
                history.append(HISTORY, measured)
    finally:
        if lines and not args.no_report:
            _write([*before, *lines], {line.module for line in lines}, lines[0].size)
    changes = {line: history.worse_by(line, before) for line in lines}
    drawn = written.table([written.cells(line, changes[line]) for line in lines])
    print(written.in_red(drawn) if sys.stdout.isatty() else drawn)
    risen = any(map(history.has_risen, changes.values()))
    return 1 if risen or any(line.kept == "NO" for line in lines) else 0


if __name__ == "__main__":
    sys.exit(main())
