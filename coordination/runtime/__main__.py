"""`python -m coordination.runtime run | test [PYTEST…] | exec [--profile P] -- COMMAND… | backup TO | restore FROM`"""

import os
import signal
import subprocess
import sys
from types import FrameType

from coordination.runtime.backing_up import back_up
from coordination.runtime.console import fail
from coordination.runtime.problems import Problem
from coordination.runtime.restoring import GivenServer, restore
from coordination.runtime.services import embedded
from coordination.runtime.supervise import restore_embedded, run
from coordination.runtime.testing import test

USAGE = (
    "Usage: python -m coordination.runtime run | test [PYTEST…] | exec [--profile run|test] -- COMMAND… | "
    "backup TO | restore FROM"
)
WHERE = {"backup": "make backup TO=a file or a folder", "restore": "make restore FROM=the file of a backup"}


def main(arguments: list[str]) -> int:
    """The exit code of the command; a Problem is one sentence on the error stream."""
    # Closing the terminal or `kill` stop us as Ctrl-C does: one way out, through the `finally`s.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        if arguments == ["run"]:
            run()
            return 0
        if arguments[:1] == ["test"]:
            return test(arguments[1:])
        if arguments[:1] in (["backup"], ["restore"]):
            return save_or_put_back(*arguments)
        if arguments[:1] == ["exec"] and "--" in arguments:
            return execute(arguments[1:])
        raise Problem(USAGE)
    except Problem as problem:
        return fail(problem)
    except KeyboardInterrupt:
        return 0 if arguments == ["run"] else 130


def execute(arguments: list[str]) -> int:
    """Run a command with the services of a profile; its exit code."""
    cut = arguments.index("--")
    options, command = arguments[:cut], arguments[cut + 1 :]
    if not command or (options and (len(options) != 2 or options[0] != "--profile")):
        raise Problem(USAGE)
    with embedded(options[1] if options else "run") as variables:
        return subprocess.run(command, env=os.environ | variables).returncode


def save_or_put_back(act: str, path: str = "", *rest: str) -> int:
    """Back up the database to a file, or restore one: that of DATABASE_URL, else the embedded one of `make run`."""
    if not path or rest:
        raise Problem(f"Where? {WHERE[act]}")
    with embedded("run", needs=("DATABASE_URL",)) as variables:
        url = variables.get("DATABASE_URL") or os.environ["DATABASE_URL"]
        if act == "backup":
            back_up(path, url)
        elif variables:
            restore_embedded(path)
        else:
            restore(path, GivenServer(url))
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
