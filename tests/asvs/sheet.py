"""`make asvs`: docs/asvs.md, from tests/asvs/requirements.csv and the marks of the tests.

The requirements are those of levels 1 and 2 of the OWASP ASVS 5.0.0, each told in our own words: its text is OWASP's.
`held` says how: by tests that carry `@pytest.mark.asvs("v5.0.0-8.2.2")`, by a section of a document, by something that
an operator checks (a section says what), not at all, or why it is about nothing here. A test may be added to what a
document or an operator holds, never to what is left out.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SHEET = ROOT / "docs" / "asvs.md"
TEST, DOCUMENT, OPERATOR, EXCLUDED, NOT_MET = WAYS = ("test", "document", "operator", "excluded", "not met")
SAID = {
    TEST: "shown by tests",
    DOCUMENT: "written in a document",
    OPERATOR: "checked by an operator",
    EXCLUDED: "left out: about something that is not here",
    NOT_MET: "not met",
}
CHAPTERS = {
    "V1": "Encoding and cleaning",
    "V2": "Validation and business logic",
    "V3": "Web front end",
    "V4": "API and web service",
    "V5": "Files",
    "V6": "Authentication",
    "V7": "Sessions",
    "V8": "Authorisation",
    "V9": "Self-contained tokens",
    "V10": "OAuth and OpenID Connect",
    "V11": "Cryptography",
    "V12": "Communication",
    "V13": "Configuration",
    "V14": "Data protection",
    "V15": "Code and architecture",
    "V16": "Logs and errors",
    "V17": "WebRTC",
}


class Requirement(NamedTuple):
    """One line of the table."""

    id: str
    level: int
    chapter: str
    about: str
    held: str
    where: str

    @property
    def number(self) -> str:
        return self.id.removeprefix("v5.0.0-")


@cache
def requirements() -> tuple[Requirement, ...]:
    with (HERE / "requirements.csv").open(newline="") as file:
        return tuple(Requirement(**row | {"level": int(row["level"])}) for row in csv.DictReader(file))


def marks(root: Path = ROOT) -> dict[str, list[str]]:
    """Return {requirement: the tests that carry its mark}, read in their files: nothing is collected nor run.

    What is not a test that pytest collects (a helper, a class without its prefix) counts for nothing.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((root / "tests").rglob("test_*.py")):
        text = path.read_text()
        if "mark.asvs(" not in text:
            continue
        for name, identifiers in _marked(ast.parse(text).body, ()):
            for identifier in identifiers:
                found[identifier].add(f"{path.relative_to(root)}::{name}")
    return {identifier: sorted(tests) for identifier, tests in found.items()}


def _marked(body: list[ast.stmt], above: tuple[str, ...], also: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple]]:
    for node in body:
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _marked(node.body, (*above, node.name), (*also, *_of(node)))
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            if identifiers := (*also, *_of(node)):
                yield "::".join((*above, node.name)), identifiers


def _of(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    return [
        argument.value
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.asvs"
        for argument in decorator.args
        if isinstance(argument, ast.Constant)
    ]


def counts() -> Counter[str]:
    return Counter(one.held for one in requirements())


def sentence(shown: dict[str, list[str]]) -> str:
    """Return the counts, as the command and the page say them."""
    said, total = counts(), Counter()
    for one in requirements():
        total[one.held] += one.held in (EXCLUDED, NOT_MET) or bool(one.where or shown.get(one.id))
    return (
        f"automatable {total[TEST]}/{said[TEST]}, document {total[DOCUMENT]}/{said[DOCUMENT]}, "
        f"operator {total[OPERATOR]}/{said[OPERATOR]}, excluded {said[EXCLUDED]}, not met {said[NOT_MET]}"
    )


def page(shown: dict[str, list[str]]) -> str:
    """Return docs/asvs.md."""
    said = counts()
    lines = [
        "# OWASP ASVS 5.0.0, levels 1 and 2",
        "",
        "Written by `make asvs` from `tests/asvs/requirements.csv` and the marks of the tests: do not change it here.",
        "Each requirement is told in our own words; its text is in the",
        "[standard](https://github.com/OWASP/ASVS/tree/v5.0.0/5.0) (OWASP, CC BY-SA 4.0). A self-assessment: nobody",
        "from outside has judged.",
        "",
        "| how it is held | level 1 | level 2 | together |",
        "|---|---:|---:|---:|",
    ]
    for way in WAYS:
        first = sum(one.held == way and one.level == 1 for one in requirements())
        lines.append(f"| {SAID[way]} | {first} | {said[way] - first} | {said[way]} |")
    lines += [
        "",
        "A requirement left out comes back with what it is about: `tests/asvs/test_absent.py` fails when the product",
        "takes a dependency or a word of it. The same table, for machines: `make sbom` writes `asvs.cdx.json`.",
    ]
    chapter = ""
    for one in requirements():
        if one.chapter != chapter:
            chapter = one.chapter
            lines += ["", f"## {chapter}. {CHAPTERS[chapter]}", ""]
            lines += ["| n° | level | requirement | held | by |", "|---|---|---|---|---|"]
        lines.append(f"| {one.number} | {one.level} | {one.about} | {one.held} | {_by(one, shown)} |")
    return "\n".join(lines) + "\n"


def _by(one: Requirement, shown: dict[str, list[str]]) -> str:
    said = [f"`{test}`" for test in shown.get(one.id, [])]
    if link := linked(one):
        path, _, anchor = link.partition("#")
        said.insert(0, f"[{path.removeprefix('docs/')}, « {headings(ROOT / path)[anchor]} »]({link[5:]})")
    elif one.where:
        said.insert(0, one.where)
    return "<br>".join(said)


def linked(one: Requirement) -> str:
    """Return the section that a requirement points to, "" when it says a reason."""
    return one.where if one.held in (DOCUMENT, OPERATOR) else ""


@cache
def headings(path: Path) -> dict[str, str]:
    """Return {anchor: heading} of a page, anchors as GitHub and GitLab make them."""
    found = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"): heading for heading in found}


def main() -> int:
    shown = marks()
    SHEET.write_text(page(shown))
    print(sentence(shown))  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
