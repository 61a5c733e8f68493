"""Distinct names of the directory, in memory: which ones begin like this, which ones are one slip away.

Pure. A name is kept folded ("de la tour"). Its keys are what people may type for it, without spaces: the whole
("delatour"), the whole without particles, and every ending that starts at a word ("latour", "tour"), so that
"Larrieu" finds EXEMPLE-LARRIEU and "Delatour" finds DE LA TOUR.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import islice

from rapidfuzz import process
from rapidfuzz.distance import OSA

from coordination.common.text import PARTICLES

# One more than the largest character: the end of the range of everything that begins with a prefix.
LAST = "\U0010ffff"
SHORTEST_ENDING = 3

# The keys of one length that begin (or end) with one letter, and which name each is a key of.
_Shelf = tuple[list[str], array]
_NOTHING: _Shelf = ([], array("I"))


def keys_of(name: str) -> Iterable[str]:
    """Return the keys of a folded name, the whole first.

    >>> list(keys_of("de la tour"))
    ['delatour', 'latour', 'tour']
    """
    if " " not in name:
        return (name,)
    words = name.split()
    found = ["".join(words[i:]) for i in range(len(words))]
    found.append("".join(w for w in words if w not in PARTICLES))
    endings = (k for k in found[1:] if len(k) >= SHORTEST_ENDING)
    return dict.fromkeys([found[0], *endings])


def splits(names: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Return every (family, given) cut of name words, either order; likeliest first.

    >>> splits(("martin", "jean"))[:2]
    [(('martin',), ('jean',)), (('jean',), ('martin',))]
    """
    words = tuple(names)
    cuts: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for at in range(1, len(words)):
        cuts.append((words[:at], words[at:]))
        cuts.append((words[at:], words[:at]))
    cuts.append((words, ()))
    if len(words) <= 2:
        cuts.append(((), words))
    return cuts


class NameIndex:
    """Names with the number of people (or places) that hold them; built once, then only read."""

    def __init__(self, names: Iterable[tuple[str, int]]) -> None:
        self.names: list[str] = []
        self.counts = array("I")
        pairs: list[tuple[str, int]] = []
        for name, count in names:
            position = len(self.names)
            self.names.append(name)
            self.counts.append(count)
            pairs.extend((key, position) for key in keys_of(name))
        pairs.sort()
        self.keys = [key for key, _ in pairs]
        self._owners = array("I", (owner for _, owner in pairs))
        self._shelves: dict[tuple[int, str], _Shelf] | None = None

    def __len__(self) -> int:
        return len(self.names)

    def begins(self, key: str) -> bool:
        """Return whether some name has a key that begins with `key` (no space inside)."""
        at = bisect_left(self.keys, key)
        return at < len(self.keys) and self.keys[at].startswith(key)

    def holds(self, key: str) -> bool:
        """Return whether `key` is exactly a key of some name."""
        at = bisect_left(self.keys, key)
        return at < len(self.keys) and self.keys[at] == key

    def begins_with_words(self, text: str) -> bool:
        """Return whether some name begins with this text, words apart as typed ("le g" yes, "leg" no for LE GOFF)."""
        key = text.replace(" ", "")
        if not self.begins(key) or " " not in text:
            return self.begins(key)
        return any(self.names[o].startswith(text) for o in islice(self._between(key, key + LAST), 200))

    def is_common(self, key: str, many: int) -> bool:
        """Return whether at least `many` rows hold exactly this name."""
        return sum(self.counts[o] for o in islice(self._between(key, f"{key}\x00"), 50)) >= many

    def is_held_by_many(self, key: str, many: int) -> bool:
        """Return whether more than `many` rows have a name that begins with `key`, or whether that is unknown."""
        held, seen = 0, False
        for owner in self._between(key, key + LAST):
            seen = True
            held += self.counts[owner]
            if held > many:
                return True
        return not seen

    def named(self, key: str, limit: int = 40) -> list[str]:
        """Return the names of which one key is exactly `key`, most held first."""
        return self._most_held(self._between(key, f"{key}\x00"), limit)

    def beginning(self, key: str, limit: int = 40) -> list[str]:
        """Return the names of which one key begins with `key`: exact ones first, then the most held."""
        exact = self.named(key, limit)
        # A two-letter prefix has thousands of names: the caller then reads the table by range instead.
        longer = self._most_held(islice(self._between(f"{key}\x00", key + LAST), 2000), limit)
        return list(dict.fromkeys([*exact, *longer]))[:limit]

    def nearest(self, key: str, *, limit: int = 24, distance: int = 1) -> list[tuple[str, int]]:
        """Return (name, slips) for names of which a key is within `distance` slips of `key`, nearest first.

        A slip is a letter added, left out, replaced, or two neighbours swapped (optimal string alignment).
        A single slip spares the first or the last letter, so only keys sharing one of them are compared.
        """
        shelves = self._by_length_and_ends()
        best: dict[int, int] = {}
        for length in range(max(1, len(key) - distance), len(key) + distance + 1):
            for end in (f"^{key[0]}", f"{key[-1]}$"):
                shelf, owners = shelves.get((length, end), _NOTHING)
                for _, slips, at in process.extract(
                    key, shelf, scorer=OSA.distance, score_cutoff=distance, limit=None
                ):
                    best[owners[at]] = min(slips, best.get(owners[at], slips))
        ranked = sorted(best.items(), key=lambda pair: (pair[1], -self.counts[pair[0]]))
        return [(self.names[owner], slips) for owner, slips in ranked[:limit]]

    def _between(self, low: str, high: str) -> Iterable[int]:
        start, end = bisect_left(self.keys, low), bisect_left(self.keys, high)
        return (self._owners[i] for i in range(start, end))

    def _most_held(self, owners: Iterable[int], limit: int) -> list[str]:
        ranked = sorted(set(owners), key=lambda o: -self.counts[o])
        return [self.names[o] for o in ranked[:limit]]

    def _by_length_and_ends(self) -> dict[tuple[int, str], _Shelf]:
        if self._shelves is None:
            shelves: dict[tuple[int, str], _Shelf] = defaultdict(lambda: ([], array("I")))
            for key, owner in zip(self.keys, self._owners, strict=True):
                for end in (f"^{key[:1]}", f"{key[-1:]}$"):
                    keys, owners = shelves[len(key), end]
                    keys.append(key)
                    owners.append(owner)
            self._shelves = dict(shelves)
        return self._shelves
