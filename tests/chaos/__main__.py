"""`make chaos`: everything that can fall falls under the product at work, and what is left is judged (issue 6 §2).

The short form takes three minutes and a little; `FULL=1` the numbers of quality-goals.md (an hour). `ARGS="kills"`:
some of the scenarios. Figures are printed and, when all scenarios were played, recorded in docs/chaos.md.
"""

from __future__ import annotations

import argparse
import datetime as dt
import logging
import os
import platform
import sys
import time
from pathlib import Path

import django

DOCS = Path(__file__).resolve().parents[2] / "docs"
SCENARIOS = ("kills", "redis", "rolling", "dependencies", "upgrade", "exhausted")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos ARGS=")
    parser.add_argument("scenarios", nargs="*", help=f"some of: {', '.join(SCENARIOS)}")
    parser.add_argument("--seed", type=int, default=20261129, help="of what is drawn")
    parser.add_argument("--keep", action="store_true", help="record the figures whatever was played")
    asked = parser.parse_args()
    if unknown := set(asked.scenarios) - set(SCENARIOS):
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.test")
    # Any: the scenarios say where their own database is.
    os.environ.setdefault("DATABASE_URL", "postgres://nobody@/none")
    django.setup()
    logging.disable(logging.WARNING)
    from tests.chaos import playing

    began = time.monotonic()
    full = os.environ.get("FULL") == "1"
    figures = playing.play(asked.scenarios or SCENARIOS, full=full, seed=asked.seed)
    print(playing.table(figures))
    if not asked.scenarios or asked.keep:
        _record(playing.table(figures), full, asked.seed, time.monotonic() - began)
    return 1 if any(figure.ok is False for figure in figures) else 0


def _record(table: str, full: bool, seed: int, seconds: float) -> None:
    size = "the numbers of quality-goals.md" if full else "short form"
    (DOCS / f"chaos{'-full' if full else ''}.md").write_text(
        "# Faults, as last tried\n\n"
        f"`make chaos`, {size}, seed {seed}, {dt.date.today():%Y-%m-%d}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {seconds / 60:.0f} minutes, servers and data included; "
        f"load of the machine {os.getloadavg()[2]:.0f} (other programs on the same cores lengthen every delay). "
        "The product runs as its systemd units say, under production's settings; the client and its judge take their "
        "share of the same cores.\n\n" + table + "\n"
    )


if __name__ == "__main__":
    sys.exit(main())
