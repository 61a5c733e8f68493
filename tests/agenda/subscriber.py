"""Somebody’s calendar programs, as anyone installs them: vdirsyncer fetches an address, khal shows what it holds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent


def environment(folder):
    """No setting of who runs the tests; the clock of Paris, which the programs show times on."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    return kept | {"HOME": str(folder), "TZ": "Europe/Paris", "LC_ALL": "C.UTF-8"}


def run(folder, program, *arguments):
    done = subprocess.run(
        [BIN / program, *arguments], env=environment(folder), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Subscriber:
    """`shown(first)` fetches the address again and returns the events of sixty days, one a line."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        (folder / "khal.conf").write_text(
            f"[calendars]\n[[agenda]]\npath = {folder}/kept/agenda\n[locale]\nlocal_timezone = Europe/Paris\n"
            "default_timezone = Europe/Paris\ntimeformat = %H:%M\ndateformat = %Y-%m-%d\nlongdateformat = %Y-%m-%d\n"
            "datetimeformat = %Y-%m-%d %H:%M\nlongdatetimeformat = %Y-%m-%d %H:%M\n"
        )
        (folder / "vdirsyncer.conf").write_text(
            f'[general]\nstatus_path = "{folder}/status"\n[pair agenda]\na = "kept"\nb = "feed"\n'
            "collections = null\n"
            f'conflict_resolution = "b wins"\n[storage kept]\ntype = "filesystem"\npath = "{folder}/kept/agenda"\n'
            f'fileext = ".ics"\n[storage feed]\ntype = "http"\nurl = "{url}"\n'
        )
        (folder / "kept" / "agenda").mkdir(parents=True)

    def shown(self, first: str) -> list[str]:
        for act in (["discover"], ["sync", "--force-delete"]):
            run(self.folder, "vdirsyncer", "-c", str(self.folder / "vdirsyncer.conf"), *act)
        said = run(
            self.folder, "khal", "-c", str(self.folder / "khal.conf"), "list", "--format",
            "{start-date} {start-time}-{end-time} {title}|{status}", "--day-format", "", first, "60d",
        )  # fmt: skip
        return [line.strip() for line in said.splitlines() if line.strip()]
