"""docs/pgssi-hds.md cites what exists: tests, sections, settings, commands, files (SECT-26)."""

import ast
import re

import pytest
from django.core.management import get_commands

from tests.asvs import sheet

pytestmark = pytest.mark.req("SECT-26")
PATH = sheet.ROOT / "docs" / "pgssi-hds.md"
PAGE = PATH.read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith(("| mesure", "| n°"))]
TEST = re.compile(r"`(tests/[\w/]+\.py)::([\w:]+)`")


def named_in(path):
    """Return the names that pytest collects in a file, "Class::test" included."""
    found = set()
    for node in ast.parse((sheet.ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            found.add(node.name)
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            found |= {
                f"{node.name}::{one.name}" for one in node.body
                if isinstance(one, ast.FunctionDef) and one.name.startswith("test_")
            }  # fmt: skip
    return found


def dead(page):
    """Return what a page cites that is nowhere."""
    found = [f"{path}::{name}" for path, name in TEST.findall(page) if name not in named_in(path)]
    for target in re.findall(r"\]\(([^)]+)\)", page):
        path, _, anchor = target.partition("#")
        file = PATH.parent / path
        if not file.is_file() or (anchor and anchor not in sheet.headings(file)):
            found.append(target)
    environment = (sheet.ROOT / "deploy/environment.example").read_text()
    settings = "\n".join(path.read_text() for path in (sheet.ROOT / "coordination/settings").glob("*.py"))
    for name in re.findall(r"`([A-Z][A-Z_]{5,})`", page):
        if name not in environment and f'"{name}"' not in settings:
            found.append(name)
    found += [name for name in re.findall(r"`manage\.py (\w+)`", page) if name not in get_commands()]
    found += [name for name in re.findall(r"`(deploy/[\w.-]+)`", page) if not (sheet.ROOT / name).is_file()]
    return found


def test_everything_cited_exists():
    assert dead(PAGE) == []
    assert len(TEST.findall(PAGE)) >= 35


def test_a_dead_link_is_seen():
    wrong = (
        "`tests/asvs/test_pgssi_hds.py::test_nothing` [x](absent.md) [y](security.md#nowhere) `NO_SUCH_SETTING` "
        "`manage.py nothing` `deploy/nothing.sql`"
    )
    assert len(dead(wrong)) == 6


def test_the_31_requirements_are_there_once_and_each_line_says_who_holds_it():
    numbers = re.findall(r"^\| EXI (\d\d) \|", PAGE, re.MULTILINE)
    assert numbers == [f"{number:02}" for number in range(1, 32)]
    for row in ROWS:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert all(cells), row
        if cells[0].startswith("EXI"):
            assert "exploitant" in cells[2] or "logiciel" in cells[2], row
        else:
            cited = "`" in cells[2] or "](" in cells[2]
            assert cited or "exploitant" in cells[1] + cells[2] or "non atteint" in cells[1], row


def test_each_measure_says_how_far_it_goes():
    words = ("démontrable", "protégé", "déclaré", "non atteint", "exploitant")
    measures = [row for row in ROWS if not row.startswith("| EXI")]
    assert len(measures) >= 20
    assert all(row.split("|")[2].strip().startswith(words) for row in measures)
