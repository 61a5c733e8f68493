"""What the person opposes: a rubric to one member or to everybody, or the whole dossier (SEC-5, SEC-6).

To one member and for the whole dossier it is a refusal (`actions.refusals`). Each is dated, prevails over every grant
and is withdrawn by another dated fact.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from habilitations import acting
from habilitations.access import Access, held_by, may_administer
from habilitations.actions.members import locked
from habilitations.actions.twins import is_his_house
from habilitations.closures import closable
from habilitations.errors import (
    AlreadyOpposed,
    CollectedUnknown,
    NotAllowed,
    NothingToWithdraw,
    OwnHabilitation,
    RefusalDateNotPossible,
    RubricNotClosable,
)
from habilitations.keepers import keepers
from habilitations.models import Collected, Delegate, Habilitation, Opposition
from habilitations.rubriques import Rubrique
from habilitations.sharing_errors import LiftReasonMissing, SomebodyKeeps
from habilitations.traces import NOWHERE, Via, record, record_account

WHOLE = ""
LIFTED = "Tout le dossier : opposition levée par un administrateur, personne ne pouvant plus la retirer"


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
    if rubrique not in (WHOLE, *closable(access.matrix.rubrics)) or (rubrique == WHOLE and habilitation is not None):
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
    aimed = found.habilitation
    if aimed is not None and (acting.is_way_in(access, aimed, by) or is_his_house(aimed, by, access)):
        raise OwnHabilitation
    if found.withdrawn_at is not None:
        raise NothingToWithdraw("Cette opposition est déjà retirée.")
    _check(withdrawn_on, collected, not_before=found.refused_on)
    return _withdraw(found, by=by, withdrawn_on=withdrawn_on, collected=collected)


@transaction.atomic
def lift_opposition(
    dossier_id: UUID, *, by, reason: str, withdrawn_on: dt.date, collected: str, via: Via = NOWHERE
) -> Opposition:
    """Withdraw the opposition to a whole dossier in which nobody is left who could. `by`: a named administrator.

    The person goes back on it, as when it is withdrawn on the screen; it opens nothing to who lifts it. Traced in the
    journal of the dossier. Raises NotAllowed, NothingToWithdraw, SomebodyKeeps, OwnHabilitation (he is of the circle,
    himself or by a structure), LiftReasonMissing, RefusalDateNotPossible, CollectedUnknown.
    """
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut lever une opposition.")
    rows = Opposition.objects.standing().whole().select_for_update(of=("self",))
    found = rows.filter(dossier_id=dossier_id).first()
    if found is None:
        raise NothingToWithdraw("Aucune opposition ne ferme tout ce dossier.")
    if keepers(dossier_id):
        raise SomebodyKeeps
    houses = Delegate.objects.current().filter(user=by).values("structure_id")
    if Habilitation.objects.open().filter(Q(user=by) | Q(structure__in=houses), dossier_id=dossier_id).exists():
        raise OwnHabilitation
    if not reason.strip():
        raise LiftReasonMissing
    _check(withdrawn_on, collected, not_before=found.refused_on)
    found.lifted_why = reason.strip()[:300]
    _withdraw(found, by=by, withdrawn_on=withdrawn_on, collected=collected)
    record(
        user=by, dossier_id=dossier_id, access=held_by(by), action="habilitation", rubrique=Rubrique.CERCLE,
        object_kind="dossier", object_id=dossier_id, reason=LIFTED, via=via,
    )  # fmt: skip
    record_account(user=by, action="levée d’opposition", object_kind="dossier", object_id=dossier_id, via=via)
    return found


def without_keeper() -> list[Opposition]:
    """Return the oppositions to a whole dossier that nobody inside may withdraw any more, the oldest first."""
    standing = Opposition.objects.standing().whole().select_related("recorded_by").order_by("recorded_at", "pk")
    return [one for one in standing if not keepers(one.dossier_id)]


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


def _withdraw(found: Opposition, *, by, withdrawn_on: dt.date, collected: str) -> Opposition:
    found.withdrawn_on, found.withdrawn_collected = withdrawn_on, collected
    found.withdrawn_at, found.withdrawn_by = timezone.now(), by
    found.save(update_fields=["withdrawn_on", "withdrawn_collected", "withdrawn_at", "withdrawn_by", "lifted_why"])
    return found


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
