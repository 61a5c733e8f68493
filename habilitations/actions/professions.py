"""The profession an account acts under: it gives rights only once someone vouches for it.

Who may vouch (an administrator, the directory match, a named person of the structure) is decided by the
callers, which know accounts and directory; `how` and `by` say who it was.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from habilitations.actions.members import activate_waiting
from habilitations.errors import AlreadyVouched, NotVouched
from habilitations.models import VouchedProfession
from habilitations.traces import record_account


@transaction.atomic
def vouch_profession(
    user,
    *,
    profession: str,
    fonction: str = "",
    national_id: str = "",
    structure=None,
    how: str,
    by,
    professional=None,
) -> VouchedProfession:
    """Vouch for the profession of an account, and open what waited for it.

    profession and fonction are bare NOS codes; `structure` a row of the directory; `how` a
    VouchedProfession.How; `professional` the directory person this account is. Raises AlreadyVouched.
    """
    if VouchedProfession.objects.current().select_for_update(of=("self",)).filter(user=user).exists():
        raise AlreadyVouched
    vouched = VouchedProfession.objects.create(
        user=user,
        profession=profession,
        fonction=fonction,
        national_id=national_id,
        structure=structure,
        structure_name=structure.name if structure else "",
        how=how,
        vouched_by=by,
    )
    record_account(user=by, action="profession", object_kind="compte", object_id=user.pk)
    activate_waiting(user, professional, by=by)
    return vouched


@transaction.atomic
def change_profession(user, *, profession: str, fonction: str, how: str, by, **details) -> VouchedProfession:
    """End the current profession and vouch for another; `details` as in `vouch_profession`.

    What is not given (national id, structure) is kept. Raises NotVouched.
    """
    former = end_profession(user, by=by)
    kept = {"national_id": former.national_id, "structure": former.structure}
    return vouch_profession(user, profession=profession, fonction=fonction, how=how, by=by, **(kept | details))


@transaction.atomic
def end_profession(user, *, by, reason: str = "") -> VouchedProfession:
    """End the current profession: every right stops at the next request. Raises NotVouched."""
    current = VouchedProfession.objects.current().select_for_update(of=("self",)).filter(user=user).first()
    if current is None:
        raise NotVouched
    current.ended_at, current.ended_by, current.end_reason = timezone.now(), by, reason[:300]
    current.save(update_fields=["ended_at", "ended_by", "end_reason"])
    record_account(user=by, action="fin de profession", object_kind="compte", object_id=user.pk)
    return current
