"""The types of appointment and how long each usually lasts: neutral words of agenda/data/service-types.csv. Pure."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).parent / "data" / "service-types.csv"


class Type(NamedTuple):
    """One type: `code` is stored, `label` is shown, `minutes` is proposed."""

    code: str
    label: str
    minutes: int


@cache
def every() -> dict[str, Type]:
    """Return {code: type} in the order of the file."""
    lines = [line for line in _FILE.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines)
    return {row["code"]: Type(row["code"], row["libelle"], int(row["minutes"])) for row in rows}


def label_of(code: str) -> str:
    """Return the words of a code; those of other software are told by nothing."""
    found = every().get(code)
    return found.label if found else ""
