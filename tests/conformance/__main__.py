"""`make conformance`: what the server writes, judged by programs that are not ours.

`python -m tests.conformance [--captured FOLDER] [PYTEST…]`: without a folder, the tests of the API are run first and
what they make the server write is kept; `FULL=1` asks more of the API. `--if-possible`, as `.ci/run` says it: where
the judges cannot be had, that is told and is no failure.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conformance import java, judge
from tests.fhir import capturing, packages

# Whose tests call the API, beside those of its own room.
CALLING = (
    "tests/*/test_fhir*.py", "tests/partners", "tests/circle/test_relays.py", "tests/habilitations/test_clients.py",
)  # fmt: skip


def main(arguments):
    optional = "--if-possible" in arguments
    arguments = [one for one in arguments if one != "--if-possible"]
    try:
        judge.require()
        for module in (judge.HOME, java.PARTNER):
            java.classpath(module)
    except java.Missing as missing:
        print(f"== NOT RUN: {missing}; nobody else judged what the API writes", file=sys.stderr)
        return 0 if optional else 1
    if arguments[:1] == ["--captured"]:
        captured, arguments = Path(arguments[1]).resolve(), arguments[2:]
    else:
        captured = judge.WORK / "captured"
        shutil.rmtree(captured, ignore_errors=True)
        print("== the tests of the API, what the server writes is kept", flush=True)
        found = sorted(str(path.relative_to(packages.ROOT)) for one in CALLING for path in packages.ROOT.glob(one))
        if code := _tests(captured, ["tests/fhir", *found]):
            return code
    print("== judged by others", flush=True)
    # The judge has its own term, longer than those of a test.
    terms = [f"--timeout={judge.JUDGE + 60}", "-o", f"faulthandler_timeout={judge.JUDGE + 120}"]
    return _tests(captured, ["tests/conformance", "-n0", "-s", "-rs", *terms, *arguments], CONFORMANCE="1")


def _tests(captured, arguments, **variables):
    environment = os.environ | {capturing.VARIABLE: str(captured)} | variables
    command = [sys.executable, "-m", "coordination.runtime", "test", *arguments]
    return subprocess.run(command, cwd=packages.ROOT, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
