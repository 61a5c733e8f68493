"""How much of the processor a server and its PostgreSQL take: told even when the machine does other things."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def spent() -> float:
    """Return the seconds taken so far by what this process has started and still runs, and by PostgreSQL.

    PostgreSQL counts when it is reached by its socket: it is then on this machine.
    """
    children, taken = _processes()
    running = _under(children, os.getpid())
    if postmaster := _postmaster(children):
        # What its sessions that are over took is told of it.
        running |= {postmaster} | _under(children, postmaster)
    return sum(taken[pid] for pid in running) / TICKS


def _processes() -> tuple[dict[int, set[int]], dict[int, int]]:
    """Return ({process: its children}, {process: ticks taken, those of its children that ended included})."""
    children, taken = defaultdict(set), {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            # After the name, in brackets, which may hold anything: state, parent… user, system, and of dead children.
            told = file.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        pid = int(file.parent.name)
        children[int(told[1])].add(pid)
        taken[pid] = sum(int(ticks) for ticks in told[11:15])
    return children, taken


def _under(children: dict[int, set[int]], pid: int) -> set[int]:
    found = set(children.get(pid, ()))
    for child in tuple(found):
        found |= _under(children, child)
    return found


def _postmaster(children: dict[int, set[int]]) -> int | None:
    from django.db import connection

    if not str(connection.settings_dict["HOST"]).startswith("/"):
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (session,) = cursor.fetchone()
    return next((pid for pid, its in children.items() if session in its), None)
