"""Starts: the demonstration ready again, and what a web process and a worker hold of the memory (PERF-21).

`make run` over a folder of its own, filled by a first start; then stopped by Ctrl-C and started again. Ready is when
the first page answers. Resident memory is what the system says of each process, what they share counted in each.
"""

from __future__ import annotations

import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.bench import servers

AGAIN, FULL_AGAIN = 3, 7
PROFESSIONALS = "1500"
READY, RESIDENT = 1.0, 120
PATIENCE = 600
PAGES = 60
PROGRAMS = {"web process": "gunicorn", "worker": "celery"}


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o711)
        environment = _environment(folder)
        with _demo(environment):
            pass
        ready, resident = [], {}
        for _ in range(FULL_AGAIN if full else AGAIN):
            started = time.monotonic()
            with _demo(environment) as process:
                ready.append(time.monotonic() - started)
                for _ in range(PAGES):
                    _answers(environment, "/compte/connexion/")
                resident = _resident(process.pid)
    return [
        {
            "name": "Demonstration ready again",
            "value": f"{statistics.median(ready):.1f} s",
            "ratio": None,
            "yardstick": f"the quickest {min(ready):.1f} s",
            "goal": f"≤ {READY:.0f} s",
            "ok": statistics.median(ready) <= READY,
        },
        *(_memory(name, resident[program]) for name, program in PROGRAMS.items()),
    ]


def _memory(name: str, megabytes: float) -> dict:
    return {
        "name": f"Resident memory of a {name}",
        "value": f"{megabytes:.0f} MB",
        "ratio": None,
        "yardstick": "",
        "goal": f"≤ {RESIDENT} MB",
        "ok": megabytes <= RESIDENT,
    }


def _environment(folder: str) -> dict[str, str]:
    with socket.socket() as probe:
        probe.bind((servers.HOST, 0))
        port = str(probe.getsockname()[1])
    ours = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"DATA_DIR": folder, "PORT": port, "DEMO_PROFESSIONALS": PROFESSIONALS}


@contextmanager
def _demo(environment: Mapping[str, str]) -> Iterator[subprocess.Popen]:
    """Start what `make run` starts once everything is installed; stop it as Ctrl-C does."""
    command = [sys.executable, "-m", "coordination.runtime", "run"]
    process = subprocess.Popen(
        command, cwd=servers.ROOT, env=environment, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until = time.monotonic() + PATIENCE
        while not _answers(environment, "/sante/vivant"):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("the demonstration did not start")
            time.sleep(0.02)
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def _answers(environment: Mapping[str, str], path: str) -> bool:
    try:
        with urllib.request.urlopen(f"http://{servers.HOST}:{environment['PORT']}{path}", timeout=30) as answer:
            return answer.status == 200
    except OSError:
        return False


def _resident(root: int) -> dict[str, float]:
    """Return {program: the megabytes of its heaviest process} among the descendants of a process."""
    parents, said = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
            said[int(folder.name)] = (folder / "cmdline").read_text(), int(status.get("VmRSS", "0").split()[0]) / 1024
            parents[int(folder.name)] = int(status["PPid"])
        except OSError:
            continue  # it ended meanwhile
    found = dict.fromkeys(PROGRAMS.values(), 0.0)
    for pid, (command, megabytes) in said.items():
        above = pid
        while above not in (0, root):
            above = parents.get(above, 0)
        for program in found:
            if above == root and program in command:
                found[program] = max(found[program], megabytes)
    return found
