"""`make planted`: plant every fault in turn, say which are caught, write docs/planted-faults.md.

make planted ARGS="door feed"        the faults whose name holds one of these
make planted ARGS="--from 21"        those from the 21st of the list
make planted ARGS="--minutes 8"      stop after so long, and say where
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from coordination.runtime.console import say
from tests.planted import page
from tests.planted.faults import Fault, faults, wanted
from tests.planted.planting import CAUGHT, MISSED, Verdict, copied, judged, planted

# The database of tests that the runs share; it is made again by the first of them.
SUFFIX = "planted"


def main(arguments: list[str]) -> int:
    """Return 0 when the page, written again, has enough of them caught."""
    asked = _read(arguments)
    every = faults()
    until = time.monotonic() + asked.minutes * 60
    verdicts: dict[str, Verdict] = {}
    with copied() as copy:
        chosen = [one for one in every[asked.start - 1 :] if _is_asked(one, asked.names)]
        if not _is_green(copy, chosen, made_again=asked.create_db):
            return 1
        for fault in chosen:
            if time.monotonic() > until:
                say(f"Stopped before {fault.id}: go on with --from {every.index(fault) + 1}")
                break
            with planted(copy, fault):
                verdict = verdicts[fault.id] = judged(copy, fault.tests, suffix=SUFFIX)
            say(f"{every.index(fault) + 1:3} {verdict.said:13} {verdict.seconds:4.0f} s  {fault.id}  {verdict.by}")
            if verdict.said != CAUGHT:
                say(verdict.output)
    caught = page.write(every, verdicts)
    say(f"{caught} of {len(every)} caught: docs/planted-faults.md")
    return 0 if caught >= wanted(len(every)) else 1


def _read(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description="Plants security faults.")
    parser.add_argument("names", nargs="*", help="parts of the names of faults")
    parser.add_argument("--from", dest="start", type=int, default=1, help="rank of the first one")
    parser.add_argument("--minutes", type=float, default=600, help="stop after so long")
    parser.add_argument("--create-db", action="store_true", help="make the database again (after a migration)")
    return parser.parse_args(arguments)


def _is_asked(fault: Fault, names: list[str]) -> bool:
    return not names or any(name in fault.id for name in names)


def _is_green(copy: Path, chosen: list[Fault], *, made_again: bool) -> bool:
    """Run the tests of all these faults without any of them: red ones would catch anything."""
    tests = list(dict.fromkeys(test for fault in chosen for test in fault.tests))
    verdict = judged(copy, [*tests, *(["--create-db"] if made_again else [])], suffix=SUFFIX)
    if verdict.said == MISSED:
        say(f"Without a fault: {len(tests)} tests or modules green, {verdict.seconds:.0f} s")
        return True
    say(f"Not green without any fault, so nothing would be shown.\n{verdict.output}")
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
