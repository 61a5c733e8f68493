"""The pages of `make bench`, drawn from its history: a table for each page, the rises marked ▲."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.bench import history
from tests.bench.history import Line

HEAD = ("Goal", "Value", "Ratio", "Yardstick", "Target", "Kept", "Trend")
RED, PLAIN = "\x1b[31m", "\x1b[0m"
SIZES = {history.SHORT: "short form", history.NATIONAL: "national size (2.2 million activities)"}


def trend(change: float | None) -> str:
    """Return what a ratio became: « ▲ +18 % » for a rise, what it is in a word otherwise."""
    if change is None:
        return "–"
    return f"▲ +{100 * change:.0f} %" if history.has_risen(change) else f"{100 * change:+.0f} %"


def cells(line: Line, change: float | None) -> tuple[str, ...]:
    """Return a figure as the cells of one row."""
    ratio = "–" if line.ratio is None else f"{line.ratio:.2f} ×"
    return (line.figure, line.value, ratio, line.yardstick or "–", line.goal or "–", line.kept, trend(change))


def table(rows: Sequence[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    """Return rows as a Markdown table, in columns."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, tuple("-" * w for w in widths), *rows]
    return "\n".join("| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in lines)


def in_red(drawn: str) -> str:
    """Return a table for a terminal: the rows of rises in red."""
    return "\n".join(f"{RED}{row}{PLAIN}" if "▲" in row else row for row in drawn.split("\n"))


def page(modules: Mapping[str, Sequence[Line]], changes: Mapping[Line, float | None], size: str, notes: str) -> str:
    """Return a page: the last figures of its modules, each said with its day."""
    lines = [line for module in modules.values() for line in module]
    cores = "/".join(str(number) for number in sorted({line.cores for line in lines}))
    return (
        "# Speed, as last measured\n\n"
        f"`make bench`, {SIZES[size]}, {max(line.day for line in lines)}, {cores} cores. "
        "Ratios compare two things measured in turn in the same run; read them rather than the values. "
        "Trend: the ratio beside the median of the former quiet runs (bench-history.csv); ▲ is 15 % worse.\n\n"
        + "".join(f"- {said}\n" for said in _days(modules))
        + "\n"
        + table([cells(line, changes[line]) for line in lines])
        + (f"\n\n{notes.strip()}\n" if notes else "\n")
    )


def under_the_table(text: str) -> str:
    """Return what a page says after its table."""
    lines = text.split("\n")
    rows = [number for number, row in enumerate(lines) if row.startswith("| ")]
    return "\n".join(lines[rows[-1] + 1 :]).strip("\n") if rows else ""


def _days(modules: Mapping[str, Sequence[Line]]) -> Iterable[str]:
    """Yield « 2026-11-29, commit: these modules », the last first; a busy machine is said."""
    runs: dict[tuple[str, str, str], list[str]] = {}
    for name, lines in modules.items():
        runs.setdefault((lines[0].day, lines[0].commit, lines[0].machine), []).append(name)
    for day, commit, machine in sorted(runs, reverse=True):
        busy = " **on a busy machine: not to be compared**" if machine == history.BUSY else ""
        yield f"{day}, {commit}: {', '.join(runs[day, commit, machine])}{busy}"
