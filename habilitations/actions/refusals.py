"""The person's refusal that a member be told anything: recorded and withdrawn, each a dated fact (SEC-5)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from habilitations import acting
from habilitations.access import Access
from habilitations.actions.members import NON, locked, move
from habilitations.actions.twins import is_his_house, other_entries
from habilitations.errors import (
    AlreadyRefused,
    CollectedUnknown,
    NotAllowed,
    NothingToWithdraw,
    OwnHabilitation,
    RefusalDateNotPossible,
)
from habilitations.models import Habilitation, Refusal

State = Habilitation.State


@transaction.atomic
def record_refusal(
    habilitation: Habilitation, *, by, access: Access, refused_on: dt.date, collected: str, comment: str = ""
) -> Refusal:
    """Record the refusal and close the access in the same transaction (state "refus").

    A structure entered under another entry of the directory found to be the same is closed with it ("non").
    `collected` is a Refusal.Collected. Possible in a closed or paused dossier: a refusal prevails always (SEC-5).
    Raises NotAllowed (action right "noter_refus", and a profile that writes the circle), AlreadyRefused,
    RefusalDateNotPossible (to come), CollectedUnknown, MembershipEnded.
    """
    if not access.may_record_refusal:
        raise NotAllowed
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

    With it goes the refusal of another entry of the same structure that has left the circle (a double). Nobody
    withdraws a refusal that concerns himself, nor in a dossier that is read-only. Raises NotAllowed,
    OwnHabilitation, NothingToWithdraw, RefusalDateNotPossible (to come, or before the refusal), CollectedUnknown.
    """
    if not access.may_withdraw_refusal:
        raise NotAllowed
    row = locked(habilitation)
    if acting.concerns(access, row.user_id, by) or is_his_house(row, by, access):
        raise OwnHabilitation
    refusal = Refusal.objects.select_for_update(of=("self",)).filter(habilitation=row, withdrawn_at=None).first()
    if refusal is None:
        raise NothingToWithdraw
    _check(withdrawn_on, collected, not_before=refusal.refused_on)
    _withdraw(refusal, by=by, withdrawn_on=withdrawn_on, collected=collected)
    for twin in other_entries(row).filter(state=State.REFUS).exclude(ended_at=None):
        # Of an entry that has left nobody could withdraw it any more, and it stands for this one.
        for other in Refusal.objects.select_for_update(of=("self",)).filter(habilitation=twin, withdrawn_at=None):
            _withdraw(other, by=by, withdrawn_on=max(withdrawn_on, other.refused_on), collected=collected)
        move(twin, NON, by=by)
    return move(row, NON, by=by)


def _withdraw(refusal: Refusal, *, by, withdrawn_on: dt.date, collected: str) -> None:
    refusal.withdrawn_on, refusal.withdrawn_collected = withdrawn_on, collected
    refusal.withdrawn_at, refusal.withdrawn_by = timezone.now(), by
    refusal.save(update_fields=["withdrawn_on", "withdrawn_collected", "withdrawn_at", "withdrawn_by"])


def _close_twins(row: Habilitation, *, by) -> None:
    for twin in other_entries(row).filter(ended_at=None, state__in=(State.OUI, State.ATTENTE)):
        move(twin, NON, by=by)


def _check(day: dt.date, collected: str, *, not_before: dt.date | None = None) -> None:
    if collected not in Refusal.Collected.values:
        raise CollectedUnknown
    if day > timezone.localdate():
        raise RefusalDateNotPossible
    if not_before and day < not_before:
        raise RefusalDateNotPossible("Le retrait ne peut pas précéder le refus.")
