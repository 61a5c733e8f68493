"""The structures whose accounts a named person looks after. Asked through `habilitations.access`, like every right."""

from __future__ import annotations

from uuid import UUID

from habilitations.errors import NotOfYourStructure, OwnProfession
from habilitations.kin import same_structures
from habilitations.models import StructureAdministrator


def administered_structures(user) -> list[UUID]:
    """Return the structures whose accounts this person looks after, with the entries found to be the same ones.

    Opens no dossier. At most two SQL statements.
    """
    if not (user.is_authenticated and user.is_active):
        return []
    named = StructureAdministrator.objects.current().filter(user=user).values_list("structure_id", flat=True)
    return same_structures(*found) if (found := list(named)) else []


def require_looks_after(by, structure_id: UUID | None, *, other_than=None) -> None:
    """Require that `by` looks after the accounts of this structure, and acts on another account than his own.

    Raises NotOfYourStructure, OwnProfession. Source: issue 2 §3, "a named person of the structure".
    """
    if structure_id is None or structure_id not in administered_structures(by):
        raise NotOfYourStructure
    if other_than is not None and other_than.pk == by.pk:
        raise OwnProfession
