"""Which structures the directory has already, small enough for each process that reads a first load.

FINESS brings three hundred thousand of them: two flat arrays hold them in 7 MB, where a dictionary takes ten
times that and is copied by every process that counts references in it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left

from django.db.models import Q

from coordination.directory.models import Structure


class KnownPlaces:
    """FINESS number or key of the source -> identifier, in hexadecimal."""

    def __init__(self, pairs: list[tuple[int, bytes]] | None = None) -> None:
        ordered = sorted(pairs or ())
        self._marks = array("q", [mark for mark, _ in ordered])
        self._ids = b"".join([identifier for _, identifier in ordered])

    def __bool__(self) -> bool:
        return bool(self._marks)

    def find(self, finess: str, key: str) -> str:
        """Return the identifier of the structure with this number, else with this key; "" when there is none."""
        return (self._find(finess) if finess else "") or self._find(key)

    def _find(self, text: str) -> str:
        # The hash of a process and of those it forks; sixty-four bits, as in the keys made from them.
        mark = hash(text)
        place = bisect_left(self._marks, mark)
        if place == len(self._marks) or self._marks[place] != mark:
            return ""
        return self._ids[16 * place : 16 * place + 16].hex()


def known_places() -> KnownPlaces:
    """Read them from the directory."""
    pairs = []
    stored = Structure.objects.exclude(Q(finess="") & Q(source_key="")).values_list("id", "finess", "source_key")
    for identifier, finess, key in stored.iterator(chunk_size=5000):
        pairs += [(hash(text), identifier.bytes) for text in (finess, key) if text]
    return KnownPlaces(pairs)
