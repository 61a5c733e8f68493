"""What the person at the terminal sees while something takes long."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from coordination.runtime.problems import Problem, explain_command_output


def say(text: str = "") -> None:
    """One line, shown at once even through a pipe."""
    print(text, flush=True)


@contextmanager
def step(label: str) -> Iterator[None]:
    """Announce a step before it starts, and its duration once it is done."""
    started = time.monotonic()
    print(f"  {label} … ", end="", flush=True)
    try:
        yield
    except Exception:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def run_quietly(command: Sequence[str], environment: Mapping[str, str], purpose: str, folder: Path) -> str:
    """Run a Django command to the end and return what it printed; on failure, raise Problem (problems.py)."""
    return _run(command, environment, purpose, folder, stdout=subprocess.PIPE)


def run_shown(command: Sequence[str], environment: Mapping[str, str], purpose: str, folder: Path) -> None:
    """The same, its progress being shown as it goes."""
    _run(command, environment, purpose, folder, stdout=None)


def _run(
    command: Sequence[str], environment: Mapping[str, str], purpose: str, folder: Path, *, stdout: int | None
) -> str:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise explain_command_output(purpose, done.stderr or done.stdout or "", folder)
    return done.stdout or ""


def fail(problem: Problem) -> int:
    """Print the sentence on the error stream; the exit code of the command."""
    print(f"\n{problem}", file=sys.stderr, flush=True)
    return 1
