"""Two events that may be one, told by two sources. Pure: what is read is given, nothing is decided for anybody.

Source: issue 5 §1 (same time and participants; AGD-2). The person is in most events of her agenda, and two carers at
once are normal: she never makes a double by herself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from coordination.common.text import fold

NEAR = dt.timedelta(minutes=5)


class Told(NamedTuple):
    """What is compared of an event. `source`: who says it; `keys`: who attends, the person left out."""

    id: UUID
    source: UUID | str | None
    kind: str
    starts_at: dt.datetime
    place: str
    keys: frozenset[UUID]


def pairs(events: Iterable[Told], apart: Iterable[tuple[UUID, UUID]] = ()) -> list[tuple[UUID, UUID]]:
    """Return the pairs of ids that look like one event, the earlier first, those kept `apart` left out.

    Same start within five minutes, from two sources, and somebody in common or the same kind at the same place.
    """
    known = {frozenset(pair) for pair in apart}
    ordered = sorted(events, key=lambda told: (told.starts_at, told.id))
    found = []
    for rank, one in enumerate(ordered):
        for other in ordered[rank + 1 :]:
            if other.starts_at - one.starts_at > NEAR:
                break
            if _alike(one, other) and frozenset((one.id, other.id)) not in known:
                found.append((one.id, other.id))
    return found


def _alike(one: Told, other: Told) -> bool:
    if one.source == other.source:
        return False
    place = fold(one.place)
    return bool(one.keys & other.keys) or (one.kind == other.kind and bool(place) and place == fold(other.place))
