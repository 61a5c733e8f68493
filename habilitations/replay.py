"""A past decision seen again: what the version of its day gave, and what the one in force gives."""

from __future__ import annotations

from typing import NamedTuple

from habilitations import published
from habilitations.models import MatrixVersion, Trace
from habilitations.rubriques import Niveau


class Replay(NamedTuple):
    """`then` is None when the version was never published here: nothing can be said of that day."""

    profile: str
    rubrique: str
    version: int
    then: Niveau | None
    now: Niveau


def replay(version: int, profile: str, rubrique: str) -> Replay:
    """Return the level a profile had on a rubric in a version, and the one it has today.

    It is the matrix's answer: the state of the dossier may have lowered it, and nothing raises it (rule 2).
    """
    known = MatrixVersion.objects.filter(number=version).exists()
    current = published.current()
    # On its day the rubric was in use: what is withdrawn since is said by « now » alone.
    then = published.matrix(version).given(profile, rubrique) if known else None
    return Replay(profile, rubrique, version, then, current.level(profile, rubrique))


def replay_trace(trace: Trace) -> Replay:
    """Return the decision behind a line of the journal, on the version of its day."""
    return replay(trace.matrix_version, trace.profile, trace.rubrique)
