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
    if browser := chromium.ensure():
        environment[chromium.VARIABLE] = browser
    command = [sys.executable, "-m", "pytest", "-n", "auto", "--create-db", *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT).returncode
