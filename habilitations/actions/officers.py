"""Naming the person who answers for the protection of data, and ending it."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from habilitations.access import require_administrator
from habilitations.errors import AccountNotOpen, AlreadyOfficer, OwnNaming
from habilitations.models import DataProtectionOfficer
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def name_officer(user, *, by, via: Via = NOWHERE) -> DataProtectionOfficer:
    """Let this account search the journals of all dossiers, without opening any. `by`: a named administrator.

    Raises NotAllowed, OwnNaming (nobody names himself), AccountNotOpen, AlreadyOfficer. Source: issue 3 §5.
    """
    require_administrator(by)
    if by.pk == user.pk:
        raise OwnNaming
    if not user.is_active:
        raise AccountNotOpen
    try:
        with transaction.atomic():
            named = DataProtectionOfficer.objects.create(user=user, named_by=by)
    except IntegrityError as error:
        raise AlreadyOfficer from error
    record_account(user=by, action="désignation DPO", object_kind="compte", object_id=user.pk, via=via)
    return named


@transaction.atomic
def end_officer(named: DataProtectionOfficer, *, by, via: Via = NOWHERE) -> None:
    """End it, at the next request. Raises NotAllowed."""
    require_administrator(by)
    rows = DataProtectionOfficer.objects.current().filter(pk=named.pk)
    if rows.update(ended_at=timezone.now(), ended_by=by):
        record_account(user=by, action="fin désignation DPO", object_kind="compte", object_id=named.user_id, via=via)
