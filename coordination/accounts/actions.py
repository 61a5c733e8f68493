"""Every change to an account. Who may do it: `by`, a named administrator (issue 2 §3)."""

from collections.abc import Iterator
from contextlib import contextmanager

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from coordination.accounts import mails
from coordination.accounts.errors import AccountClosed, EmailTaken, NotAnAdministrator, OwnAccount
from coordination.accounts.models import AccountChange, Session, User
from coordination.common.text import seen, squeeze
from coordination.outbox.errors import InvalidAddress

Kind = AccountChange.Kind


@transaction.atomic
def create_account(
    *,
    email: str,
    family_name: str,
    given_name: str,
    title: str = "",
    is_administrator: bool = False,
    password: str | None = None,
    by: User | None = None,
    is_vetted: bool = False,
    opened_for: dict | None = None,
) -> User:
    """Open an account and send its holder the link to choose a password.

    With `password` (who accepts an invitation received at that address; demonstration accounts, tests) the address
    counts as verified and no mail leaves.
    `by` is None for the command line and for an accepted invitation; else an administrator, or somebody whom the
    caller has found able to (`is_vetted`: the administrator of a structure, a fact of the floors above).
    `opened_for`: what the mail says of who asks, see `send_password_link`.
    Raises EmailTaken, InvalidAddress, NotAnAdministrator. Source: issue 2 §3 (no open sign-up).
    """
    if by is not None and not (is_vetted and by.is_active and not is_administrator):
        _require_administrator(by)
    email = _free_address(email)
    with _address_taken_meanwhile():
        user = User.objects.create_user(
            email,
            password,
            family_name=seen(family_name),
            given_name=seen(given_name),
            title=seen(title),
            is_administrator=is_administrator,
        )
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=password is not None)
    _note(user, Kind.CREATED, by)
    if password is None:
        send_password_link(user, opened_for=opened_for)
    return user


@transaction.atomic
def send_password_link(user: User, *, by: User | None = None, opened_for: dict | None = None) -> None:
    """Send (again) the link to choose a first password. Raises AccountClosed when the account is not open.

    `by`: the administrator who asks for it, None where the caller has decided (NotAnAdministrator). `opened_for`:
    {"asked_by": a person's name, "structure": a name} when somebody opens it for a structure.
    """
    if by is not None:
        _require_administrator(by)
    if not user.is_active:
        raise AccountClosed()
    mails.send(
        "accounts/emails/password_first.html",
        to=user.email,
        context={"link": mails.password_link(user), "opened_for": opened_for},
        sensitive=True,
        account_id=user.pk,
    )


@transaction.atomic
def suspend_account(user: User, *, by: User, reason: str = "") -> User:
    """Shut the account for a while; its sessions end at once. Raises NotAnAdministrator, OwnAccount."""
    user = _locked_with(user, by)
    if user.suspended_at is None and user.closed_at is None:
        user.suspended_at, user.is_active = timezone.now(), False
        user.save(update_fields=["suspended_at", "is_active"])
        end_sessions(user)
        _note(user, Kind.SUSPENDED, by, reason)
    return user


@transaction.atomic
def close_account(user: User, *, by: User, reason: str = "") -> User:
    """Shut the account for good (the row stays: traces point at it). Same errors as `suspend_account`."""
    user = _locked_with(user, by)
    if user.closed_at is None:
        user.closed_at, user.is_active = timezone.now(), False
        user.save(update_fields=["closed_at", "is_active"])
        end_sessions(user)
        _note(user, Kind.CLOSED, by, reason)
    return user


@transaction.atomic
def reopen_account(user: User, *, by: User, reason: str = "") -> User:
    """Open a suspended or closed account again. Raises NotAnAdministrator, OwnAccount."""
    user = _locked_with(user, by)
    if not user.is_active:
        user.suspended_at, user.closed_at, user.is_active = None, None, True
        user.save(update_fields=["suspended_at", "closed_at", "is_active"])
        _note(user, Kind.REOPENED, by, reason)
    return user


@transaction.atomic
def name_administrator(user: User, *, by: User, reason: str = "") -> User:
    """Let this account administer accounts, lists and the matrix; its sessions end (SECT-22). Opens no dossier.

    Raises NotAnAdministrator, OwnAccount, AccountClosed (suspended or closed).
    """
    user = _locked_with(user, by)
    if not user.is_active:
        raise AccountClosed("Ce compte est suspendu ou fermé : rouvrez-le d’abord.")
    if not user.is_administrator:
        _set_administrator(user, True, Kind.ADMINISTRATOR_NAMED, by, reason)
    return user


@transaction.atomic
def end_administrator(user: User, *, by: User, reason: str = "") -> User:
    """Stop it; its sessions end. Nobody does it to himself, so one administrator always remains.

    Raises NotAnAdministrator, OwnAccount.
    """
    user = _locked_with(user, by)
    if user.is_administrator:
        _set_administrator(user, False, Kind.ADMINISTRATOR_ENDED, by, reason)
    return user


def _set_administrator(user: User, value: bool, kind: str, by: User, reason: str) -> None:
    user.is_administrator = value
    user.save(update_fields=["is_administrator"])
    end_sessions(user)
    _note(user, kind, by, reason)


@transaction.atomic
def change_email(user: User, email: str, *, by: User, reason: str = "") -> User:
    """Give the account another address, to be verified at the next sign-in; sessions end, the old address is told.

    Raises NotAnAdministrator, EmailTaken, InvalidAddress.
    """
    _require_administrator(by)
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    email = _free_address(email)
    before, user.email = user.email, email
    with _address_taken_meanwhile():
        user.save(update_fields=["email"])
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=email, primary=True, verified=False)
    end_sessions(user)
    _note(user, Kind.EMAIL_CHANGED, by, reason)
    mails.send("accounts/emails/email_changed.html", to=before, context={}, account_id=user.pk)
    return user


def end_sessions(user: User, *, except_key: str | None = None) -> int:
    """End every session of the account in one statement, but the one whose key is given; return how many ended.

    To be called by whoever changes what a session may do: password, role, habilitation (SECT-22).
    """
    sessions = Session.objects.filter(user=user)
    if except_key:
        sessions = sessions.exclude(session_key=except_key)
    return sessions.delete()[0]


def end_session(user: User, public_id) -> bool:
    """End one session of this account by its public name; return whether there was one."""
    return bool(Session.objects.filter(user=user, public_id=public_id).delete()[0])


def _free_address(email: str) -> str:
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidAddress() from None
    if User.objects.with_email(email).exists():
        raise EmailTaken()
    return email


@contextmanager
def _address_taken_meanwhile() -> Iterator[None]:
    """Turn the constraint that two simultaneous acts met into the sentence of the rule (REL-8)."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise EmailTaken() from error


def _require_administrator(by: User, *, other_than: User | None = None) -> None:
    if not (by.is_active and by.is_administrator):
        raise NotAnAdministrator()
    if other_than is not None and by.pk == other_than.pk:
        raise OwnAccount()


def _locked_with(user: User, by: User) -> User:
    _require_administrator(by, other_than=user)
    # Locked together, always in the same order: of two administrators shutting each other, the second one to come
    # reads that it is no longer open, so one always remains.
    locked = {
        row.pk: row
        for row in User.objects.filter(pk__in=[user.pk, by.pk]).order_by("pk").select_for_update(of=("self",))
    }
    _require_administrator(locked[by.pk])
    return locked[user.pk]


def _note(user: User, kind: str, by: User | None, reason: str = "") -> None:
    AccountChange.objects.create(user=user, kind=kind, by=by, reason=squeeze(reason)[:300])
