"""The search: text in, results out, at most four statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from coordination.common import nomenclatures
from coordination.common.nomenclatures import synonyms
from coordination.common.nomenclatures.synonyms import Target
from coordination.common.text import fold, squeeze
from coordination.directory.search import branches, corrections, houses, people, places, typed, vocabulary
from coordination.directory.search.lexicon import Lexicon
from coordination.directory.search.reading import SURE, Filters, Reading, readings, without_places
from coordination.directory.search.results import (
    Group,
    ProfessionalResult,
    SearchResults,
    StructureResult,
)
from coordination.directory.search.typed import Typed

SHORTEST_TEXT = 2
# Two letters begin the name of thousands of structures: the list of people is what one wants then.
SHORTEST_STRUCTURE = 3
MAX_STRUCTURE_QUERIES = 3
BOTH = ("professional", "structure")


def search(
    text: str | None,
    *,
    profession: str | None = None,
    place: str | None = None,
    structure: str | None = None,
    category: str | None = None,
    near: str | None = None,
    structure_ids: Sequence[UUID] = (),
    limit: int = 8,
    kinds: Sequence[str] = BOTH,
) -> SearchResults:
    """Return the professionals and the structures that answer a text, best first.

    `text` holds names, trade, town or postal code, structure, RPPS, FINESS, phone or e-mail in any order.
    `profession` is a code or a word, `place` a town and/or postal code, `structure` words of the workplace's
    name, `category` a FINESS category, `near` a postal code or département that decides between equals;
    `structure_ids` keeps the professionals of these structures.
    Less than two characters and no filter give nothing; neither does a place that exists nowhere, which the answer
    names: whoever asked for one town does not want all of France. Never raises on a text.
    """
    cut = typed.read(text)
    around = places.near_of(near)
    filters = Filters(
        _targets(profession),
        places.of_field(typed.read(place).words, around),
        typed.read(structure).words,
        _category(category),
        tuple(structure_ids),
    )
    if cut.has_identifier:
        found = _by_identifiers(cut, kinds, filters.structure_ids, limit)
        if not found.is_empty or not cut.words:
            return found
    if squeeze(place) and not filters.places:
        return SearchResults(unknown_place=squeeze(place))
    if not _says_enough(cut, filters):
        return SearchResults()
    return _by_words(cut, filters, around, limit, kinds)


def structures(
    text: str | None, *, category: str | None = None, postal_code: str | None = None, near: str | None = None,
    limit: int = 8,
) -> tuple[StructureResult, ...]:  # fmt: skip
    """Return the structures that answer a text, a category and a postal code (or the beginning of one)."""
    found = search(text, category=category, place=postal_code, near=near, limit=limit, kinds=("structure",))
    return found.structures.results  # type: ignore[return-value]


def find_similar(
    family_name: str, given_name: str, *, profession: str | None = None, town: str | None = None, limit: int = 5
) -> tuple[ProfessionalResult, ...]:
    """Return the people of the directory who are probably the one being typed: same or nearly same name.

    The trade and the town only order the answer (people move, a trade may be typed otherwise).
    """
    family, given = typed.read(family_name).words, typed.read(given_name).words
    if not family or not given:
        return ()
    lexicon = vocabulary.current()
    where = places.of_field(typed.read(town).words, "")
    near = where[0].around if where else ""
    reading = Reading(names=(*family, *given), ranks=SURE)
    words = (*family, *given)
    found = people.find(branches.of_readings([reading], lexicon, near=near), words, limit=limit)
    exact = [r for r in found.results if fold(r.family_name) == fold(family_name)]  # type: ignore[union-attr]
    if not exact:
        found = people.find(corrections.of_readings([reading], lexicon, near=near), words, limit=limit)
        exact = list(found.results)  # type: ignore[arg-type]
    codes = {t.profession for t in _targets(profession)}
    exact.sort(key=lambda r: (r.ceased, bool(codes) and r.profession_code not in codes))  # type: ignore[union-attr]
    return tuple(exact)  # type: ignore[arg-type]


def _says_enough(cut: Typed, filters: Filters) -> bool:
    if cut.has_identifier or sum(map(len, cut.words)) >= SHORTEST_TEXT:
        return True
    return bool(filters.workplace or filters.category or filters.places)


def _targets(profession: str | None) -> tuple[Target, ...]:
    # PostgreSQL keeps no NUL in a text: a forged field must not fail the search.
    asked = (profession or "").replace("\0", "").strip()
    if not asked:
        return ()
    term = synonyms.lookup(asked)
    return term.targets if term else (Target(asked),)


def _category(code: str | None) -> str:
    """Return the code when it is one of the list, else "": it is written among words that have operators."""
    known = nomenclatures.get("categorie_etablissement", (code or "").strip())
    return known.code if known else ""


def _by_identifiers(cut: Typed, kinds: Sequence[str], structure_ids: Sequence[UUID], limit: int) -> SearchResults:
    of_people: list[tuple[str, str, Sequence[str]]] = []
    of_houses: list[tuple[str, Sequence[str]]] = []
    if cut.national_ids:
        of_people.append(("p", "national_id", cut.national_ids))
    for value, column in ((cut.finess, "finess"), (cut.siren, "siren"), (cut.siret, "siret")):
        if value:
            of_houses.append((column, [value]))
    if cut.phones:
        of_people += [("a", "phone", cut.phones), ("p", "phone", cut.phones)]
        of_houses.append(("phone", cut.phones))
    if cut.email:
        of_people += [(table, column, [cut.email]) for table in "ap" for column in ("email", "mss_address")]
        of_houses += [("email", [cut.email]), ("mss_address", [cut.email])]
    results = SearchResults()
    if of_people and "professional" in kinds:
        group = people.by_identifiers(of_people, structure_ids=structure_ids, limit=limit)
        results = replace(results, professionals=group)
    if of_houses and "structure" in kinds:
        results = replace(results, structures=houses.by_identifiers(of_houses, limit=limit))
    return results


def _by_words(cut: Typed, filters: Filters, near: str, limit: int, kinds: Sequence[str]) -> SearchResults:
    lexicon = vocabulary.current()
    understood = readings(cut, lexicon, filters=filters, near=near)
    results = SearchResults()
    if "professional" in kinds:
        plan = branches.of_readings(understood, lexicon, near=near)
        results = replace(results, professionals=people.find(plan, cut.words, limit=limit))
    if "structure" in kinds:
        alone = not results.groups
        found = _structures(cut.words, understood, filters, lexicon, near, limit, tried=alone)
        results = replace(results, structures=found)
    return results if results.groups else _corrected(cut, filters, understood, lexicon, near, limit, kinds)


def _corrected(
    cut: Typed, filters: Filters, understood: Sequence[Reading], lexicon: Lexicon, near: str, limit: int,
    kinds: Sequence[str],
) -> SearchResults:  # fmt: skip
    results = SearchResults()
    if "professional" in kinds:
        plan = corrections.of_readings(understood, lexicon, near=near, whole=without_places(cut, filters))
        results = replace(results, professionals=people.find(plan, cut.words, limit=limit))
    respelt = houses.respelt(cut.words, lexicon) if "structure" in kinds else None
    if respelt:
        again = readings(replace(cut, words=respelt), lexicon, filters=filters, near=near)
        results = replace(results, structures=_structures(respelt, again, filters, lexicon, near, limit))
    return replace(results, is_corrected=bool(results.groups))


def _structures(
    words: Sequence[str], understood: Sequence[Reading], filters: Filters, lexicon: Lexicon, near: str, limit: int,
    *, tried: bool = False,
) -> Group:  # fmt: skip
    """`tried`: nothing else answers, and what no index knows is asked all the same."""
    letters = sum(len(w) for w in words if not places.of_number(w))
    if letters < SHORTEST_STRUCTURE and not (filters.category or filters.places):
        return Group("structure")
    placed = [(r.words, r.places) for r in understood if r.places and not filters.places]
    asked = [houses.query(words, filters.places, filters.category, lexicon, near=near)]
    asked += [houses.query(said, where, filters.category, lexicon) for said, where in placed]
    if tried and not any(asked):
        pairs = [(words, filters.places), *placed]
        asked = [houses.tried(said, where, filters.category, lexicon) for said, where in pairs]
    queries = list(dict.fromkeys(q for query in asked for q in query))[:MAX_STRUCTURE_QUERIES]
    restricted = bool(filters.places or filters.category)
    return houses.find(queries, name=" ".join(words), words=words, near=near, limit=limit, restricted=restricted)
