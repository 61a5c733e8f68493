"""`make bench`: every speed goal as a ratio to a yardstick measured in the same run.

Each module of this folder exposes `run(full) -> list[Figure as dict]`. `FULL=1` uses the national size.
Figures are printed and written to docs/bench.md (national size: docs/bench-national.md), so that a change of ratio
is seen in a diff.
"""

from __future__ import annotations

import argparse
import datetime as dt
import importlib
import logging
import os
import platform
import sys
from pathlib import Path

import django

from coordination.runtime.services import embedded

MODULES = (
    "pages",
    "weights",
    "search",
    "directory_import",
    "journal",
    "readers",
    "file_active",
    "impact",
    "decisions",
)
DOCS = Path(__file__).resolve().parents[2] / "docs"
HEAD = ("Goal", "Value", "Ratio", "Yardstick", "Target", "Kept")


def line(figure: dict) -> tuple[str, ...]:
    """Return a figure as the cells of one row: {name, value, ratio, yardstick, goal, ok}."""
    ratio = figure.get("ratio")
    kept = {True: "yes", False: "NO", None: "–"}[figure.get("ok")]
    return (
        figure["name"],
        str(figure["value"]),
        f"{ratio:.2f} ×" if isinstance(ratio, float | int) else "–",
        str(figure.get("yardstick") or "–"),
        str(figure.get("goal") or "–"),
        kept,
    )


def table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    lines = [HEAD, tuple("-" * w for w in widths), *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in lines)


def _hush() -> None:
    """The product's log lines are written, as in production, and nobody keeps them: the table alone is to be read."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(open(os.devnull, "w"))  # noqa: SIM115 - as long as the process


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench ARGS=")
    parser.add_argument("modules", nargs="*", help=f"some of: {', '.join(MODULES)}")
    parser.add_argument("--no-report", action="store_true", help="print only, leave the report alone")
    args = parser.parse_args()
    unknown = set(args.modules) - set(MODULES)
    if unknown:
        parser.error(f"no such module: {', '.join(sorted(unknown))}")
    full = os.environ.get("FULL") == "1"
    rows: list[tuple[str, ...]] = []
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    # Durable servers, as in production: what a page writes waits for the disk.
    with embedded("bench") as given:
        os.environ.update(given)
        django.setup()
        _hush()
        for name in args.modules or MODULES:
            print(f"… {name}", file=sys.stderr, flush=True)
            rows += [line(figure) for figure in importlib.import_module(f"tests.bench.{name}").run(full)]
    print(table(rows))
    if not args.no_report and not args.modules:
        size = "national size (2.2 million activities)" if full else "short form"
        report = DOCS / ("bench-national.md" if full else "bench.md")
        report.write_text(
            "# Speed, as last measured\n\n"
            f"`make bench`, {size}, {dt.date.today():%Y-%m-%d}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}. "
            "Ratios compare two things measured in turn in the same run; read them rather than the values.\n\n"
            + table(rows)
            + "\n"
        )
    return 1 if any(row[-1] == "NO" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
