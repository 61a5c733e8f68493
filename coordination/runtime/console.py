"""What the person at the terminal sees while something takes long."""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from coordination.runtime.problems import Problem


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


def run_quietly(command: Sequence[str], environment: Mapping[str, str], purpose: str) -> str:
    """Run to the end and return what was printed; on failure, raise Problem with the last lines."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise Problem(f"{purpose} failed:\n{last}")
    return done.stdout


def fail(problem: Problem) -> int:
    """Print the sentence on the error stream; the exit code of the command."""
    print(f"\n{problem}", file=sys.stderr, flush=True)
    return 1
