"""The « personne morale » switch of a structure, and the delegates through whom it acts (rule 3)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from coordination.common import statements
from habilitations.access import may_administer
from habilitations.errors import AlreadyDelegate, NotAllowed, StructureCannotSignIn
from habilitations.models import Delegate, Habilitation, LegalStructure

_KIN = """
WITH RECURSIVE kin (id) AS (
    SELECT unnest(%s::uuid[])
    UNION
    SELECT CASE WHEN s.id = k.id THEN s.merged_into_id ELSE s.id END
    FROM kin k JOIN directory_structure s ON s.merged_into_id IS NOT NULL AND k.id IN (s.id, s.merged_into_id)
)
SELECT id FROM kin
"""


@transaction.atomic
def open_structure(structure, *, by) -> LegalStructure:
    """Let a structure enter dossiers through its delegates. `by`: an administrator, None for a command.

    Raises NotAllowed.
    """
    _require_administrator(by)
    legal, _ = LegalStructure.objects.select_for_update(of=("self",)).get_or_create(
        structure=structure, defaults={"opened_by": by}
    )
    if legal.closed_at is not None:
        legal.closed_at, legal.opened_at, legal.opened_by = None, timezone.now(), by
        legal.save(update_fields=["closed_at", "opened_at", "opened_by"])
    return legal


@transaction.atomic
def close_structure(structure, *, by) -> None:
    """Stop it: what its delegates saw through it is closed at the next request. Raises NotAllowed."""
    _require_administrator(by)
    LegalStructure.objects.filter(structure=structure, closed_at=None).update(closed_at=timezone.now())


@transaction.atomic
def add_delegate(structure, user, *, by) -> Delegate:
    """Name a delegate of an open structure. Raises NotAllowed, StructureCannotSignIn, AlreadyDelegate."""
    _require_administrator(by)
    legal = LegalStructure.objects.select_for_update(of=("self",)).filter(structure=structure, closed_at=None)
    if not legal.exists():
        raise StructureCannotSignIn
    if Delegate.objects.filter(structure=structure, user=user, ended_at=None).exists():
        raise AlreadyDelegate
    return Delegate.objects.create(structure=structure, user=user, started_by=by)


def end_delegate(delegate: Delegate, *, by) -> None:
    """End a delegation. Raises NotAllowed."""
    _require_administrator(by)
    Delegate.objects.filter(pk=delegate.pk, ended_at=None).update(ended_at=timezone.now())


def same_structures(*structure_ids: UUID) -> list[UUID]:
    """Return these entries of the directory and those found to be the same structure, by however many merges."""
    return [id for (id,) in statements.rows(_KIN, [structure_ids])]


@transaction.atomic
def count_contradictions(structure_ids: Iterable[UUID]) -> int:
    """Return in how many dossiers one of these structures is refused while another is granted or waits.

    Locks their habilitations: who merges entries asks first, and nobody grants or refuses in between.
    """
    states = Habilitation.State
    rows = Habilitation.objects.select_for_update(of=("self",)).filter(structure__in=structure_ids).order_by("pk")
    refused, opened = set(), set()
    for row in rows:
        if row.state == states.REFUS:
            refused.add(row.dossier_id)
        elif row.ended_at is None and row.state in (states.OUI, states.ATTENTE):
            opened.add(row.dossier_id)
    return len(refused & opened)


def _require_administrator(by) -> None:
    if by is not None and not may_administer(by):
        raise NotAllowed
