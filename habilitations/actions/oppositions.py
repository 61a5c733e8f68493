"""What the person opposes: a rubric to one member or to everybody, or the whole dossier (SEC-5, SEC-6).

To one member and for the whole dossier it is a refusal (`actions.refusals`). Each is dated, prevails over every grant
and is withdrawn by another dated fact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from habilitations import acting
from habilitations.access import Access
from habilitations.actions.members import locked
from habilitations.errors import (
    AlreadyOpposed,
    CollectedUnknown,
    NotAllowed,
    NothingToWithdraw,
    OwnHabilitation,
    RefusalDateNotPossible,
    RubricNotClosable,
)
from habilitations.models import Collected, Habilitation, Opposition
from habilitations.models.consents import CLOSABLE

WHOLE = ""


@transaction.atomic
def record_opposition(
    dossier_id: UUID,
    *,
    by,
    access: Access,
    rubrique: str,
    habilitation: Habilitation | None = None,
    spared: Collection[UUID] = (),
    refused_on: dt.date,
    collected: str,
    comment: str = "",
) -> Opposition:
    """Record that the person opposes the sharing of a rubric with a member, or with everybody when there is none.

    `rubrique` WHOLE closes the dossier to everybody but the accounts of `spared`, who notes it and the one for whom he
    acts, so that somebody can withdraw it. Possible in a closed or paused dossier: it only closes. Raises NotAllowed
    (action right "noter_refus"), RubricNotClosable, AlreadyOpposed, RefusalDateNotPossible, CollectedUnknown,
    MembershipEnded.
    """
    if not access.may_record_refusal:
        raise NotAllowed
    if rubrique not in (WHOLE, *CLOSABLE) or (rubrique == WHOLE and habilitation is not None):
        raise RubricNotClosable
    row = locked(habilitation) if habilitation is not None else None
    if row is not None and row.dossier_id != dossier_id:
        raise NotAllowed
    _check(refused_on, collected)
    if Opposition.objects.standing().filter(dossier_id=dossier_id, habilitation=row, rubrique=rubrique).exists():
        raise AlreadyOpposed
    return Opposition.objects.create(
        dossier_id=dossier_id,
        habilitation=row,
        rubrique=rubrique,
        spared=sorted({*spared, *_noting(by, access)}) if rubrique == WHOLE else [],
        refused_on=refused_on,
        collected=collected,
        comment=comment,
        recorded_by=by,
    )


@transaction.atomic
def withdraw_opposition(
    opposition: Opposition, *, by, access: Access, withdrawn_on: dt.date, collected: str
) -> Opposition:
    """Withdraw an opposition: what each one's profession and habilitation open is open again.

    Nobody withdraws one that is aimed at him, or at the one for whom he acts, nor in a dossier that is read-only.
    Raises NotAllowed, OwnHabilitation, NothingToWithdraw, RefusalDateNotPossible (to come, or before the opposition),
    CollectedUnknown.
    """
    if not access.may_withdraw_refusal:
        raise NotAllowed
    found = Opposition.objects.select_for_update(of=("self",)).select_related("habilitation").get(pk=opposition.pk)
    if found.habilitation is not None and acting.is_way_in(access, found.habilitation, by):
        raise OwnHabilitation
    if found.withdrawn_at is not None:
        raise NothingToWithdraw("Cette opposition est déjà retirée.")
    _check(withdrawn_on, collected, not_before=found.refused_on)
    found.withdrawn_on, found.withdrawn_collected = withdrawn_on, collected
    found.withdrawn_at, found.withdrawn_by = timezone.now(), by
    found.save(update_fields=["withdrawn_on", "withdrawn_collected", "withdrawn_at", "withdrawn_by"])
    return found


@transaction.atomic
def carry_oppositions(left: Habilitation, kept: Habilitation) -> list[Opposition]:
    """Note for an entry what the person opposes to another entry of the same structure, found to be a double.

    Returns what was added. The one that leaves keeps its own, as it was.
    """
    standing = Opposition.objects.standing().filter(dossier_id=left.dossier_id)
    known = set(standing.filter(habilitation=kept).values_list("rubrique", flat=True))
    return [
        Opposition.objects.create(
            dossier_id=kept.dossier_id,
            habilitation=kept,
            rubrique=one.rubrique,
            refused_on=one.refused_on,
            collected=one.collected,
            comment=one.comment,
            recorded_by_id=one.recorded_by_id,
        )
        for one in standing.filter(habilitation=left).exclude(rubrique__in=known)
    ]


def _noting(by, access: Access) -> set[UUID]:
    """Return who stays inside: who acts for another enters by him, and would close the dossier to himself too."""
    return {by.pk, access.on_behalf_of.id} if access.on_behalf_of else {by.pk}


def _check(day: dt.date, collected: str, *, not_before: dt.date | None = None) -> None:
    if collected not in Collected.values:
        raise CollectedUnknown
    if day is None or day > timezone.localdate():
        raise RefusalDateNotPossible
    if not_before and day < not_before:
        raise RefusalDateNotPossible("Le retrait ne peut pas précéder l’opposition.", field="withdrawn_on")
