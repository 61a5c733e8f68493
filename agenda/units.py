"""A window of time as one integer, a bit for each unit, and sums over the whole window at once.

Pure. What common slots are found with: an agenda of 28 days by quarters of an hour is an integer of 2,688 bits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from agenda import spans
from agenda.spans import Minutes


@dataclass(frozen=True, slots=True)
class Grid:
    """The window in units; bit 0 of every integer is the unit at `origin`."""

    origin: int
    unit: int
    size: int

    @property
    def all(self) -> int:
        return (1 << self.size) - 1

    def bits(self, taken: Iterable[Minutes]) -> int:
        """Return the units that are touched; an empty span touches none."""
        origin, unit, size, bits = self.origin, self.unit, self.size, 0
        for start, end in taken:
            if start >= end:
                continue
            first = (start - origin) // unit
            after = -((origin - end) // unit)
            if first < 0:
                first = 0
            if after > size:
                after = size
            if first < after:
                bits |= (1 << after) - (1 << first)
        return bits

    def whole(self, opened: Iterable[Minutes]) -> int:
        """Return the units that are covered."""
        origin, unit = self.origin, self.unit
        shifted = ((-((origin - start) // unit), (end - origin) // unit) for start, end in spans.merge(opened))
        return Grid(0, 1, self.size).bits(shifted)


def kept(bits: int, units: int) -> int:
    """Return from which units on the bits stay set for so many units."""
    have = 1
    while have < units:
        more = min(have, units - have)
        bits &= bits >> more
        have += more
    return bits


class Tally:
    """How many people, for each unit of the window: bit i of the counts is in plane i."""

    def __init__(self) -> None:
        self.planes: list[int] = []

    def add(self, bits: int) -> None:
        """Count one more on these units: a sum with carry, of all units together."""
        for index, plane in enumerate(self.planes):
            self.planes[index] = plane ^ bits
            bits &= plane
            if not bits:
                return
        if bits:
            self.planes.append(bits)

    def most(self, among: int) -> int:
        """Return those among units where the count is highest."""
        for plane in reversed(self.planes):
            among = among & plane or among
        return among

    def least(self, among: int) -> int:
        """Return those among units where the count is lowest."""
        for plane in reversed(self.planes):
            among = among & ~plane or among
        return among

    def at_least(self, number: int, among: int) -> int:
        """Return those among units where the count reaches a number."""
        if number >> len(self.planes):
            return 0
        above, equal = 0, among
        for index in reversed(range(len(self.planes))):
            plane = self.planes[index]
            if number >> index & 1:
                equal &= plane
            else:
                above |= equal & plane
                equal &= ~plane
        return above | equal


def shifted(bits: int, by: int) -> int:
    """Return the same units later, or earlier if `by` is negative."""
    return bits << by if by >= 0 else bits >> -by
