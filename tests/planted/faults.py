"""The list of the security faults that are planted, one at a time: `faults.toml`.

Each is what a hurried colleague could commit: one text of one file put in place of another. `tests` are those that
are there to catch it; none of them was told of the fault, but where the list says that a test was written since.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("faults.toml")
# SECT-20: 59 caught of 60.
OF_WHICH_ONE_IS_MISSED = 60


@dataclass(frozen=True)
class Fault:
    """One fault: in `file`, `find` stands once and becomes `put`; `breaks` says what follows, in one sentence."""

    id: str
    file: str
    find: str
    put: str
    breaks: str
    tests: tuple[str, ...]

    def planted(self, text: str) -> str:
        """Return a file with the fault in it. Raises Moved unless what it replaces stands there once."""
        if (times := text.count(self.find)) != 1:
            raise Moved(f"{self.id}: its text stands {times} times in {self.file}, and must stand once")
        return text.replace(self.find, self.put)


class Moved(Exception):
    """The product has changed under a fault: it is to be written again, as what it breaks would be today."""


def faults() -> list[Fault]:
    """Return every fault, in the order of the list."""
    said = tomllib.loads(TABLE.read_text(encoding="utf-8"))["fault"]
    return [Fault(**one | {"tests": tuple(one["tests"])}) for one in said]


def wanted(total: int) -> int:
    """Return how many must be caught of so many."""
    return total - total // OF_WHICH_ONE_IS_MISSED
