"""What an administrator does to an account: each act is done, noted in the account's history and traced, or none is.

Never to one's own account (`OwnAccount`, `OwnProfession`). An administrator opens no dossier by any of these.
"""

from __future__ import annotations

from django.db import transaction

from coordination.accounts import actions as accounts
from coordination.accounts.models import User
from coordination.directory.actions import confirm_account
from coordination.directory.errors import ReasonMissing
from coordination.directory.models import Activity
from habilitations.access import may_administer
from habilitations.actions import end_profession as end_vouched
from habilitations.errors import AccountNotOpen, NotAllowed, OwnProfession
from habilitations.models import VouchedProfession
from habilitations.traces import NOWHERE, Via, record_account


def suspend(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """Shut the account for a while. Raises NotAnAdministrator, OwnAccount, ReasonMissing."""
    _do(accounts.suspend_account, "suspension", user, reason, by, via)


def close(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """Shut the account for good. Raises NotAnAdministrator, OwnAccount, ReasonMissing."""
    _do(accounts.close_account, "fermeture", user, reason, by, via)


def reopen(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """Open the account again. Raises NotAnAdministrator, OwnAccount, ReasonMissing."""
    _do(accounts.reopen_account, "réouverture", user, reason, by, via)


def name_administrator(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """Let the account administer. Raises NotAnAdministrator, OwnAccount, AccountClosed, ReasonMissing."""
    _do(accounts.name_administrator, "administrateur", user, reason, by, via)


def end_administrator(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """Stop it. Raises NotAnAdministrator, OwnAccount, ReasonMissing."""
    _do(accounts.end_administrator, "fin administrateur", user, reason, by, via)


@transaction.atomic
def confirm(user: User, activity: Activity, *, by: User, via: Via = NOWHERE) -> VouchedProfession:
    """Vouch for what this person practises in the directory: its rights open at the next request.

    Raises NotAllowed, OwnProfession, AccountNotOpen, AlreadyAttached, AlreadyVouched.
    """
    _require_administrator(by, user)
    if not user.is_active:
        raise AccountNotOpen
    vouched = confirm_account(user, activity, how=VouchedProfession.How.ADMINISTRATOR, by=by)
    record_account(user=by, action="confirmation", object_kind="compte", object_id=user.pk, via=via)
    return vouched


@transaction.atomic
def end_profession(user: User, *, reason: str, by: User, via: Via = NOWHERE) -> None:
    """End the profession confirmed: its rights stop at the next request.

    Raises NotAllowed, OwnProfession, ReasonMissing, NotVouched.
    """
    _require_administrator(by, user)
    if not reason.strip():
        raise ReasonMissing
    end_vouched(user, by=by, reason=reason.strip())
    record_account(user=by, action="fin de confirmation", object_kind="compte", object_id=user.pk, via=via)


@transaction.atomic
def _do(act, traced: str, user: User, reason: str, by: User, via: Via) -> None:
    if not reason.strip():
        raise ReasonMissing
    act(user, by=by, reason=reason)
    record_account(user=by, action=traced, object_kind="compte", object_id=user.pk, via=via)


def _require_administrator(by: User, user: User) -> None:
    if not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
    if by.pk == user.pk:
        raise OwnProfession("Un autre administrateur doit le faire pour votre propre profession.")
