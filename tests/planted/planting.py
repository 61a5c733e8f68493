"""A copy of the product, a fault in it, and what its tests say: never in the tree that people work in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from coordination.runtime.places import ROOT, data_root
from tests.planted.faults import Fault

CAUGHT, MISSED, BROKEN = "caught", "NOT CAUGHT", "NOTHING SHOWN"
# What a run of the suite is told and the tests of a faulty product must not be: what they write is kept by nobody, and
# they have no more variants than the suite asks.
_NOT_PASSED = ("FHIR_CAPTURE_DIR", "FULL", "FAULTS", "PYTEST_ADDOPTS", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
_SAID = re.compile(r"^(FAILED|ERROR) (\S+)", re.MULTILINE)
# A fault may make something wait for ever: its test fails, and nobody waits with it.
_LONGEST_TEST, _LONGEST = 120, 900


@dataclass(frozen=True)
class Verdict:
    """What came of one run: the first test that failed, for how long it ran, and the end of what it wrote."""

    said: str
    by: str
    seconds: float
    output: str


@contextmanager
def copied() -> Iterator[Path]:
    """Yield a copy of every file that git knows, as it is now, in a folder of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    with TemporaryDirectory(prefix="planted-") as folder:
        copy = Path(folder)
        for name in filter(None, listed.stdout.split("\0")):
            if not (ROOT / name).is_file():
                continue
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
        _with_what_is_compiled(copy)
        # The tests that read the tree ask git which files it has.
        subprocess.run(["git", "init", "-q"], cwd=copy, check=True)
        subprocess.run(["git", "add", "-A"], cwd=copy, check=True)
        (copy / ".venv").symlink_to(ROOT / ".venv")
        yield copy


def _with_what_is_compiled(copy: Path) -> None:
    """Bring the compiled modules too: Python compares them with the date and size of what was copied."""
    for folder in [path for path in copy.rglob("*") if path.is_dir()]:
        cache = ROOT / folder.relative_to(copy) / "__pycache__"
        if cache.is_dir():
            shutil.copytree(cache, folder / "__pycache__", dirs_exist_ok=True)


@contextmanager
def planted(copy: Path, fault: Fault) -> Iterator[None]:
    """Put a fault into a copy, and take it out at the end. Raises Moved."""
    place = copy / fault.file
    text = fault.planted(place.read_text(encoding="utf-8"))
    place.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        shutil.copy2(ROOT / fault.file, place)


def judged(copy: Path, tests: Sequence[str], *, suffix: str) -> Verdict:
    """Run tests in a copy, in a process of their own, until one fails.

    On the database of tests named by `suffix`, which is kept from one run to the next. A product that cannot be
    imported, or a world that cannot be made, shows nothing: that is no test that caught something.
    """
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}
    environment |= {"TEST_DB_SUFFIX": suffix, "DATA_DIR": str(data_root())}
    command = [
        sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:randomly", "-p", "no:cacheprovider", "-rfE",
        "--tb=line", "--show-capture=no", f"--timeout={_LONGEST_TEST}", *tests,
    ]  # fmt: skip
    began = time.monotonic()
    run = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=_LONGEST)
    seconds = time.monotonic() - began
    failed = [name for what, name in _SAID.findall(run.stdout) if what == "FAILED"]
    if run.returncode == 0:
        said = MISSED
    else:
        said = CAUGHT if run.returncode == 1 and failed else BROKEN
    return Verdict(said, failed[0] if failed else "", seconds, (run.stdout + run.stderr)[-4000:])
