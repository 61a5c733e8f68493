"""Entries of the directory found to be one structure, by however many merges."""

from __future__ import annotations

from uuid import UUID

from coordination.common import statements

_KIN = """
WITH RECURSIVE kin (id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT CASE WHEN s.id = k.id THEN s.merged_into_id ELSE s.id END
    FROM kin k JOIN directory_structure s ON s.merged_into_id IS NOT NULL AND k.id IN (s.id, s.merged_into_id)
)
SELECT id FROM kin
"""


def same_structures(*structure_ids: UUID) -> list[UUID]:
    """Return these entries of the directory and those found to be the same structure, by however many merges."""
    return [id for (id,) in statements.rows(_KIN, [structure_ids])]
