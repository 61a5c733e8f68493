"""From readings to bounded index scans. Pure: a branch is a piece of SQL with its parameters.

Every branch walks one index of Activity in order and stops after CANDIDATES rows. Ranges are written with the
operators of `varchar_pattern_ops` and not with LIKE: a prepared statement can then use the index whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from coordination.common.nomenclatures.synonyms import Target
from coordination.directory.search.lexicon import Lexicon
from coordination.directory.search.names import LAST, NameIndex, splits
from coordination.directory.search.places import Place, around, ranks
from coordination.directory.search.reading import Reading
from coordination.directory.search.workplaces import telling

# One more than the screen counts ("plus de 50"), and a few for people with two workplaces.
CANDIDATES = 56
NEARBY = 16
# The rank of what was not typed as it is written, after everything else.
CORRECTED = (4, 4)
DOUBTFUL = (5, 5)
MAX_BRANCHES = 12
MAX_VARIANTS = 30
# Below this many people of one name there is no need to look near first: all of them are candidates.
FEW = 50

STUDENT = "E"
MAX_WORKPLACES = 1000
# The expression of the index `structure_words` (models), as PostgreSQL must read it to use the index.
STRUCTURE_WORDS = (
    "array_to_tsvector(array_remove(string_to_array(lower(s.search_name || ' dep' || LEFT(s.postal_code, 2) ||"
    " ' com' || s.commune_code || ' cp' || s.postal_code || ' cat' || s.category), ' '), ''))"
)
# Words that more structures hold ("centre hospitalier") are looked for at the workplaces of those who have the name.
_WORKPLACE_OF_NAMED = (
    f"(SELECT {STRUCTURE_WORDS} @@ to_tsquery('simple', %s) FROM directory_structure s WHERE s.id = a.structure_id)"
)
_WORKPLACE = (
    "a.structure_id = ANY(ARRAY(SELECT s.id FROM directory_structure s"
    f" WHERE {STRUCTURE_WORDS} @@ to_tsquery('simple', %s) LIMIT {MAX_WORKPLACES}))"
)


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A condition on one name column: begins with `begins` (words and spaces as typed), or is one of `among`."""

    column: str
    typed: str = ""
    begins: str = ""
    among: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Branch:
    sql: str
    params: tuple[Any, ...]


def of_readings(readings: Sequence[Reading], lexicon: Lexicon, *, near: str, tried: bool = True) -> list[Branch]:
    """Return the branches of the readings, likeliest first, at most MAX_BRANCHES.

    Cuts of names nobody has are left out. When that leaves nothing (a name entered by hand since the last load is in
    no index), those of the first reading are `tried` all the same.
    """
    found: list[Branch] = []
    for reading in readings:
        cuts = [c for c in splits(reading.names) if _is_known(c, reading, lexicon)] if reading.names else [((), ())]
        found.extend(_of_cuts(reading, cuts, lexicon, near))
    if tried and not found and readings:
        cuts = [cut for cut in splits(readings[0].names) if cut[0]]
        found.extend(_of_cuts(readings[0], cuts[: MAX_BRANCHES // 2], lexicon, near))
    return list(dict.fromkeys(found))[:MAX_BRANCHES]


def of_corrections(
    reading: Reading, pairs: Iterable[tuple[NameMatch | None, NameMatch | None]], *, near: str
) -> list[Branch]:
    """Return the branches of a reading whose names were corrected: `pairs` hold the spellings tried."""
    found = []
    for family, given in pairs:
        for place in reading.places or (None,):
            for target in reading.targets or (None,):
                found.append(_branch(family, given, place, replace(reading, ranks=CORRECTED), target, near))
    return list(dict.fromkeys(found))[:MAX_BRANCHES]


def _of_cuts(
    reading: Reading, cuts: Iterable[tuple[Sequence[str], Sequence[str]]], lexicon: Lexicon, near: str
) -> list[Branch]:
    found: list[tuple[int, Branch]] = []
    for family, given in cuts:
        ranked = reading
        if given and not family:
            # A given name alone comes after the same word as a surname.
            ranked = replace(reading, ranks=(reading.ranks[0] + 2, reading.ranks[1] + 2))
        for family_match in _matches("search_family", family, lexicon.family):
            for given_match in _matches("search_given", given, lexicon.given):
                found.extend(_scans(family_match, given_match, ranked, lexicon, near))
    # Every cut in the likeliest town before any in the next one.
    return [branch for _, branch in sorted(found, key=lambda pair: pair[0])]


def _is_known(cut: tuple[Sequence[str], Sequence[str]], reading: Reading, lexicon: Lexicon) -> bool:
    family, given = "".join(cut[0]), "".join(cut[1])
    if not family and reading.places and lexicon.family.is_common(given, FEW):
        # "martin toulouse": the surname is meant; reading a département for a given name is long.
        return False
    return lexicon.may_have(*cut)


def _matches(column: str, words: Sequence[str], index: NameIndex) -> list[NameMatch | None]:
    """Return the range of what begins as typed, then the other writings of that name (joined, ending, particle)."""
    if not words:
        return [None]
    typed, key = " ".join(words), "".join(words)
    others = tuple(n for n in _writings(key, index) if not n.startswith(typed))
    found: list[NameMatch | None] = []
    if not others or index.begins_with_words(typed):
        found.append(NameMatch(column, typed, begins=typed))
    if others:
        found.append(NameMatch(column, typed, among=others))
    return found


def _writings(key: str, index: NameIndex) -> list[str]:
    if len(key) < 3:
        return []
    return index.beginning(key, MAX_VARIANTS) if len(key) >= 5 else index.named(key, MAX_VARIANTS)


def _scans(
    family: NameMatch | None,
    given: NameMatch | None,
    reading: Reading,
    lexicon: Lexicon,
    near: str,
) -> Iterable[tuple[int, Branch]]:
    """Yield the branches of one cut, each with the rank of its place."""
    named = bool(family or given) and _are_everywhere(reading.workplace, lexicon)
    for target in reading.targets or (None,):
        for place, rank in ranks(reading.places).items():
            yield rank, _branch(family, given, place, reading, target, near, order=rank, named=named)
        if reading.places:
            continue
        if near and not (reading.workplace or reading.structure_ids) and _are_many(family, given, lexicon):
            yield 0, _branch(family, given, around(near), reading, target, near, most=NEARBY)
        yield 0, _branch(family, given, None, reading, target, near, named=named)


def _are_everywhere(workplace: Sequence[str], lexicon: Lexicon) -> bool:
    return all(lexicon.structure_words.is_held_by_many(word, MAX_WORKPLACES) for word in telling(workplace))


def _are_many(family: NameMatch | None, given: NameMatch | None, lexicon: Lexicon) -> bool:
    if family is None:
        # Walking a département for a given name alone would read it whole.
        return given is None
    if family.among:
        return False
    return lexicon.family.is_held_by_many(family.begins.replace(" ", ""), FEW)


def _branch(
    family: NameMatch | None,
    given: NameMatch | None,
    place: Place | None,
    reading: Reading,
    target: Target | None,
    near: str,
    *,
    most: int = CANDIDATES,
    order: int = 0,
    named: bool = False,
) -> Branch:
    held = bool(reading.workplace or reading.structure_ids)
    by_trade = bool(target and target.profession) and not (family or given or held)
    where, params = _conditions(family, given, place, target, by_postal_code=by_trade)
    if reading.workplace:
        where.append(_WORKPLACE_OF_NAMED if named else _WORKPLACE)
        params.append(" & ".join(f"{word}:*" for word in telling(reading.workplace)))
    if reading.structure_ids:
        where.append("a.structure_id = ANY(%s)")
        params.append(reading.structure_ids)
    rank, rank_params = _rank(family, given, reading.ranks, near)
    # Without a surname or a place, rows are read as they come: sorting them by name would read the whole index.
    unsorted = by_trade or (family is None and place is None and not held)
    sort = "" if unsorted else " ORDER BY a.search_family USING ~<~, a.search_given USING ~<~"
    # Between two of the same rank: the nearer spelling, else the likelier town.
    spelled = str(order)
    spelled_params: list[Any] = []
    if reading.ranks == CORRECTED and family and family.among:
        spelled, spelled_params = "array_position(%s::text[], a.search_family::text)", [family.among]
    return Branch(
        f"(SELECT a.id, a.professional_id, a.search_family AS f, a.search_given AS g, {rank} AS r, {spelled} AS s"
        f" FROM directory_activity a WHERE {' AND '.join(where)} AND a.category <> '{STUDENT}' AND a.partner = ''"
        f"{sort} LIMIT {most})",
        (*rank_params, *spelled_params, *params),
    )


def _rank(
    family: NameMatch | None, given: NameMatch | None, ranks: tuple[int, int], near: str
) -> tuple[str, list[Any]]:
    """Return the expression that orders candidates: reading, then exactness, then ceased, then nearness."""
    whole, begun = (rank * 16 for rank in ranks)
    params: list[Any] = []
    tests = []
    for match, weight in ((family, 8), (given, 4)):
        if match is not None:
            tests.append((f"replace(a.{match.column}, ' ', '') = %s", match.typed.replace(" ", ""), weight))
    if tests:
        both = " AND ".join(test for test, _, _ in tests)
        apart = "".join(f" + CASE WHEN {test} THEN 0 ELSE {weight} END" for test, _, weight in tests)
        expression = f"(CASE WHEN {both} THEN {whole} ELSE {begun}{apart} END)"
        params = [value for _, value, _ in tests] * 2
    else:
        expression = str(whole)
    expression += " + CASE WHEN a.ceased_at IS NULL THEN 0 ELSE 2 END"
    if near:
        expression += f" + CASE WHEN left(a.postal_code, {len(near)}) = %s THEN 0 ELSE 1 END"
        params.append(near)
    return expression, params


def _conditions(
    family: NameMatch | None,
    given: NameMatch | None,
    place: Place | None,
    target: Target | None,
    *,
    by_postal_code: bool = False,
) -> tuple[list[str], list[Any]]:
    tests: list[str] = []
    params: list[Any] = []
    if place:
        _add_place(tests, params, place, by_postal_code)
    for match in (family, given):
        if match is not None and match.among:
            tests.append(f"a.{match.column} = ANY(%s)")
            params.append(match.among)
        elif match is not None:
            _add_range(tests, params, match.column, (match.begins, match.begins + LAST))
    if target:
        _add_target(tests, params, target)
    return tests, params


def _add_place(tests: list[str], params: list[Any], place: Place, by_postal_code: bool) -> None:
    if by_postal_code:
        # A trade without a name is read in the index of trades: rare ones would be long to find among a département.
        _add_range(tests, params, "postal_code", (place.department, place.department + LAST))
    else:
        tests.append("left(a.postal_code, 2) = %s")
        params.append(place.department)
    for column, bounds in (("commune_code", place.communes), ("postal_code", place.postal_codes)):
        if bounds:
            _add_range(tests, params, column, bounds)


def _add_range(tests: list[str], params: list[Any], column: str, bounds: tuple[str, str]) -> None:
    tests.append(f"a.{column} ~>=~ %s AND a.{column} ~<~ %s")
    params.extend(bounds)


def _add_target(tests: list[str], params: list[Any], target: Target) -> None:
    if target.profession:
        tests.append("a.profession = %s")
        params.append(target.profession)
    if target.savoir_faire:
        tests.append("a.speciality = ANY(%s)")
        params.append(target.savoir_faire)
    if target.roles:
        tests.append("a.fonction = ANY(%s)")
        params.append(target.roles)
