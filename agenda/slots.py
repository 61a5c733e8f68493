"""The slots of an agenda: its openings cut by the duration of what is offered, less what is taken (agenda.md 7.2).

Pure. No flow of GAP writes a Slot: they are computed at each search, and told apart by what does not move, the range
and the start that the rule gives (GAP-48).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from agenda import spans
from agenda.recurrence import Occurrence
from agenda.spans import Minutes


class SlotStatus(StrEnum):
    FREE = "free"
    BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Opening:
    """A range of availability with what its rule gives. Of two that overlap the lower `priority` wins."""

    identifier: str
    occurrences: Sequence[Occurrence]
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """What can be booked, and how long it lasts, in minutes."""

    code: str
    duration: int


@dataclass(frozen=True, slots=True)
class Slot:
    start: dt.datetime
    end: dt.datetime
    status: SlotStatus
    opening: str
    service: str
    # The start that the rule gives to its range, and to itself, on the clock of the place.
    occurrence: dt.datetime
    original: dt.datetime


def slots_of(
    openings: Sequence[Opening],
    *,
    services: Sequence[Service],
    booked: Sequence[Minutes] = (),
    unavailable: Sequence[Minutes] = (),
    window: tuple[dt.datetime, dt.datetime],
) -> list[Slot]:
    """Return the slots of an agenda that begin in a window, in order; `booked` and `unavailable` are merged.

    Each range is cut from its start into slots of each service, one after the other; what is left at its end is lost.
    A slot that an appointment touches is busy (GAP-46). One that an unavailability touches does not exist unless it is
    booked (GAP-38). What is out of the window is not even cut.
    """
    found: list[Slot] = []
    for service in services:
        kept: list[Minutes] = []
        for opening in sorted(openings, key=lambda opening: opening.priority):
            apart = _cut(opening, service, window, kept)
            if not apart:
                continue
            kept = spans.merge([*kept, *(piece.minutes for piece in apart)])
            for piece in apart:
                status = _status(piece.minutes, booked, unavailable)
                if status is not None:
                    found.append(_slot(opening, service, piece, status))
    return sorted(found, key=lambda slot: (slot.start, slot.end, slot.service))


class _Piece(NamedTuple):
    start: dt.datetime
    minutes: Minutes
    occurrence: dt.datetime
    original: dt.datetime


def _cut(
    opening: Opening, service: Service, window: tuple[dt.datetime, dt.datetime], kept: Sequence[Minutes]
) -> list[_Piece]:
    """Cut the occurrences of a range into slots that begin in the window, less those that touch what is kept."""
    pieces = []
    length = dt.timedelta(minutes=service.duration)
    for occurrence in opening.occurrences:
        # From the first that begins in the window to the last: rounded up, as a negative number rounded down.
        first = max(-((occurrence.start - window[0]) // length), 0)
        last = min((occurrence.end - occurrence.start) // length, -((occurrence.start - window[1]) // length))
        begins = spans.minute(occurrence.start)
        for index in range(first, last):
            minute = begins + index * service.duration
            minutes = (minute, minute + service.duration)
            if not _touched(kept, minutes):
                away = index * length
                recurrence = occurrence.recurrence_id
                pieces.append(_Piece(occurrence.start + away, minutes, recurrence, recurrence + away))
    return pieces


def _touched(merged: Sequence[Minutes], piece: Minutes) -> bool:
    before = bisect_left(merged, (piece[1], 0))
    return before > 0 and merged[before - 1][1] > piece[0]


def _status(piece: Minutes, taken: Sequence[Minutes], closed: Sequence[Minutes]) -> SlotStatus | None:
    if _touched(taken, piece):
        return SlotStatus.BUSY
    return None if _touched(closed, piece) else SlotStatus.FREE


def _slot(opening: Opening, service: Service, piece: _Piece, status: SlotStatus) -> Slot:
    end = piece.start + dt.timedelta(minutes=service.duration)
    return Slot(piece.start, end, status, opening.identifier, service.code, piece.occurrence, piece.original)
