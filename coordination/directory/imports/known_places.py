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
        """`stored`: (identifier in hexadecimal, FINESS number, key of the source, LENT joined) of each structure."""
        found: list[int] = []
        ids, lent, ends = bytearray(), bytearray(), array("I", [0])
        for position, (identifier, finess, key, told) in enumerate(stored):
            # One number each, sorted several times quicker than pairs.
            if finess:
                found.append(hash(finess) << 32 | position)
            if key:
                found.append(hash(key) << 32 | position)
            ids += bytes.fromhex(identifier)
            lent += told.encode()
            ends.append(len(lent))
        found.sort()
        self._marks = array("q", [number >> 32 for number in found])
        self._positions = array("I", [number & 0xFFFFFFFF for number in found])
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


def known_places() -> KnownPlaces:
    """Read them from the directory; in a transaction, so that the rows come little by little."""
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(
            "SELECT replace(id::text, '-', ''), finess, source_key,"
            # Without what COPY would take for something else.
            " CASE WHEN finess <> '' AND (address <> '' OR postal_code <> '')"
            f" THEN translate(concat_ws(E'\\x1f', {', '.join(LENT)}), E'|\\\\\\n\\r', ' /  ')"
            " ELSE '' END FROM directory_structure WHERE finess <> '' OR source_key <> ''"  # noqa: S608 - our constants
        )
        return KnownPlaces(row for rows in iter(lambda: cursor.fetchmany(5000), []) for row in rows)
