"""docs/planted-faults.md: what the suite caught, fault by fault, kept from one run of the runner to the next."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from coordination.runtime.places import ROOT
from tests.planted.faults import Fault, wanted
from tests.planted.planting import CAUGHT, Verdict

PAGE = ROOT / "docs" / "planted-faults.md"
NOT_RUN = "not run"
_HEAD = """# Planted faults

Written by `make planted`; the list is [tests/planted/faults.toml](../tests/planted/faults.toml). Each line is one
security fault, put alone into a copy of the product where a hurried colleague could have put it, and the first test
that failed for it. The tests named for each are green on the product without a fault; one that keeps the product from
starting counts for nothing. Asked (SECT-20): one may be missed of sixty, {wanted} of {total}.

**{caught} of {total} caught{left}.**

| fault | what it breaks | said by | seconds | on |
|---|---|---|---|---|
"""


def kept() -> dict[str, tuple[str, ...]]:
    """Return {fault: (what it breaks, said by, seconds, day)} as the page says it."""
    if not PAGE.exists():
        return {}
    lines = [line.strip("| \n").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines()]
    return {cells[0].strip("`"): tuple(cells[1:]) for cells in lines if len(cells) == 5 and cells[0].startswith("`")}


def names_a_test(said_by: str) -> bool:
    """Say whether this cell of the page is the test that caught a fault."""
    return said_by.startswith("`")


def is_caught(fault: Fault) -> bool:
    """Say whether the page has this fault, as it is written now, as one that was caught."""
    breaks, said_by, *_ = kept().get(fault.id, ("", ""))
    return breaks == fault.breaks and names_a_test(said_by)


def write(faults: list[Fault], verdicts: dict[str, Verdict], *, path: Path = PAGE) -> int:
    """Write the page again with what was just run, and return how many are caught by what it says.

    A line is kept as long as its fault says the same; else it was not run.
    """
    before, today = kept(), dt.datetime.now(dt.UTC).date().isoformat()
    lines, caught, left = [], 0, 0
    for fault in faults:
        if verdict := verdicts.get(fault.id):
            by = f"`{verdict.by}`" if verdict.said == CAUGHT else f"**{verdict.said}**"
            told = (fault.breaks, by, f"{verdict.seconds:.0f}", today)
        else:
            told = before.get(fault.id, ())
            if not told or told[0] != fault.breaks:
                told = (fault.breaks, NOT_RUN, "–", "–")
        caught += names_a_test(told[1])
        left += told[1] == NOT_RUN
        lines.append(f"| `{fault.id}` | {' | '.join(told)} |\n")
    head = _HEAD.format(
        wanted=wanted(len(faults)),
        total=len(faults),
        caught=caught,
        left=f", {left} not run" if left else "",
    )
    path.write_text(head + "".join(lines), encoding="utf-8")
    return caught
