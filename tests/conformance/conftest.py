"""Only `make conformance` runs what is here: it needs Java, Node, and minutes."""

import os
import shutil
from pathlib import Path

import pytest

from tests.conformance import judge, of_agendas, planted, spoilt
from tests.fhir import capturing, packages

collect_ignore_glob = [] if os.environ.get("CONFORMANCE") else ["test_*.py"]


@pytest.fixture(scope="session")
def report():
    """What the judge says, in one run, of what was captured, of examples of others, of what is wrong on purpose."""
    home = judge.WORK / "judged"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    shutil.rmtree(home.with_name("judged-gap"), ignore_errors=True)
    captured = Path(os.environ[capturing.VARIABLE])
    of_agendas.split(captured, home.with_name("judged-gap") / "captured", home / "captured")
    shutil.copytree(packages.required() / "ans.fhir.fr.cds/examples", home / "guide")
    shutil.copytree(packages.ROOT / "tests/fhir/hl7", home / "hl7", ignore=shutil.ignore_patterns("*.md"))
    planted.write(home / "planted")
    spoilt.write(home / "spoilt")
    return judge.judge(home)


@pytest.fixture(scope="session")
def report_of_agendas(report):
    """The same of agendas, with the packages of their guide, once the captured ones are parted."""
    home = judge.WORK / "judged-gap"
    shutil.copytree(packages.required() / "ans.fhir.fr.gap/examples", home / "guide")
    of_agendas.write_planted(home / "planted")
    return judge.judge(home, "gap")
