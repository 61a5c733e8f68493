"""Lines of the files with semicolons and quotes: FINESS as published until 2026, our own CSV."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass, field

# Longest line that may be one: a field of the csv module holds no more.
LONGEST = 131_072
_RUN = re.compile(r'"{2,}')


@dataclass(frozen=True, slots=True)
class Line:
    """What one line gives: its values, or why there are none."""

    fields: list[str] = field(default_factory=list)
    fault: str = ""


def read_line(text: str) -> Line:
    """Read one line by itself: a quote left open must not swallow the lines that follow.

    Runs of quotes, which older editions double again, are brought back to one.
    """
    if len(text) > LONGEST:
        return Line(fault="ligne illisible")
    # A line of its own behind this one: it comes back alone, unless a quote was left open.
    rows = list(csv.reader([text, ""], delimiter=";"))
    if len(rows) < 2:
        return Line(_values(rows[0]), "guillemet jamais refermé (une valeur tient sur une ligne)")
    return Line(_values(rows[0]))


def _values(fields: list[str]) -> list[str]:
    values = [_RUN.sub('"', value).strip() if '"' in value else value.strip() for value in fields]
    return ["" if value == '"' else value for value in values]


def raw_field(text: str, position: int) -> str:
    """Return what stands at this position of a line that cannot be trusted, without its quotes."""
    fields = text.split(";", position + 1)
    return fields[position].strip(' "') if position < len(fields) else ""
