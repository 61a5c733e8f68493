"""Entries of the directory found to be one structure, by however many merges."""

from __future__ import annotations

from uuid import UUID

from coordination.common import statements

# One more merge, either way, in a recursive table `kin (id)`.
KIN_STEP = """SELECT CASE WHEN s.id = k.id THEN s.merged_into_id ELSE s.id END
    FROM kin k JOIN directory_structure s ON s.merged_into_id IS NOT NULL AND k.id IN (s.id, s.merged_into_id)"""
_KIN = f"""
WITH RECURSIVE kin (id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    {KIN_STEP}
)
SELECT id FROM kin
"""  # noqa: S608 - our own names

_KEPT = """
WITH RECURSIVE up (asked, id) AS (
    SELECT id, id FROM unnest(%s::uuid[]) AS id
    UNION
    SELECT up.asked, s.merged_into_id FROM up
    JOIN directory_structure s ON s.id = up.id WHERE s.merged_into_id IS NOT NULL
)
SELECT up.asked, up.id FROM up JOIN directory_structure s ON s.id = up.id WHERE s.merged_into_id IS NULL
"""


def same_structures(*structure_ids: UUID) -> list[UUID]:
    """Return these entries of the directory and those found to be the same structure, by however many merges."""
    return [id for (id,) in statements.rows(_KIN, [structure_ids])]


def kept_structures(*structure_ids: UUID) -> dict[UUID, UUID]:
    """Return {entry: the entry the directory keeps for it}, at the end of however many merges. One SQL statement."""
    return dict(statements.rows(_KEPT, [structure_ids]))
