"""One slip of the keyboard: which spellings to try when the text as typed finds nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coordination.common.nomenclatures import synonyms
from coordination.directory.search import branches, places
from coordination.directory.search.branches import Branch, NameMatch
from coordination.directory.search.lexicon import Lexicon
from coordination.directory.search.names import NameIndex, splits
from coordination.directory.search.reading import Reading, are_too_many

SHORTEST = 4
LONG = 9
MAX_SPELLINGS = 24
FEW_SPELLINGS = 2
LONGEST_TOWN = 6
READINGS = 3
OF_NAMES = 6
OF_OTHERS = 3
MAX_CORRECTIONS = 14


def of_readings(
    readings: Sequence[Reading], lexicon: Lexicon, *, near: str, whole: Reading | None = None
) -> list[Branch]:
    """Return the branches of the readings with one thing corrected, likeliest first; empty when nothing is near.

    In order: a name respelt, the same name in another town, a town respelt, a trade respelt. `whole` is the reading
    that took no word for a town: given when the text may hold a misspelt one.
    """
    found: list[Branch] = []
    others: list[Reading] = []
    for reading in readings[:READINGS]:
        if reading.names:
            pairs = _name_pairs(reading.names, lexicon)
            found.extend(branches.of_corrections(reading, pairs, near=near)[:OF_NAMES])
        if reading.places and len(reading.names) > 1:
            # Right name, other town: people move.
            others.append(replace(reading, places=(), ranks=branches.DOUBTFUL))
    if whole:
        others.extend(_towns_respelt(whole, lexicon, near))
    for reading in readings[:READINGS]:
        if not reading.targets:
            others.extend(_trade_respelt(reading, lexicon))
    for other in dict.fromkeys(others):
        found.extend(branches.of_readings([other], lexicon, near=near, tried=False)[:OF_OTHERS])
    return list(dict.fromkeys(found))[:MAX_CORRECTIONS]


def _towns_respelt(whole: Reading, lexicon: Lexicon, near: str) -> Iterable[Reading]:
    """Yield the reading with its last or first words taken as a misspelt town, the longest stretch first."""
    names = whole.names
    most = len(names) if whole.targets else len(names) - 1
    for size in range(min(most, LONGEST_TOWN), 0, -1):
        for stretch, rest in ((names[-size:], names[:-size]), (names[:size], names[size:])):
            key = "".join(stretch)
            if are_too_many(rest) or len(key) < SHORTEST or (size == 1 and _is_name(key, lexicon)):
                continue
            for town, _ in lexicon.towns.nearest(key, limit=FEW_SPELLINGS):
                where = places.narrow(places.of_town(town), near, None)
                if where:
                    yield replace(whole, names=rest, places=where[:FEW_SPELLINGS], ranks=branches.DOUBTFUL)


def _trade_respelt(reading: Reading, lexicon: Lexicon) -> Iterable[Reading]:
    for word in reading.names:
        if len(word) <= SHORTEST or _is_name(word, lexicon):
            continue
        for phrase, _ in lexicon.professions.nearest(word, limit=1):
            names = tuple(n for n in reading.names if n != word)
            targets = synonyms.terms()[phrase].targets
            yield replace(reading, names=names, targets=targets, ranks=branches.DOUBTFUL)


def _is_name(word: str, lexicon: Lexicon) -> bool:
    return lexicon.family.holds(word) or lexicon.given.holds(word)


def _name_pairs(names: Sequence[str], lexicon: Lexicon) -> Iterable[tuple[NameMatch | None, NameMatch | None]]:
    """Yield (family, given) conditions with one side respelt, the other as typed."""
    late = []
    for family, given in splits(names):
        if not family:
            continue
        family_key, given_key = "".join(family), "".join(given)
        if not given_key or lexicon.given.begins(given_key):
            if respelt := _respelt("search_family", family_key, lexicon.family):
                yield respelt, NameMatch("search_given", given_key, begins=" ".join(given)) if given else None
                if given and (others := lexicon.given.named(given_key, MAX_SPELLINGS)) != [" ".join(given)]:
                    late.append((respelt, NameMatch("search_given", given_key, among=tuple(others))))
        if given_key and lexicon.family.begins(family_key):
            if respelt := _respelt("search_given", given_key, lexicon.given):
                late.append((NameMatch("search_family", family_key, begins=" ".join(family)), respelt))
    yield from late


def _respelt(column: str, key: str, index: NameIndex) -> NameMatch | None:
    if len(key) < SHORTEST:
        return None
    nearest = index.nearest(key, limit=MAX_SPELLINGS, distance=2 if len(key) >= LONG else 1)
    return NameMatch(column, key, among=tuple(name for name, _ in nearest)) if nearest else None
