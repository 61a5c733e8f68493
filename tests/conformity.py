"""`make conformity`: docs/conformity.md, from the marks of the tests and from what is written by hand.

The hand part says what is not met, and why; the rest is the list of `@pytest.mark.req("X-1")` marks.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[1] / "docs" / "conformity.md"
START, END = "<!-- generated: start -->", "<!-- generated: end -->"


class Collector:
    """Reads the marks without running anything."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in item.iter_markers("req"):
                for identifier in mark.args:
                    self.tests[identifier].add(item.nodeid.split("[")[0])


def order(identifier: str) -> tuple[str, int]:
    family, _, number = identifier.partition("-")
    return family, int(re.sub(r"\D", "", number) or 0)


def table(tests: dict[str, set[str]]) -> str:
    lines = ["| requirement | shown by |", "|---|---|"]
    for identifier in sorted(tests, key=order):
        shown = "<br>".join(f"`{name}`" for name in sorted(tests[identifier]))
        lines.append(f"| {identifier} | {shown} |")
    return "\n".join(lines)


def main() -> int:
    collector = Collector()
    code = pytest.main(["--collect-only", "-q", "-p", "no:randomly", "--no-header"], plugins=[collector])
    if code:
        return int(code)
    page = PAGE.read_text()
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{START}\n\n{table(collector.tests)}\n\n{END}{after}")
    print(f"{len(collector.tests)} requirements named by tests.")  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
