"""docs/decisions/README.md names every decision, once, by its own title: who inherits the code finds why."""

import re
from pathlib import Path

DECISIONS = Path(__file__).parent.parent / "docs" / "decisions"


def test_every_decision_is_found_by_its_title():
    named = re.findall(r"^- \[(.+)\]\((\S+)\)$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    written = {page.name: page.read_text().partition("\n")[0].removeprefix("# ") for page in DECISIONS.glob("20*.md")}
    assert len(named) == len(written)
    assert {name: title for title, name in named} == written
