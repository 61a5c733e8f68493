"""Processes, recognised by the folder they work in: a process number alone may have been given again.

A killed server whose parent never collects it (a container without init) stays as a zombie; it has no
working folder any more, so it is rightly taken for dead.
"""

import os
import signal
import time
from pathlib import Path


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
    """Wait for the process to leave; collect it when it is our own child."""
    deadline = time.monotonic() + seconds
    while works_in(pid, folder):
        if time.monotonic() > deadline:
            return False
        _collect(pid)
        time.sleep(0.02)
    _collect(pid)
    return True


def stop(pid: int, folder: Path, first: signal.Signals, then: signal.Signals, patience: float = 30) -> None:
    """Ask with one signal, insist with the other."""
    for number, seconds in ((first, patience), (then, 5.0)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return
        if wait_gone(pid, folder, seconds):
            return


def _collect(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass
