"""Structures by words of their name, place and category: one index of words answers any mix (see models)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from coordination.common import nomenclatures, statements
from coordination.common.text import fold, town_name
from coordination.directory.models import Source
from coordination.directory.search.branches import STRUCTURE_WORDS as WORDS
from coordination.directory.search.lexicon import Lexicon
from coordination.directory.search.names import LAST, NameIndex
from coordination.directory.search.places import Place, around, of_number
from coordination.directory.search.results import MANY, Group, StructureResult, marks

CANDIDATES = 56
MAX_WORDS = 6
# A word held by so many structures (cabinet, service) is never asked of the whole country.
TOO_MANY = 8000
_COLUMNS = (
    "s.id, s.name, s.short_name, s.category, s.finess, s.siret, s.address, s.town, s.postal_code, s.phone,"
    " s.source, s.ceased_at IS NOT NULL, s.seen_on, s.search_name"
)

# What replaces another, and what is known by a partner alone, is not proposed.
_PROPOSED = f"s.merged_into_id IS NULL AND s.source <> '{Source.PARTNER}'"

_BEGINNING = (
    "(SELECT s.id FROM directory_structure s WHERE s.search_name ~>=~ %s AND s.search_name ~<~ %s"
    f" AND {_PROPOSED} ORDER BY s.search_name USING ~<~ LIMIT {CANDIDATES})"
)


def find(queries: Sequence[str], *, name: str, words: Sequence[str], near: str, limit: int, restricted: bool) -> Group:
    """Return the structures that answer one of the word queries (tsquery texts), best first.

    Each query gives at most CANDIDATES rows, and so do the names that begin as typed, unless `restricted` (a place
    or a category was asked beside the text).
    """
    if not queries:
        return Group("structure")
    # Without its own CTE the planner, promised a short answer, may prefer to read the table.
    scans = [
        f"m{i} AS MATERIALIZED (SELECT s.id FROM directory_structure s"
        f" WHERE {WORDS} @@ to_tsquery('simple', %s) AND {_PROPOSED})"
        for i in range(len(queries))
    ]
    unions = [f"(SELECT id FROM m{i} LIMIT {CANDIDATES})" for i in range(len(queries))]
    sql = (
        f"WITH {', '.join(scans)} SELECT {_COLUMNS}, count(*) OVER ()"
        f" FROM ({' UNION '.join([*unions, _BEGINNING])}) c JOIN directory_structure s ON s.id = c.id"
        " ORDER BY s.search_name <> %s, left(s.search_name, length(%s)) <> %s, s.ceased_at IS NOT NULL,"
        f" left(s.postal_code, {len(near)}) <> %s, s.search_name USING ~<~, s.id LIMIT {int(limit)}"
    )
    begins = (name, name + LAST) if name and not restricted else ("", "")
    return _group(statements.rows(sql, [*queries, *begins, name, name, name, near]), words)


def by_identifiers(conditions: Sequence[tuple[str, Sequence[str]]], *, limit: int) -> Group:
    """Return the structures of which a column equals one of the values."""
    scans = " UNION ".join(
        f"(SELECT {_COLUMNS} FROM directory_structure s WHERE s.{column} = ANY(%s) AND s.{column} <> ''"
        f" AND {_PROPOSED} LIMIT {CANDIDATES})"
        for column, _ in conditions
    )
    sql = f"SELECT c.*, count(*) OVER () FROM ({scans}) c ORDER BY 12, search_name, id LIMIT {int(limit)}"  # noqa: S608
    return _group(statements.rows(sql, [tuple(values) for _, values in conditions]), ())


def query(
    words: Sequence[str], places: Sequence[Place], category: str, lexicon: Lexicon, *, near: str = ""
) -> list[str]:
    """Return the word queries of one reading: every word, in one of the places, of the category.

    Words that thousands of structures hold are asked near first; alone, they are asked near only. A word that none
    holds makes no query (`tried`).
    """
    telling, index = _telling(words), lexicon.structure_words
    if not lexicon.is_empty and not all(index.begins(word) for word in telling):
        return []
    whole = _whole(telling, places, category, index)
    if not whole:
        return []
    if places or not near or not all(index.is_held_by_many(word, CANDIDATES) for word in telling):
        return [whole]
    nearby = f"{whole} & {around(near).lexeme}"
    if telling and all(index.is_held_by_many(word, TOO_MANY) for word in telling):
        return [nearby]
    return [nearby, whole]


def tried(words: Sequence[str], places: Sequence[Place], category: str, lexicon: Lexicon) -> list[str]:
    """Return the query of words of which some are in no index: a structure entered by hand since the last load."""
    whole = _whole(_telling(words), places, category, lexicon.structure_words)
    return [whole] if whole else []


def _telling(words: Sequence[str]) -> list[str]:
    # A number that may say where is in the name, or the structure is not the one meant here.
    return [w for w in words if len(w) > 2 or of_number(w)] or list(words)


def _whole(telling: Sequence[str], places: Sequence[Place], category: str, index: NameIndex) -> str:
    """Return the query of all that is asked, "" when nothing is."""
    parts = [_lexeme(word, index, last=word == telling[-1]) for word in telling[:MAX_WORDS]]
    if category:
        parts.append(f"cat{fold(category)}")
    if where := list(dict.fromkeys(place.lexeme for place in places)):
        parts.append(f"({' | '.join(where)})")
    return " & ".join(parts)


def _lexeme(word: str, index: NameIndex, *, last: bool) -> str:
    """The last word is still being typed; a whole word before it is asked as it is, which costs less."""
    return word if not last and index.holds(word) else f"{word}:*"


def respelt(words: Sequence[str], lexicon: Lexicon) -> tuple[str, ...] | None:
    """Return the words with the one unknown word replaced by the nearest word of a name, or None."""
    unknown = [w for w in words if not lexicon.structure_words.begins(w)]
    if len(unknown) != 1 or len(unknown[0]) < 4:
        return None
    nearest = lexicon.structure_words.nearest(unknown[0], limit=1)
    return tuple(nearest[0][0] if w == unknown[0] else w for w in words) if nearest else None


def _group(found: list[tuple], words: Sequence[str]) -> Group:
    if not found:
        return Group("structure")
    total = found[0][-1]
    results = tuple(_result(row, words) for row in found)
    return Group("structure", results, total=min(total, MANY), is_more_than_counted=total > MANY)


def _result(row: tuple[Any, ...], words: Sequence[str]) -> StructureResult:
    (id_, name, short_name, category, finess, siret, address, town, postal_code, phone, source, ceased, seen_on,
     *_) = row  # fmt: skip
    return StructureResult(
        id=id_,
        structure_id=id_,
        name=name,
        short_name=short_name,
        category=category,
        category_label=nomenclatures.label("categorie_etablissement", category) or "",
        finess=finess,
        siret=siret,
        address=address,
        town=town_name(town),
        postal_code=postal_code,
        phone=phone,
        is_local=source == Source.LOCAL,
        ceased=ceased,
        seen_on=seen_on,
        name_marks=marks(name, words),
        town_marks=marks(town_name(town), words),
    )
