"""docs/performance.md: each goal PERF-n and its figures, drawn from the history by what tests/bench/goals.toml says.

A goal is kept when all its figures that have a target keep it; one without a figure is said not measured.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench import history, written
from tests.bench.history import Line

GOALS = Path(__file__).with_name("goals.toml")
SUMMARY = ("Goal", "What", "Kept", "Figures with a target", "Rises", "Detail")
HEAD = ("Goal", "Figure", *written.HEAD[1:-2], "Kept", "Trend", "Size")
NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of quality-goals.md. `figures`: (module, beginning of the name); `elsewhere`: what keeps the rest of it,
    or why nothing measures it."""

    name: str
    says: str
    figures: tuple[tuple[str, str], ...]
    elsewhere: str

    def lines(self, modules: Mapping[str, Sequence[Line]]) -> list[Line]:
        """Return the figures of this goal among those of the modules, in their order."""
        wanted = {module for module, _ in self.figures}
        return [
            line
            for module in modules
            if module in wanted
            for line in modules[module]
            if any(module == name and line.key[1].startswith(begins) for name, begins in self.figures)
        ]


def read(path: Path = GOALS) -> list[Goal]:
    """Return the goals of a file, in its order."""
    return [
        Goal(name, said["says"], tuple((m, f) for m, f in said.get("figures", ())), said.get("elsewhere", ""))
        for name, said in tomllib.loads(path.read_text()).items()
    ]


def kept(lines: Iterable[Line]) -> str:
    """Return yes, NO, or – when no figure has a target."""
    said = {line.kept for line in lines}
    return next((word for word in ("NO", "yes") if word in said), "–")


def page(goals: Sequence[Goal], lines: Sequence[Line], pages: Mapping[str, str]) -> str:
    """Return the page. `pages`: {module: the name of its page of detail, without the size}."""
    sizes = {size: history.last(lines, size) for size in written.SIZES}
    found = {goal: [line for modules in sizes.values() for line in goal.lines(modules)] for goal in goals}
    changes = {line: history.worse_by(line, lines) for own in found.values() for line in own}
    figures = [row for goal in goals for row in _figures(goal, found[goal], changes)]
    notes = [f"- **{goal.name}**: {goal.elsewhere}" for goal in goals if goal.elsewhere]
    return (
        "# Speed: each goal, as last measured\n\n"
        "Written by `make bench` from [the history of its runs](bench-history.csv): at each run a line for every "
        "figure, with its commit, its size (short or national) and the machine. The goals are PERF-1 to PERF-21 of "
        "the quality goals; what belongs to each is in `tests/bench/goals.toml`. A ratio 15 % worse than the median "
        "of the former quiet runs is marked ▲, shown in red on the terminal, and makes `make bench` fail.\n\n"
        + written.table([_summary(goal, found[goal], changes, pages) for goal in goals], SUMMARY)
        + "\n\n## What these figures do not say\n\n"
        + "\n".join(notes)
        + "\n\n## The figures that have a target\n\n"
        + written.table(figures, HEAD)
        + "\n"
    )


def _summary(goal: Goal, lines: Sequence[Line], changes: Mapping[Line, float | None], pages: Mapping[str, str]):
    if not lines:
        return (goal.name, goal.says, NOT_MEASURED, "–", "–", "–")
    aimed = [line for line in lines if line.kept != history.KEPT[None]]
    risen = [line for line in lines if history.has_risen(changes[line])]
    files = dict.fromkeys(pages[line.module] + ("-national" * (line.size == history.NATIONAL)) for line in lines)
    return (
        goal.name, goal.says, kept(lines),
        f"{sum(line.kept == history.KEPT[True] for line in aimed)} of {len(aimed)} kept",
        f"▲ {len(risen)}" if risen else "–", ", ".join(f"[{name}]({name}.md)" for name in files),
    )  # fmt: skip


def _figures(goal: Goal, lines: Sequence[Line], changes: Mapping[Line, float | None]):
    for line in lines:
        if line.kept != history.KEPT[None]:
            busy = ", busy machine" if line.machine == history.BUSY else ""
            yield (goal.name, *written.cells(line, changes[line]), f"{line.size}, {line.day}{busy}")
