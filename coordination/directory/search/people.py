"""Professionals by branches: one statement finds the candidates, keeps one workplace each, ranks and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from coordination.common import statements
from coordination.common.text import town_name
from coordination.directory.models import Source
from coordination.directory.search.branches import CANDIDATES, Branch
from coordination.directory.search.results import MANY, Group, ProfessionalResult, marks, profession_label

_HEAD = "WITH c AS MATERIALIZED ("
# One line per person: the workplace that ranks best stands for the others.
_TAIL = (
    "), best AS (SELECT DISTINCT ON (professional_id) * FROM c ORDER BY professional_id, r, s),"
    " top AS MATERIALIZED (SELECT *, count(*) OVER () AS total FROM best"
    " ORDER BY r, s, f USING ~<~, g USING ~<~, id LIMIT {limit})"
    " SELECT top.total, a.id, a.professional_id, a.structure_id, a.profession, a.category, a.speciality,"
    " a.fonction, a.structure_name, a.postal_code, a.town, a.phone, a.ceased_at IS NOT NULL, a.seen_on,"
    " p.family_name, p.given_name, p.civility, p.rpps, p.adeli, p.source, p.ceased_at IS NOT NULL,"
    " t.id IS NOT NULL,"
    " (SELECT count(*) FROM directory_activity o WHERE o.professional_id = top.professional_id"
    " AND o.ceased_at IS NULL AND o.partner = '' AND o.id <> top.id)"
    " FROM top JOIN directory_activity a ON a.id = top.id JOIN directory_professional p ON p.id = a.professional_id"
    " LEFT JOIN directory_attachment t ON t.professional_id = p.id"
    " ORDER BY top.r, top.s, top.f USING ~<~, top.g USING ~<~, top.id"
)


def find(branches: Sequence[Branch], words: Sequence[str], *, limit: int) -> Group:
    """Return the people the branches find, best first, in one statement; an empty group without any."""
    if not branches:
        return Group("professional")
    sql = _HEAD + " UNION ALL ".join(b.sql for b in branches) + _TAIL.format(limit=int(limit))
    found = statements.rows(sql, [p for b in branches for p in b.params])
    if not found:
        return Group("professional")
    total = found[0][0]
    return Group(
        "professional",
        tuple(_result(row, words) for row in found),
        total=min(total, MANY),
        is_more_than_counted=total > MANY or total >= CANDIDATES,
    )


def by_identifiers(
    conditions: Sequence[tuple[str, str, Any]], *, structure_ids: Sequence[UUID] = (), limit: int
) -> Group:
    """Return the people of whom a column equals one of the values: (table alias "a" or "p", column, values).

    With `structure_ids`, at work in one of these structures.
    """
    scans = []
    here, ids = (" AND a.structure_id = ANY(%s)", (tuple(structure_ids),)) if structure_ids else ("", ())
    for alias, column, values in conditions:
        join = "" if alias == "a" else " JOIN directory_professional p ON p.id = a.professional_id"
        scans.append(
            Branch(
                "(SELECT a.id, a.professional_id, a.search_family AS f, a.search_given AS g,"
                " CASE WHEN a.ceased_at IS NULL THEN 0 ELSE 2 END AS r, 0 AS s"
                f" FROM directory_activity a{join} WHERE {alias}.{column} = ANY(%s) AND {alias}.{column} <> ''{here}"
                " AND a.partner = ''"
                f" LIMIT {CANDIDATES})",
                (tuple(values), *ids),
            )
        )
    return find(scans, (), limit=limit)


def _result(row: tuple, words: Sequence[str]) -> ProfessionalResult:
    (_, activity_id, professional_id, structure_id, profession, category, speciality, fonction, structure_name,
     postal_code, town, phone, activity_ceased, seen_on, family_name, given_name, civility, rpps, adeli, source,
     person_ceased, has_account, others) = row  # fmt: skip
    return ProfessionalResult(
        id=activity_id,
        professional_id=professional_id,
        activity_id=activity_id,
        structure_id=structure_id,
        family_name=family_name,
        given_name=given_name,
        profession=profession_label(profession, speciality, feminine=civility in ("MME", "MLLE"), fonction=fonction),
        profession_code=profession,
        category=category,
        town=town_name(town),
        postal_code=postal_code,
        structure_name=structure_name,
        rpps=rpps,
        adeli=adeli,
        phone=phone,
        has_account=has_account,
        is_local=source == Source.LOCAL,
        ceased=activity_ceased or person_ceased,
        seen_on=seen_on,
        other_places=others,
        family_marks=marks(family_name, words),
        given_marks=marks(given_name, words),
        town_marks=marks(town_name(town), words) if words else (),
    )
