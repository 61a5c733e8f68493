"""What a scenario found: one line of a table each."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = ("Goal", "What", "Found", "Wanted", "Kept")


@dataclass(frozen=True)
class Figure:
    """`ok`: whether the goal is kept; None for what is only told."""

    goal: str
    what: str
    found: str
    wanted: str = ""
    ok: bool | None = None

    @property
    def cells(self) -> tuple[str, ...]:
        kept = {True: "yes", False: "NO", None: "–"}[self.ok]
        return (self.goal, self.what, self.found, self.wanted or "–", kept)


def table(figures: list[Figure]) -> str:
    """Return the figures as a table of Markdown."""
    rows = [HEAD, *(figure.cells for figure in figures)]
    widths = [max(len(row[rank]) for row in rows) for rank in range(len(HEAD))]
    lines = [rows[0], tuple("-" * width for width in widths), *rows[1:]]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
