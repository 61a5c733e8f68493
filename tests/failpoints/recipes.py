"""One test for each act, which builds its world and does it: `recipes.csv`, and how it is made.

    python -m tests.failpoints.recipes <the folder of harvesting.py>

Lines of acts and tests that are still there are kept; the others are chosen again: the quickest test that does the act
itself, or else through another one.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

TABLE = Path(__file__).with_name("recipes.csv")


def recipes() -> dict[str, str]:
    """Return the test that is the recipe of each act, as pytest names it."""
    with TABLE.open(newline="") as file:
        return {row["act"]: row["test"] for row in csv.DictReader(file)}


def write(folder: Path) -> None:
    """Write the table from what was found; every line of an act not found again stays."""
    found: dict[str, list[tuple]] = {}
    for file in folder.glob("*.json"):
        for line in json.loads(file.read_text()):
            found.setdefault(line["act"], []).append((not line["direct"], line["took"], line["test"]))
    kept = recipes() if TABLE.exists() else {}
    for act, tests in found.items():
        if kept.get(act) not in {test for *_, test in tests}:
            kept[act] = min(tests)[2]
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["act", "test"])
        writer.writerows(sorted(kept.items()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
