"""What `make test` runs, with its arguments; what failed among two thousand others is then asked once more, alone.

A test that fails alone too is red. One that does not is named as a finding of the run (REL-22: there should be none),
to be mended: it waits for what a busy machine is late to give, or depends on its neighbours. More than a handful, or a
run that did not go to its end, is not asked again. docs/decisions/2026-11-30-asked-once-more.md
"""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FAILED = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
NAMES = ROOT / ".data" / "asked-again"
HANDFUL = 5
TESTS_FAILED = 1


def suite(*arguments: str, **environment: str) -> int:
    command = [str(ROOT / ".venv" / "bin" / "python"), "-m", "coordination.runtime", "test", *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | environment).returncode  # noqa: S603 - our own command


def main(arguments: list[str]) -> int:
    """Return the exit code of the suite, 0 if each of the few that failed passes alone."""
    code = suite(*arguments)
    if code != TESTS_FAILED:
        return code
    failed = sorted(json.loads(FAILED.read_text()))
    if len(failed) > HANDFUL:
        return code
    NAMES.parent.mkdir(exist_ok=True)
    NAMES.write_text("\n".join(failed))
    say(f"{len(failed)} failed: asked once more, alone.")
    # Neither judged again by programs that are not ours, nor several at once.
    if code := suite(f"@{NAMES}", "-n0", FHIR_CAPTURE_DIR=""):
        return code
    for name in failed:
        say(f"RED ONCE, then green alone, to be mended: {name}")
    return 0


def say(line: str) -> None:
    print(f"== {line}", flush=True)  # noqa: T201 - the log of CI


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
