"""Processes, recognised by the folder they work in: a process number alone may have been given again.

A killed server whose parent never collects it (a container without init) stays as a zombie; it has no
working folder any more, so it is rightly taken for dead.
"""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from coordination.runtime.account import Account

# Messages in English, whatever the machine speaks: problems.py reads them.
ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8"}
_children: list[subprocess.Popen] = []


def launch(command: Sequence[str], account: Account, log: IO[Any], stdin: int) -> subprocess.Popen:
    """Start a server as that user, writing to `log`; it outlives us if nobody stops it."""
    _collect()
    server = subprocess.Popen(
        command,
        stdin=stdin,
        stdout=log,
        stderr=log,
        cwd="/",
        env=ENVIRONMENT,
        # Its own session: a Ctrl-C meant for us must not reach the server before its clients are done.
        start_new_session=True,
        **account.options(),
    )
    _children.append(server)
    return server


def _collect() -> None:
    """Without this our own dead children would stay as zombies."""
    _children[:] = [child for child in _children if child.poll() is None]


def works_in(pid: int | None, folder: Path) -> bool:
    """True when that process is alive and its working folder is `folder`."""
    try:
        return bool(pid) and os.readlink(f"/proc/{pid}/cwd") == str(folder)
    except OSError:
        return False


def working_in(folder: Path) -> list[int]:
    """Every live process whose working folder is `folder`."""
    numbers = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in numbers if works_in(pid, folder)]


def wait_gone(pid: int, folder: Path, seconds: float) -> bool:
    """Wait for the process to leave its folder; False when it is still there after so many seconds."""
    deadline = time.monotonic() + seconds
    while works_in(pid, folder):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    for child in _children:
        if child.pid == pid:
            child.wait()
    _collect()
    return True


def stop(pid: int, folder: Path, first: signal.Signals, then: signal.Signals, patience: float = 30) -> None:
    """Ask with one signal, insist with the other."""
    for number, seconds in ((first, patience), (then, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass
        if wait_gone(pid, folder, seconds):
            return
