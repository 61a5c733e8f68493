"""Ways to understand a search text: which words are names, which a town, which a profession. Pure.

A word may be two things ("Albi" is a town and a surname, "AS" a trade and the start of a name): every likely
reading is kept, with its rank, and one statement tries them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from coordination.common.nomenclatures import synonyms
from coordination.common.nomenclatures.synonyms import Target
from coordination.common.text import PARTICLES
from coordination.directory.search import places, workplaces
from coordination.directory.search.lexicon import EMPTY, Lexicon
from coordination.directory.search.names import splits
from coordination.directory.search.places import Place
from coordination.directory.search.typed import Typed

# Rank of a reading when names are whole, and when they are only begun. Smaller comes first.
SURE = (1, 2)
RIVAL_NAMES = (0, 3)
RIVAL_PROFESSION = (3, 3)
GUESSED_TOWN = (2, 3)
GUESSED_TOWN_ALONE = (3, 3)
WORKPLACE = (2, 2)
# Particles do not count: "de La Tour du Pin" is two words.
MAX_NAME_WORDS = 5
MAX_READINGS = 7
MAX_WORKPLACES = 3
SHORTEST_TOWN = 3
SHORTEST_TOWN_ALONE = 4
# With so many people of that name, one screen, the words are the start of a name.
NAMESAKES = 8


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to understand the text; empty fields restrict nothing. `words` is what does not say where."""

    names: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    targets: tuple[Target, ...] = ()
    workplace: tuple[str, ...] = ()
    ranks: tuple[int, int] = SURE
    words: tuple[str, ...] = ()
    structure_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields beside the box: they restrict every reading."""

    targets: tuple[Target, ...] = ()
    places: tuple[Place, ...] = ()
    workplace: tuple[str, ...] = ()
    category: str = ""
    structure_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    places: tuple[Place, ...] = ()
    targets: tuple[Target, ...] = ()
    phrase: str = ""


def readings(
    typed: Typed, lexicon: Lexicon = EMPTY, *, filters: Filters | None = None, near: str = ""
) -> tuple[Reading, ...]:
    """Return the readings of the words, likeliest first; empty when there is nothing to look for.

    `near` is the département (two figures) that decides between towns of the same name. A word the lexicon knows
    as a whole name is not taken for the beginning of a town.
    """
    filters = filters or Filters()
    words = typed.words
    professions = _professions(words)
    towns = [_Span(s.start, s.end, places=s.places) for s in places.spans(words)]
    # The 13 of "paris 13" is no département.
    of_towns = {i for town in towns for i in range(town.start, town.end)}
    numbers = {i: place for i, place in _numbers(words).items() if i not in of_towns}
    found: list[Reading] = []
    for chosen, ranks in _choices(words, professions, towns):
        reading = _read(words, chosen, numbers, near)
        found.append(replace(reading, ranks=ranks))
    found = _with_workplaces(found, words, lexicon)
    if not (towns or numbers) and (guess := _guessed_town(words, professions, lexicon, near)):
        found.append(guess)
    restricted = (_restrict(reading, filters) for reading in dict.fromkeys(found or [Reading()]))
    return tuple(r for r in restricted if r and _is_usable(r))[:MAX_READINGS]


def without_places(typed: Typed, filters: Filters) -> Reading | None:
    """Return the words with the trades apart and nothing taken for a town: where to look for a misspelt one.

    None when a town was given beside the box, or when the trade there contradicts the text.
    """
    if filters.places:
        return None
    spans = _professions(typed.words)
    taken = {i for span in spans for i in range(span.start, span.end)} | set(_numbers(typed.words))
    names = tuple(word for i, word in enumerate(typed.words) if i not in taken)
    reading = Reading(names=names, targets=tuple(t for span in spans for t in span.targets))
    return _restrict(reading, filters)


def _numbers(words: Sequence[str]) -> dict[int, Place]:
    return {i: place for i, word in enumerate(words) if word[0].isdigit() and (place := places.of_number(word))}


def _professions(words: Sequence[str]) -> list[_Span]:
    return [_Span(f.start, f.end, targets=f.term.targets, phrase=f.term.phrase) for f in synonyms.find_terms(words)]


def _choices(
    words: Sequence[str], professions: list[_Span], towns: list[_Span]
) -> list[tuple[tuple[_Span, ...], tuple[int, int]]]:
    """Return which spans to take as what they look like, with the rank of that choice."""
    apart = [t for t in towns if not any(_overlap(t, p) for p in professions)]
    # A very short word in progress is more often the start of a name than an abbreviated trade.
    short = len(words) == 1 and bool(professions) and len(words[0]) <= 3
    choices: list[tuple[tuple[_Span, ...], tuple[int, int]]] = []
    for town in reversed(apart) if apart else [None]:
        taken = (*professions, town) if town else tuple(professions)
        choices.append((taken, RIVAL_PROFESSION if short else SURE))
    if apart:
        choices.append((tuple(professions), RIVAL_NAMES))
    if professions:
        last = (apart[-1],) if apart else ()
        choices.append((last, SURE if short else RIVAL_NAMES))
    return choices


def _read(words: Sequence[str], chosen: Sequence[_Span], numbers: dict[int, Place], near: str) -> Reading:
    taken = {i for span in chosen for i in range(span.start, span.end)}
    loose = {i: place for i, place in numbers.items() if i not in taken}
    number = next(iter(loose.values()), None)
    where = tuple(p for span in chosen for p in span.places)
    if where or number:
        where = places.narrow(where, near, number) if where else (number,) if number else ()
    targets = tuple(t for span in chosen for t in span.targets)
    names = tuple(w for i, w in enumerate(words) if i not in taken and i not in loose)
    saying_where = {i for span in chosen if span.places for i in range(span.start, span.end)} | set(loose)
    rest = tuple(w for i, w in enumerate(words) if i not in saying_where)
    return Reading(names=names, places=where, targets=targets, words=rest)


def _with_workplaces(found: list[Reading], words: Sequence[str], lexicon: Lexicon) -> list[Reading]:
    """Return the readings with those where some words name a workplace: "dupont ehpad les tilleuls".

    A word that begins such names says so ("selarl"), and that comes first; without one it is tried, last, when nobody
    could bear the names of the other readings. What was taken for a town, a trade or a postal code may be part of the
    workplace's name.
    """
    sources = dict.fromkeys([Reading(names=tuple(words), words=tuple(words)), *found])
    said = [_with(source, cut) for source in sources for cut in workplaces.announced(source.names, lexicon)]
    if said:
        return [*list(dict.fromkeys(said))[:MAX_WORKPLACES], *found]
    if any(_may_be_somebody(reading, lexicon) for reading in found):
        return found
    tried = [_with(source, cut) for source in sources for cut in workplaces.possible(source.names, lexicon)]
    return [*found, *list(dict.fromkeys(tried))[:MAX_WORKPLACES]]


def _with(source: Reading, cut: workplaces.Cut) -> Reading:
    return replace(source, names=cut.names, workplace=cut.workplace, ranks=WORKPLACE)


def _may_be_somebody(reading: Reading, lexicon: Lexicon) -> bool:
    return not reading.names or any(lexicon.may_have(*cut) for cut in splits(reading.names))


def _guessed_town(words: Sequence[str], professions: list[_Span], lexicon: Lexicon, near: str) -> Reading | None:
    """Return the reading where the last words begin the name of a town.

    All of them, when hardly anybody has a name that begins so: those who have come before the town's people.
    """
    free_from = max((span.end for span in professions), default=0)
    for start in range(free_from, len(words)):
        phrase, key = " ".join(words[start:]), "".join(words[start:])
        if len(key) < SHORTEST_TOWN or lexicon.given.holds(key) or lexicon.family.holds(key):
            return None
        if start == 0 and (len(key) < SHORTEST_TOWN_ALONE or lexicon.has_many_beginning(key, NAMESAKES)):
            continue
        if where := places.beginning(phrase):
            taken = {i for span in professions for i in range(span.start, span.end)}
            names = tuple(w for i, w in enumerate(words[:start]) if i not in taken)
            targets = tuple(t for span in professions for t in span.targets)
            ranks = GUESSED_TOWN if start else GUESSED_TOWN_ALONE
            where = places.narrow(where, near, None)
            return Reading(names, where, targets, ranks=ranks, words=tuple(words[:start]))
    return None


def _restrict(reading: Reading, filters: Filters) -> Reading | None:
    """Add the fields beside the box; a word of the box that says otherwise is not that word."""
    if filters.places:
        if reading.places and not set(reading.places) & set(filters.places):
            return None
        reading = replace(reading, places=filters.places)
    if filters.targets:
        if reading.targets and not {t.profession for t in reading.targets} & {t.profession for t in filters.targets}:
            return None
        reading = replace(reading, targets=reading.targets or filters.targets)
    workplace = reading.workplace or filters.workplace
    return replace(reading, workplace=workplace, structure_ids=filters.structure_ids)


def _is_usable(reading: Reading) -> bool:
    # One letter says nothing (design README: from two characters).
    letters = sum(len(name) for name in reading.names)
    if letters == 1 or are_too_many(reading.names):
        return False
    return bool(reading.names or reading.places or reading.targets or reading.workplace)


def are_too_many(names: Sequence[str]) -> bool:
    """Return whether nobody has so many words in his name."""
    return sum(name not in PARTICLES for name in names) > MAX_NAME_WORDS


def _overlap(one: _Span, other: _Span) -> bool:
    return one.start < other.end and other.start < one.end
