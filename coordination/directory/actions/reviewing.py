"""« Revue des accès » of a structure: an account left as it is, though some of its grants sleep."""

from __future__ import annotations

from django.db import transaction

from coordination.accounts.models import User
from habilitations import access
from habilitations.errors import NotVouched
from habilitations.models import AccountKept, VouchedProfession
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def keep_account(user: User, *, by: User, via: Via = NOWHERE) -> AccountKept:
    """Note that an account of the structure is left as it is; it is shown again after ACCESS_UNUSED_MONTHS.

    Raises NotVouched, NotOfYourStructure, OwnProfession.
    """
    current = VouchedProfession.objects.current().filter(user=user).first()
    if current is None:
        raise NotVouched
    access.require_looks_after(by, current.structure_id, other_than=user)
    record_account(user=by, action="compte gardé", object_kind="compte", object_id=user.pk, via=via)
    return AccountKept.objects.create(user=user, by=by)
