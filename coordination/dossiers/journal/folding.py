"""Lines of the journal that say one thing, told once: those of one act, and the same page read again and again. Pure.

Nothing is lost: a folded line says how many it stands for and since when, and the file exported has them all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from django.utils import timezone

from coordination.dossiers.journal.reading import RIGHTS, Line
from habilitations.models import Outcome, Trace

WRITTEN = "écriture"


def folded(lines: Iterable[Line]) -> list[Line]:
    """Return the lines, newest first as given, those that say one thing put together.

    A line to check, or about which something was asked, stands by itself.
    """
    told: list[Line] = []
    # The door writes first and once: with its line, an act is whole. Who sends his requests under one identifier does
    # not hide the others behind the last.
    whole = False
    for line in lines:
        newer = told[-1] if told else None
        if newer is None or not (_is_plain(line) and _is_plain(newer)):
            told.append(line)
            whole = False
        elif not whole and _is_one_act(newer.trace, line.trace):
            told[-1] = _with_right(newer, line)
            whole = line.trace.action == WRITTEN
        elif _says(newer) == _says(line):
            told[-1] = replace(newer, times=newer.times + 1, first_at=line.trace.at)
        else:
            told.append(line)
            whole = False
    return told


def _is_plain(line: Line) -> bool:
    return not line.unusual and line.question is None and line.trace.outcome == Outcome.OK


def _is_one_act(newer: Trace, older: Trace) -> bool:
    """Say whether the older line is of the request that changed the right told by the newer one.

    The door writes that somebody wrote in the circle, then the act says which right it changed, in one request. What
    was written elsewhere in that request (the state of the dossier) is told beside.
    """
    if newer.action not in RIGHTS or not newer.request_id:
        return False
    if _where(newer) != _where(older):
        return False
    return older.action == WRITTEN or (newer.action == older.action and newer.object_id == older.object_id)


def _where(trace: Trace) -> tuple:
    return trace.request_id, trace.dossier_id, trace.actor_id, trace.rubrique


def _with_right(newer: Line, older: Line) -> Line:
    if older.trace.action not in RIGHTS:
        return newer
    return replace(newer, reasons=(older.trace.reason, *newer.reasons))


def _says(line: Line) -> tuple:
    trace = line.trace
    return (
        timezone.localdate(trace.at), trace.dossier_id, trace.actor_id, trace.actor_name, trace.on_behalf_of_id,
        trace.software, trace.action, trace.rubrique, trace.object_id, line.reasons, line.opened_at, line.through,
        # Two changes of one right are two acts, even in the same words.
        trace.pk if trace.action in RIGHTS else None,
    )  # fmt: skip
