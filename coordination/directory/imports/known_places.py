"""Which structures the directory has already, small enough for each process that reads a first load.

FINESS brings three hundred thousand of them. Flat arrays hold them in some 35 MB that forked processes share,
where dictionaries take several times that and are copied by every process that counts references in them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from django.db import connection, transaction

# What a structure lends to a line without an address: name, address, postal code, town, commune, telephone.
LENT = ("name", "address", "postal_code", "town", "commune_code", "phone")


class KnownPlaces:
    """FINESS number or key of the source -> identifier, in hexadecimal, and what it lends."""

    def __init__(self, stored: Iterable[tuple] = ()) -> None:
        """`stored`: (identifier, FINESS number, key of the source, *LENT) of each structure."""
        found: list[tuple[int, int]] = []
        ids, lent, ends = bytearray(), bytearray(), array("I", [0])
        for position, (identifier, finess, key, *told) in enumerate(stored):
            found += [(hash(text), position) for text in (finess, key) if text]
            ids += identifier.bytes
            if finess and (told[1] or told[2]):
                lent += _readable("\x1f".join(told)).encode()
            ends.append(len(lent))
        found.sort()
        self._marks = array("q", [mark for mark, _ in found])
        self._positions = array("I", [position for _, position in found])
        self._ids, self._lent, self._ends = bytes(ids), bytes(lent), ends

    def __bool__(self) -> bool:
        return bool(self._marks)

    def find(self, finess: str, key: str) -> int:
        """Return where the structure with this number, else with this key, is kept; -1 when there is none."""
        place = self._find(finess) if finess else -1
        return self._find(key) if place < 0 else place

    def identifier(self, place: int) -> str:
        return self._ids[16 * place : 16 * place + 16].hex()

    def lent(self, place: int) -> list[str]:
        """Return the values of LENT, [] when the structure has no FINESS number or no address."""
        told = self._lent[self._ends[place] : self._ends[place + 1]]
        return told.decode().split("\x1f") if told else []

    def _find(self, text: str) -> int:
        # The hash of a process and of those it forks; sixty-four bits, as in the keys made from them.
        mark = hash(text)
        at = bisect_left(self._marks, mark)
        return self._positions[at] if at < len(self._marks) and self._marks[at] == mark else -1


def _readable(text: str) -> str:
    """Without what COPY would take for something else (four replacements: a translation is ten times slower)."""
    return text.replace("|", " ").replace("\\", "/").replace("\n", " ").replace("\r", " ")


def known_places() -> KnownPlaces:
    """Read them from the directory; in a transaction, so that the rows come little by little."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            f"SELECT id, finess, source_key, {', '.join(LENT)} FROM directory_structure"  # noqa: S608 - our constants
            " WHERE finess <> '' OR source_key <> ''"
        )
        return KnownPlaces(row for rows in iter(lambda: cursor.fetchmany(5000), []) for row in rows)
