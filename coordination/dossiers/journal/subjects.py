"""Which member a line of the journal is about: a name read when the line is shown, never stored in the journal.

The floors forbid the dossier to know the circle: the room that knows names of a kind of object registers here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

from coordination.dossiers.journal.reading import Line

Namer = Callable[[object, set[UUID]], Mapping[UUID, str]]
_namers: dict[str, Namer] = {}


def register(object_kind: str, namer: Namer) -> None:
    """Offer the names of one kind of object: `namer(entry, ids)` returns those the reader may see, one statement."""
    _namers[object_kind] = namer


def with_subjects(entry, lines: list[Line]) -> list[Line]:
    """Return the lines, with whom they are about when the reader may know. One SQL statement per kind of object."""
    names: dict[UUID, str] = {}
    for kind, namer in _namers.items():
        ids = {line.trace.object_id for line in lines if line.trace.object_kind == kind and line.trace.object_id}
        if ids:
            names |= namer(entry, ids)
    return [replace(line, subject=name) if (name := names.get(line.trace.object_id, "")) else line for line in lines]
