"""`make test`: a browser if there can be one, then pytest on every core."""

import os
import subprocess
import sys

from coordination.runtime import chromium
from coordination.runtime.places import ROOT


def test(arguments: list[str]) -> int:
    """Run pytest with `arguments`; its exit code. Raises Problem when CI has no browser.

    The servers are started by the plugin tests/embedded.py, so that a bare `pytest` has them too.
    """
    environment = dict(os.environ)
    # Images of containers say so for the one process that they start. Dozens of ours import the product: three
    # seconds of processor for each, and twelve more for each that collects the tests, when nothing compiled is kept.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    if browser := chromium.ensure():
        environment[chromium.VARIABLE] = browser
    # Each worker takes a row of modules, and from the end of another's once it has none: what a module makes for its
    # tests, a world of accounts or a browser, is made once and not by each worker.
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--dist", "worksteal", "--create-db", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT).returncode
