"""The « personne morale » switch of a structure, the delegates through whom it acts (rule 3), and who looks after its
accounts."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from habilitations.access import require_administrator
from habilitations.errors import (
    AccountNotOpen,
    AlreadyDelegate,
    AlreadyStructureAdministrator,
    OwnNaming,
    StructureCannotSignIn,
)
from habilitations.models import Delegate, Habilitation, LegalStructure, StructureAdministrator
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def open_structure(structure, *, by, via: Via = NOWHERE) -> LegalStructure:
    """Let a structure enter dossiers through its delegates. `by`: an administrator, None for a command.

    Raises NotAllowed.
    """
    _require_administrator_or_command(by)
    legal, _ = LegalStructure.objects.select_for_update(of=("self",)).get_or_create(
        structure=structure, defaults={"opened_by": by}
    )
    if legal.closed_at is not None:
        legal.closed_at, legal.opened_at, legal.opened_by = None, timezone.now(), by
        legal.save(update_fields=["closed_at", "opened_at", "opened_by"])
    record_account(user=by, action="personne morale", object_kind="structure", object_id=structure.pk, via=via)
    return legal


@transaction.atomic
def close_structure(structure, *, by, via: Via = NOWHERE) -> None:
    """Stop it: what its delegates saw through it is closed at the next request. Raises NotAllowed."""
    _require_administrator_or_command(by)
    if LegalStructure.objects.filter(structure=structure, closed_at=None).update(closed_at=timezone.now()):
        record_account(user=by, action="fin personne morale", object_kind="structure", object_id=structure.pk, via=via)


@transaction.atomic
def add_delegate(structure, user, *, by, via: Via = NOWHERE) -> Delegate:
    """Name a delegate of an open structure, who opens its dossiers with his own profession's rights (rule 3).

    Nobody names himself: an administrator would open dossiers by it (rule 10).
    Raises NotAllowed, OwnNaming, AccountNotOpen, StructureCannotSignIn, AlreadyDelegate.
    """
    _require_administrator_or_command(by)
    if by is not None and by.pk == user.pk:
        raise OwnNaming
    if not user.is_active:
        raise AccountNotOpen
    legal = LegalStructure.objects.select_for_update(of=("self",)).filter(structure=structure, closed_at=None)
    if not legal.exists():
        raise StructureCannotSignIn
    if Delegate.objects.filter(structure=structure, user=user, ended_at=None).exists():
        raise AlreadyDelegate
    record_account(user=by, action="délégation", object_kind="compte", object_id=user.pk, via=via)
    return Delegate.objects.create(structure=structure, user=user, started_by=by)


@transaction.atomic
def end_delegate(delegate: Delegate, *, by, via: Via = NOWHERE) -> None:
    """End a delegation. Raises NotAllowed."""
    _require_administrator_or_command(by)
    if Delegate.objects.filter(pk=delegate.pk, ended_at=None).update(ended_at=timezone.now()):
        record_account(user=by, action="fin de délégation", object_kind="compte", object_id=delegate.user_id, via=via)


@transaction.atomic
def name_administrator(structure, user, *, by, via: Via = NOWHERE) -> StructureAdministrator:
    """Name the person who looks after the accounts of a structure and vouches for their professions.

    `by`: an administrator. Gives no right on any dossier. Source: issue 2 §3 (a named person of the structure).
    Raises NotAllowed, AccountNotOpen, AlreadyStructureAdministrator.
    """
    require_administrator(by)
    if not user.is_active:
        raise AccountNotOpen
    try:
        with transaction.atomic():
            named = StructureAdministrator.objects.create(structure=structure, user=user, named_by=by)
    except IntegrityError as error:
        raise AlreadyStructureAdministrator from error
    record_account(user=by, action="désignation", object_kind="compte", object_id=user.pk, via=via)
    return named


@transaction.atomic
def end_administrator(named: StructureAdministrator, *, by, via: Via = NOWHERE) -> None:
    """End a designation; what was vouched for in its time stands. Raises NotAllowed."""
    require_administrator(by)
    rows = StructureAdministrator.objects.current().filter(pk=named.pk)
    if rows.update(ended_at=timezone.now(), ended_by=by):
        record_account(user=by, action="fin de désignation", object_kind="compte", object_id=named.user_id, via=via)


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


def _require_administrator_or_command(by) -> None:
    if by is not None:
        require_administrator(by)
