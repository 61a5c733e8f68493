"""What the parser knows about the words of the directory. Pure: `vocabulary` fills it from the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property

from coordination.common.nomenclatures import synonyms
from coordination.common.text import fold
from coordination.directory.search.names import NameIndex, splits

Counted = Iterable[tuple[str, int]]


class Lexicon:
    """Family names, given names, words of structures, towns; each index is built when first asked for.

    `read(kind)` gives (folded name, count) pairs of "family", "given", "structure" or "town".
    """

    def __init__(self, read: Callable[[str], Counted]) -> None:
        self._read = read

    @cached_property
    def family(self) -> NameIndex:
        return NameIndex(self._read("family"))

    @cached_property
    def given(self) -> NameIndex:
        return NameIndex(self._read("given"))

    @cached_property
    def structure_words(self) -> NameIndex:
        return NameIndex(self._read("structure"))

    @cached_property
    def towns(self) -> NameIndex:
        return NameIndex((fold(name), count) for name, count in self._read("town"))

    @property
    def professions(self) -> NameIndex:
        return _profession_words()

    def may_have(self, family: Sequence[str], given: Sequence[str]) -> bool:
        """Return whether names begin so, each on its own; somebody may then bear both."""
        if family and not self.family.begins("".join(family)):
            return False
        return not given or self.given.begins("".join(given))

    def is_somebody(self, words: Sequence[str]) -> bool:
        """Return whether the words are a whole family name, alone or with the beginning of a given name."""
        cuts = [(family, given) for family, given in splits(words) if family]
        return any(self.family.holds("".join(family)) and self.may_have(family, given) for family, given in cuts)

    def has_many_beginning(self, key: str, many: int) -> bool:
        """Return whether more than `many` people have a family or a given name that begins with `key`."""
        return any(index.begins(key) and index.is_held_by_many(key, many) for index in (self.family, self.given))

    @property
    def is_empty(self) -> bool:
        """Nothing was loaded yet: nothing can be said of a word being known or not."""
        return not len(self.family)


EMPTY = Lexicon(lambda _kind: ())


@cache
def _profession_words() -> NameIndex:
    return NameIndex((phrase, 1) for phrase in synonyms.terms() if len(phrase) >= 5)
