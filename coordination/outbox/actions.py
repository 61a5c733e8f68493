"""Leaving something to send or to do, inside the transaction of the act that causes it."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.outbox import doorbell
from coordination.outbox.errors import InvalidAddress, OutsideTransaction
from coordination.outbox.models import DOORBELL_GRACE, Job, Message, State


def queue(
    *,
    to: str,
    subject: str,
    text: str,
    html: str | None = None,
    kind: str,
    sensitive: bool = False,
    account_id: UUID | None = None,
    object_id: UUID | None = None,
    object_version: int | None = None,
) -> Message:
    """Write one e-mail to send to one address, and ring for it once the transaction is committed.

    `kind` is a short stable code ("account.password_reset"). `sensitive` blanks the bodies once sent; what must never
    be stored at all is put in at the moment of sending (see `filling`).
    `account_id` and `object_id` let upper rooms find their messages again; `object_version` says what they looked
    like then, for the filler to compare.
    Raises OutsideTransaction when no transaction is open, InvalidAddress when `to` is not an address.
    Source: issue 2 §2, REL-1.
    """
    _require_transaction()
    try:
        validate_email(to)
    except ValidationError:
        raise InvalidAddress() from None
    key = uuid7()
    message = Message.objects.create(
        id=key,
        to=to,
        # One line: a subject is a header.
        subject=" ".join(subject.split())[:200],
        text=text,
        html=html or "",
        kind=kind,
        sensitive=sensitive,
        account_id=account_id,
        object_id=object_id,
        object_version=object_version,
        message_id=f"<{key}@{settings.OUTBOX_MESSAGE_ID_DOMAIN}>",
    )
    transaction.on_commit(lambda: doorbell.ring("message", key))
    return message


def enqueue(kind: str, ref: UUID, due_at=None) -> Job:
    """Write one piece of due work: the handler registered for `kind` is called with `ref` at `due_at` (now if None).

    Raises OutsideTransaction when no transaction is open. Source: issue 2 §2, REL-1.
    """
    _require_transaction()
    now = timezone.now()
    due = due_at or now
    job = Job.objects.create(kind=kind, ref=ref, next_attempt_at=due, ring_after=max(due, now + DOORBELL_GRACE))
    if due <= now:
        transaction.on_commit(lambda: doorbell.ring("job", job.pk))
    return job


@transaction.atomic
def withdraw_messages(object_id: UUID, *, kinds: Iterable[str], why: str) -> int:
    """Stop the messages about an object that still wait; return how many. `why` is what the list of mails shows.

    One in the hands of a worker is left to its filler: nobody waits here for a mail server.
    """
    waiting = Message.objects.waiting().filter(object_id=object_id, kind__in=kinds)
    keys = list(waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    return Message.objects.filter(pk__in=keys).update(state=State.ECHEC, last_error=why)


@transaction.atomic
def retry_message(message: Message, *, by) -> Message:
    """Put a failed message back in the queue with a fresh count of attempts; any other state is left as it is."""
    message = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if message.state == State.ECHEC:
        now = timezone.now()
        message.state, message.attempts, message.last_error = State.EN_FILE, 0, ""
        message.next_attempt_at, message.ring_after = now, now + DOORBELL_GRACE
        message.save()
        transaction.on_commit(lambda: doorbell.ring("message", message.pk))
    return message


def purge(*, sent_before_days: int = 90, done_before_days: int = 30) -> tuple[int, int]:
    """Delete what was sent or done long ago; return how many messages and jobs went. Failures are kept."""
    now = timezone.now()
    messages, _ = Message.objects.filter(sent_at__lt=now - timedelta(days=sent_before_days)).delete()
    jobs, _ = Job.objects.filter(done_at__lt=now - timedelta(days=done_before_days)).delete()
    return messages, jobs


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise OutsideTransaction("queue() and enqueue() belong inside the transaction of the act.")
