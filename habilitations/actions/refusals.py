"""The person's refusal that a member be told anything: recorded and withdrawn, each a dated fact (SEC-5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from habilitations.access import Access
from habilitations.actions.members import NON, locked, move
from habilitations.errors import (
    AlreadyRefused,
    CollectedUnknown,
    NothingToWithdraw,
    OwnHabilitation,
    RefusalDateNotPossible,
)
from habilitations.kin import same_structures
from habilitations.models import Habilitation, Refusal
from habilitations.rubriques import Action

State = Habilitation.State


@transaction.atomic
def record_refusal(
    habilitation: Habilitation, *, by, access: Access, refused_on: dt.date, collected: str, comment: str = ""
) -> Refusal:
    """Record the refusal and close the access in the same transaction (state "refus").

    A structure entered under another entry of the directory found to be the same is closed with it ("non").
    `collected` is a Refusal.Collected. Raises NotAllowed (action right "noter_refus"), AlreadyRefused,
    RefusalDateNotPossible (to come), CollectedUnknown, MembershipEnded.
    """
    access.require(Action.RECORD_REFUSAL)
    row = locked(habilitation)
    if row.state == State.REFUS:
        raise AlreadyRefused
    _check(refused_on, collected)
    row.requested_at = row.requested_by = None
    move(row, State.REFUS, by=by)
    _close_twins(row, by=by)
    return Refusal.objects.create(
        dossier_id=row.dossier_id,
        habilitation=row,
        refused_on=refused_on,
        collected=collected,
        comment=comment,
        recorded_by=by,
    )


@transaction.atomic
def withdraw_refusal(
    habilitation: Habilitation, *, by, access: Access, withdrawn_on: dt.date, collected: str
) -> Habilitation:
    """Withdraw the standing refusal: the state becomes "non", never "oui" by itself.

    Nobody withdraws a refusal that concerns himself. Raises NotAllowed, OwnHabilitation,
    NothingToWithdraw, RefusalDateNotPossible (to come, or before the refusal), CollectedUnknown.
    """
    access.require(Action.RECORD_REFUSAL)
    row = locked(habilitation)
    if row.user_id == by.pk:
        raise OwnHabilitation
    refusal = Refusal.objects.select_for_update(of=("self",)).filter(habilitation=row, withdrawn_at=None).first()
    if refusal is None:
        raise NothingToWithdraw
    _check(withdrawn_on, collected, not_before=refusal.refused_on)
    refusal.withdrawn_on, refusal.withdrawn_collected = withdrawn_on, collected
    refusal.withdrawn_at, refusal.withdrawn_by = timezone.now(), by
    refusal.save(update_fields=["withdrawn_on", "withdrawn_collected", "withdrawn_at", "withdrawn_by"])
    return move(row, NON, by=by)


def _close_twins(row: Habilitation, *, by) -> None:
    if row.structure_id is None:
        return
    entries = same_structures(row.structure_id)
    twins = Habilitation.objects.open().select_for_update(of=("self",)).filter(dossier_id=row.dossier_id)
    opened = (State.OUI, State.ATTENTE)
    for twin in twins.filter(structure__in=entries, state__in=opened).exclude(pk=row.pk).order_by("pk"):
        move(twin, NON, by=by)


def _check(day: dt.date, collected: str, *, not_before: dt.date | None = None) -> None:
    if collected not in Refusal.Collected.values:
        raise CollectedUnknown
    if day > timezone.localdate():
        raise RefusalDateNotPossible
    if not_before and day < not_before:
        raise RefusalDateNotPossible("Le retrait ne peut pas précéder le refus.")
