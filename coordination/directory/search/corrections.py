"""One slip of the keyboard: which spellings to try when the text as typed finds nobody. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coordination.common.nomenclatures import synonyms
from coordination.directory.search import branches, places
from coordination.directory.search.branches import Branch, NameMatch
from coordination.directory.search.lexicon import Lexicon
from coordination.directory.search.names import NameIndex
from coordination.directory.search.reading import Reading, splits

SHORTEST = 4
LONG = 9
MAX_SPELLINGS = 24
FEW_SPELLINGS = 3


def of_readings(readings: Sequence[Reading], lexicon: Lexicon, *, near: str) -> list[Branch]:
    """Return the branches of the readings with one word corrected, likeliest first; empty when nothing is near."""
    found: list[Branch] = []
    for reading in readings[:2]:
        if not reading.names:
            continue
        if reading.places and len(reading.names) > 1:
            # Right name, other town: people move.
            elsewhere = replace(reading, places=(), ranks=branches.DOUBTFUL)
            found.extend(branches.of_readings([elsewhere], lexicon, near=near))
        unknown = [w for w in reading.names if not _is_known(w, lexicon)]
        if len(unknown) == 1 and (len(reading.names) > 1 or reading.places or reading.targets):
            for other in _as_place_or_trade(reading, unknown[0], lexicon, near):
                found.extend(branches.of_readings([other], lexicon, near=near))
        found.extend(branches.of_corrections(reading, _name_pairs(reading.names, lexicon), near=near))
    return list(dict.fromkeys(found))[: branches.MAX_BRANCHES]


def _is_known(word: str, lexicon: Lexicon) -> bool:
    return lexicon.family.begins(word) or lexicon.given.begins(word)


def _as_place_or_trade(reading: Reading, word: str, lexicon: Lexicon, near: str) -> Iterable[Reading]:
    """Yield the reading with the unknown word taken as a misspelt town, then as a misspelt trade."""
    names = tuple(n for n in reading.names if n != word)
    if not reading.places and len(word) >= SHORTEST:
        for town, _ in lexicon.towns.nearest(word, limit=FEW_SPELLINGS):
            where = places.narrow(places.of_town(town), near, None)
            if where:
                yield replace(reading, names=names, places=where, ranks=branches.DOUBTFUL)
    if not reading.targets and len(word) > SHORTEST:
        for phrase, _ in lexicon.professions.nearest(word, limit=1):
            yield replace(reading, names=names, targets=synonyms.terms()[phrase].targets, ranks=branches.DOUBTFUL)


def _name_pairs(
    names: Sequence[str], lexicon: Lexicon
) -> Iterable[tuple[NameMatch | None, NameMatch | None]]:
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
