"""Leaving something to send or to do, inside the transaction of the act that causes it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.outbox import doorbell
from coordination.outbox.errors import InvalidAddress, OutsideTransaction
from coordination.outbox.models import WAITING_STATES, Job, Message, State, make_due


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
    doorbell.ring_at_commit("message", key)
    return message


def enqueue(kind: str, ref: UUID, due_at: datetime | None = None) -> Job:
    """Write one piece of due work: the handler registered for `kind` is called with `ref` at `due_at` (now if None).

    Raises OutsideTransaction when no transaction is open. Source: issue 2 §2, REL-1.
    """
    _require_transaction()
    if due_at is not None:
        # The sweep rings at that hour.
        return Job.objects.create(kind=kind, ref=ref, next_attempt_at=due_at, ring_after=due_at)
    job = Job.objects.create(kind=kind, ref=ref)
    doorbell.ring_at_commit("job", job.pk)
    return job


@transaction.atomic
def withdraw_messages(object_id: UUID, *, kinds: Iterable[str], why: str) -> int:
    """Stop the messages about an object that still wait; return how many. `why` is what the list of mails shows.

    One in the hands of a worker is left to its filler: nobody waits here for a mail server.
    """
    waiting = Message.objects.waiting().filter(object_id=object_id, kind__in=kinds)
    keys = list(waiting.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True))
    # Withdrawn on purpose: no dead letter for an operator to look at.
    said = {"state": State.ECHEC, "last_error": why, "dismissed_at": timezone.now()}
    return Message.objects.filter(pk__in=keys).update(**said)


@transaction.atomic
def retry_message(message: Message, *, by) -> Message:
    """Put a dead letter back in the queue with a fresh count of attempts; any other is left as it is.

    `by` is who asked, None for the operator at the terminal: the room above that knows accounts writes the trace.
    """
    message = Message.objects.select_for_update(of=("self",)).get(pk=message.pk)
    if message.state == State.ECHEC and message.dismissed_at is None:
        message.state, message.attempts, message.last_error = State.EN_FILE, 0, ""
        make_due(message)
        message.save()
        doorbell.ring_at_commit("message", message.pk)
    return message


@transaction.atomic
def dismiss_message(message: Message, *, by) -> bool:
    """Say that a letter which waits or was given up leaves no more; return whether it was one. Its bodies are blanked.

    One in the hands of a worker is left to it: nobody waits here for a mail server. `by`: as `retry_message`.
    """
    rows = Message.objects.filter(pk=message.pk, state__in=[*WAITING_STATES, State.ECHEC], dismissed_at=None)
    locked = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if locked is None:
        return False
    locked.last_error = locked.last_error or "Classé sans suite avant son départ."
    locked.state, locked.dismissed_at, locked.text, locked.html = State.ECHEC, timezone.now(), "", ""
    locked.save()
    return True


@transaction.atomic
def retry_job(job: Job, *, by) -> Job:
    """Put a job given up back in the queue with a fresh count of attempts; any other is left as it is.

    `by`: as `retry_message`.
    """
    job = Job.objects.select_for_update(of=("self",)).get(pk=job.pk)
    if job.given_up_at is not None and job.dismissed_at is None:
        job.given_up_at, job.attempts, job.last_error = None, 0, ""
        make_due(job)
        job.save()
        doorbell.ring_at_commit("job", job.pk)
    return job


@transaction.atomic
def dismiss_job(job: Job, *, by) -> bool:
    """Say that a job which waits or was given up is done no more; return whether it was one. `by`: as above."""
    rows = Job.objects.filter(pk=job.pk, done_at=None, dismissed_at=None)
    locked = rows.select_for_update(skip_locked=True, of=("self",)).first()
    if locked is None:
        return False
    now = timezone.now()
    locked.given_up_at, locked.dismissed_at = locked.given_up_at or now, now
    locked.save()
    return True


def blank_bodies() -> int:
    """Blank the bodies of the letters sent, or that leave no more, long ago (RETENTION_DAYS); return of how many.

    Their rows stay. One held at the end of a quarantine is sent by nobody, one that was settled neither.
    """
    long_ago = _long_ago("mail_bodies")
    over = Q(sent_at__lt=long_ago) | Q(dismissed_at__lt=long_ago) | Q(state=State.RETENU, created_at__lt=long_ago)
    return Message.objects.filter(over).exclude(text="", html="").update(text="", html="")


def purge_messages() -> int:
    """Delete the letters sent, given up or held back long ago (RETENTION_DAYS); return how many."""
    ended, long_ago = (State.ECHEC, State.RETENU), _long_ago("dead_letters")
    sent, _ = Message.objects.filter(sent_at__lt=_long_ago("mails")).delete()
    dead, _ = Message.objects.filter(state__in=ended, created_at__lt=long_ago).delete()
    return sent + dead


def purge_jobs() -> int:
    """Delete the jobs done, or given up, long ago (RETENTION_DAYS); return how many."""
    done, _ = Job.objects.filter(done_at__lt=_long_ago("jobs")).delete()
    dead, _ = Job.objects.filter(given_up_at__lt=_long_ago("dead_letters")).delete()
    return done + dead


def _long_ago(kind: str) -> datetime:
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS[kind])


def _require_transaction() -> None:
    if not connection.in_atomic_block:
        raise OutsideTransaction("queue() and enqueue() belong inside the transaction of the act.")
