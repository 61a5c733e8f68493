"""What every run of `make bench` measured: docs/bench-history.csv, a line for each figure, the oldest first.

The pages are drawn from it (a run of some modules leaves the others as they were last measured), and a ratio is
compared with the median of those before it: 15 % worse is a rise. Ratios only: a time says as much of the machine as
of the product. Runs of a busy machine are kept, marked, and compared with nothing.
"""

from __future__ import annotations

import csv
import os
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

RISE = 0.15
SHORT, NATIONAL = "short", "national"
QUIET, BUSY = "quiet", "busy"
KEPT = {True: "yes", False: "NO", None: "–"}
# What counts in the name of a figure changes from a run to the next: it stands between brackets.
_COUNTED = re.compile(r"\s*\([^()]*\d[^()]*\)")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of one run. `at` names the run; `ratio` is None for what has no yardstick."""

    at: str
    commit: str
    size: str
    cores: int
    machine: str
    module: str
    figure: str
    value: str
    ratio: float | None
    yardstick: str
    goal: str
    kept: str

    @property
    def key(self) -> tuple[str, str]:
        """What it is the same figure by, from a run to the next."""
        return self.module, _COUNTED.sub("", self.figure)

    @property
    def day(self) -> str:
        return self.at[:10]


COLUMNS = tuple(column.name for column in fields(Line))


def of_figure(figure: dict, *, at: str, commit: str, size: str, cores: int, machine: str, module: str) -> Line:
    """Return the line of a figure as the modules give it: {name, value, ratio, yardstick, goal, ok}."""
    ratio = figure.get("ratio")
    return Line(
        at, commit, size, cores, machine, module, figure["name"], str(figure["value"]),
        round(float(ratio), 4) if isinstance(ratio, float | int) else None,
        str(figure.get("yardstick") or ""), str(figure.get("goal") or ""), KEPT[figure.get("ok")],
    )  # fmt: skip


def machine_of(load: float, cores: int) -> str:
    """Say whether a machine is quiet, from the processes that waited in the last minute: half a core of two may."""
    return BUSY if load > cores / 4 or os.environ.get("BUSY") == "1" else QUIET


def read(path: Path) -> list[Line]:
    """Return the lines of a file, none when it is not there. Raises ValueError when its columns are others."""
    if not path.exists():
        return []
    with path.open(newline="") as opened:
        rows = csv.reader(opened)
        if tuple(next(rows)) != COLUMNS:
            raise ValueError(f"{path.name} has other columns than {', '.join(COLUMNS)}")
        return [_line(row) for row in rows]


def append(path: Path, lines: Sequence[Line]) -> None:
    """Add lines at the end of a file, made with its head when it is not there."""
    new = not path.exists()
    with path.open("a", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        if new:
            writer.writerow(COLUMNS)
        writer.writerows(["" if cell is None else cell for cell in astuple(line)] for line in lines)


def _line(row: Sequence[str]) -> Line:
    at, commit, size, cores, machine, module, figure, value, ratio, *rest = row
    return Line(
        at, commit, size, int(cores), machine, module, figure, value, float(ratio) if ratio else None, *rest
    )  # fmt: skip


def last(lines: Iterable[Line], size: str) -> dict[str, list[Line]]:
    """Return {module: its lines in its last run} for a size, quiet or not: the page says which."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.size == size:
            kept = found.setdefault(line.module, [])
            if kept and kept[0].at != line.at:
                kept.clear()
            kept.append(line)
    return found


def worse_by(line: Line, lines: Iterable[Line]) -> float | None:
    """Return by how much a ratio is worse than the median of the former ones: 0.2 for 20 %, below zero when better.

    None without a ratio, without a former one, or on a busy machine. The former ones: the same figure at the same
    size on as many cores, in quiet runs. A goal of « at least » makes a lower ratio the worse one.
    """
    if line.ratio is None or line.machine == BUSY:
        return None
    before = [
        one.ratio
        for one in lines
        if one.at < line.at and one.machine == QUIET and one.ratio
        if (one.key, one.size, one.cores) == (line.key, line.size, line.cores)
    ]
    if not before or not line.ratio:
        return None
    usual = statistics.median(before)
    return (usual / line.ratio if line.goal.startswith("≥") else line.ratio / usual) - 1


def has_risen(change: float | None) -> bool:
    """Say whether a change is the rise that is shown in red."""
    return change is not None and change > RISE
