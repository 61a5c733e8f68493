"""A browser for the browser stories: the machine's, else apt's when root, else Playwright's own."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from coordination.runtime.console import say, step
from coordination.runtime.problems import Problem

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
VARIABLE = "CHROMIUM"
SKIPPED = """
  ######################################################################
  #  BROWSER STORIES SKIPPED: no Chromium, and none could be installed. #
  #  Install one: sudo apt-get install chromium                         #
  ######################################################################
"""


def find() -> str | None:
    """The path of a browser that starts: CHROMIUM, the machine's, or the one Playwright downloaded."""
    named = os.environ.get(VARIABLE)
    candidates = [named] if named else [*map(shutil.which, NAMES), *_downloaded()]
    return next((str(path) for path in candidates if path and _starts(str(path))), None)


def ensure() -> str | None:
    """As `find`, installing one when there is none. In CI a missing browser is a Problem; elsewhere None, loudly."""
    path = find()
    if path is None:
        _install()
        path = find()
    if path is None:
        if os.environ.get("CI"):
            raise Problem("No Chromium, and none could be installed: in CI the browser stories must run.")
        say(SKIPPED)
    return path


def _install() -> None:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        with step("Chromium, by apt"):
            for command in (["apt-get", "update", "-q"], _apt_install("chromium", "fonts-dejavu-core")):
                subprocess.run(command, capture_output=True, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
        if find():
            return
    with step("Chromium, by Playwright"):
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True)


def _apt_install(*packages: str) -> list[str]:
    return ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]


def _downloaded() -> list[Path]:
    cache = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return sorted(cache.glob("chromium-*/chrome-linux*/chrome"), reverse=True)


def _starts(path: str) -> bool:
    """A browser may be there without its system libraries (Ubuntu's `chromium-browser` may be an empty shell)."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=30).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
