"""REL-18: no connection left, no room on the disk, no memory. A clean 503 in French, and back without a hand."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.chaos import load
from tests.chaos.figures import Figure
from tests.chaos.load import Act, Acts, Attempt
from tests.chaos.stage import Stage, children_of, judge_connection
from tests.chaos.town import Town

BACK_WITHIN = 30.0
BEGUN_AFTER = 0.5
WORDS = "Le service est momentanément indisponible"
# The cluster of the scenarios, its journal of writes, and what an hour of acts adds.
SMALL_DISK = 700_000_000
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> ALL(%s) AND backend_type = 'client backend' AND usename = current_user"
)


@dataclass
class Shortage:
    """`back`: seconds after relief until the pages answered again. `unclean`: what was neither 2xx nor a clean 503."""

    name: str
    attempts: list[Attempt] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    back: float = 0.0


def without_connections(stage: Stage, town: Town, *, seconds: float, seed: int) -> Shortage:
    """Take every connection that PostgreSQL gives, those of the product included."""
    with ExitStack() as taken:
        lines = _take_all(stage, taken)
        # What the product still holds is taken too, as a leak would in the end.
        lines[0].execute(OTHERS, [[line.info.backend_pid for line in lines]])
        lines += _take_all(stage, taken)
        until = time.monotonic() + seconds
        return _asked(stage, town, "no connection left", seed, until, taken.close)


def _take_all(stage: Stage, taken: ExitStack) -> list[psycopg.Connection]:
    lines = []
    until = time.monotonic() + 5
    refusals = 0
    while refusals < 10 and time.monotonic() < until:
        try:
            lines.append(taken.enter_context(judge_connection(stage)))
        except psycopg.OperationalError:
            refusals += 1
            time.sleep(0.02)
    return lines


@contextmanager
def small_disk() -> Iterator[Path | None]:
    """A disk that is soon full; None where one may not be mounted."""
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK},mode=0711", "tmpfs", name]
        is_mounted = os.geteuid() == 0 and subprocess.run(command, capture_output=True).returncode == 0
        try:
            yield Path(name) if is_mounted else None
        finally:
            if is_mounted:
                subprocess.run(["umount", "--lazy", name], check=True)


def without_room(stage: Stage, town: Town, *, seconds: float, seed: int) -> Shortage:
    """Fill the disk of PostgreSQL to its last byte. The stage must be on a small one."""
    ballast = stage.folder / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    try:
        return _asked(stage, town, "disk full", seed, time.monotonic() + seconds, ballast.unlink)
    finally:
        ballast.unlink(missing_ok=True)


def without_memory(stage: Stage, town: Town, *, seconds: float, seed: int) -> Shortage:
    """Give the processes of the web no byte more than they have, those that take the place of others too."""
    seen: dict[int, float] = {}
    limited: set[int] = set()

    def limit() -> None:
        for pid in set(children_of(stage.pid("web"))) - limited:
            # One that has just been made is let begin: a web that cannot start is systemd's.
            if time.monotonic() - seen.setdefault(pid, time.monotonic()) > BEGUN_AFTER:
                with suppress(ProcessLookupError, FileNotFoundError):
                    size = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
                    resource.prlimit(pid, resource.RLIMIT_AS, (size, resource.RLIM_INFINITY))
                    limited.add(pid)

    def relieve() -> None:
        for pid in limited:
            # Gone, and replaced by one without a limit.
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    seen.update(dict.fromkeys(children_of(stage.pid("web")), 0.0))
    until = time.monotonic() + seconds
    return _asked(stage, town, "no memory left for the web", seed, until, relieve, before=limit, may_be_cut=True)


def _asked(
    stage: Stage, town: Town, name: str, seed: int, until: float, relieve: Callable[[], object], *,
    before: Callable[[], object] = lambda: None, may_be_cut: bool = False,
) -> Shortage:  # fmt: skip
    acts = Acts(town, random.Random(seed))
    found = Shortage(name)
    while time.monotonic() < until:
        before()
        act = acts.next()
        attempt = load.send(stage.port, act)
        found.attempts.append(attempt)
        if wrong := _unclean(act, attempt, may_be_cut):
            found.unclean.append(wrong)
    relieve()
    found.back = _back(stage, town, seed)
    return found


def _unclean(act: Act, attempt: Attempt, may_be_cut: bool) -> str:
    if 200 <= attempt.status < 400 or (may_be_cut and attempt.status == load.CUT):
        return ""
    wanted = "momentanément indisponible" if act.kind == "fhir" else WORDS
    if attempt.status == 503 and wanted in attempt.said and attempt.seconds < 2:
        return ""
    return f"{attempt.status} {act.kind} in {attempt.seconds:.1f} s"


def _back(stage: Stage, town: Town, seed: int) -> float:
    """Return the seconds until ten acts in a row are done, a person trying all the time."""
    acts = Acts(town, random.Random(seed + 1))
    began, well, last_bad = time.monotonic(), 0, 0.0
    while well < 10 and time.monotonic() - began < 2 * BACK_WITHIN:
        if 200 <= load.send(stage.port, acts.next()).status < 400:
            well += 1
        else:
            well, last_bad = 0, time.monotonic() - began
            time.sleep(0.1)
    return last_bad if well == 10 else 2 * BACK_WITHIN


def figures(found: list[Shortage]) -> list[Figure]:
    lines = []
    for one in found:
        said = ", ".join(f"{count} {what}" for what, count in load.statuses(one.attempts).most_common())
        unclean = f"; unclean: {', '.join(one.unclean[:3])}" if one.unclean else ""
        lines.append(Figure(
            "REL-18", one.name.capitalize(), f"{said}{unclean}; back {one.back:.1f} s after relief",
            f"2xx or a 503 in French, back ≤ {BACK_WITHIN:.0f} s", not one.unclean and one.back <= BACK_WITHIN,
        ))  # fmt: skip
    return lines
