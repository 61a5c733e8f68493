"""Which of the words name a workplace: "simon selarl ben felmet", "ehpad les tilleuls martin". Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from coordination.directory.search.lexicon import Lexicon

MAX_NAMES = 3
SHORTEST = 3

# What a structure's name begins with in everyday talk: from such a word on, a workplace is being named.
_ANNOUNCING = frozenset({
    "association", "cabinet", "camsp", "ccas", "centre", "ch", "chr", "chru", "chs", "chu", "clic", "clinique", "cmp",
    "cmpp", "cpts", "csapa", "dac", "eam", "ehpa", "ehpad", "esat", "fam", "fondation", "foyer", "gcs", "gcsms", "ghu",
    "had", "hopital", "ime", "institut", "itep", "laboratoire", "maison", "mas", "mdph", "msp", "officine",
    "pharmacie", "pmi", "polyclinique", "pta", "residence", "saad", "samsah", "sarl", "savs", "scm", "scp", "sel",
    "selarl", "selas", "service", "sessad", "sisa", "smr", "spasad", "ssiad", "ssr", "uems", "usld",
})  # fmt: skip
_LINKS = frozenset({"les", "des", "aux"})


@dataclass(frozen=True, slots=True)
class Cut:
    """Words shared out: those of somebody's name (none: whoever works there), those of the workplace's."""

    names: tuple[str, ...]
    workplace: tuple[str, ...]


def telling(words: Sequence[str]) -> list[str]:
    """Return the words of a structure's name that are worth asking its index."""
    return [w for w in words if len(w) >= SHORTEST and w not in _LINKS]


def announced(words: Sequence[str], lexicon: Lexicon) -> list[Cut]:
    """Return the cuts where the workplace starts with a word that says so, the names being before or at the end."""
    start = next((at for at, word in enumerate(words) if word in _ANNOUNCING), None)
    if start is None:
        return []
    before, rest = tuple(words[:start]), tuple(words[start:])
    cuts = [Cut(before, rest)]
    if not before:
        cuts += [Cut(rest[-size:], rest[:-size]) for size in range(1, min(MAX_NAMES, len(rest)))]
    return [c for c in cuts if _is_workplace(c.workplace, lexicon) and (c is cuts[0] or lexicon.is_somebody(c.names))]


def possible(words: Sequence[str], lexicon: Lexicon) -> Iterable[Cut]:
    """Yield the cuts where somebody's whole name stands at either end and structures hold all the other words."""
    for size in range(1, min(MAX_NAMES, len(words) - 1) + 1):
        for names, rest in ((words[:size], words[size:]), (words[-size:], words[:-size])):
            if len(lexicon.structure_words) and _is_workplace(rest, lexicon) and lexicon.is_somebody(names):
                yield Cut(tuple(names), tuple(rest))


def _is_workplace(words: Sequence[str], lexicon: Lexicon) -> bool:
    known = lexicon.structure_words
    return bool(telling(words)) and (not len(known) or all(known.begins(word) for word in telling(words)))
