"""What an administrator does to the queues: begin again, or give up for good. Each act leaves its trace."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from coordination.operations.errors import NothingThere
from coordination.outbox import actions as outbox
from coordination.outbox.models import Job, Message
from coordination.partners import actions as partners
from coordination.partners.errors import RelayWaiting
from coordination.partners.models import Relay
from habilitations.access import may_administer
from habilitations.errors import NotAllowed
from habilitations.traces import NOWHERE, Via, record_account

LETTER, JOB = "courriel", "travail dû"


@transaction.atomic
def retry_letter(message: Message, *, by: Any, via: Via = NOWHERE) -> None:
    """Put a dead letter back in the queue. Raises NotAllowed, NothingThere when it is one no more."""
    _require_administrator(by)
    if not Message.objects.failed().filter(pk=message.pk).exists():
        raise NothingThere
    outbox.retry_message(message, by=by)
    record_account(user=by, action="reprise courriel", object_kind=LETTER, object_id=message.pk, via=via)


@transaction.atomic
def dismiss_letter(message: Message, *, by: Any, via: Via = NOWHERE) -> None:
    """Have a letter leave no more, its text blanked. Raises NotAllowed, NothingThere."""
    _require_administrator(by)
    if not outbox.dismiss_message(message, by=by):
        raise NothingThere
    record_account(user=by, action="abandon courriel", object_kind=LETTER, object_id=message.pk, via=via)


@transaction.atomic
def retry_job(job: Job, *, by: Any, via: Via = NOWHERE) -> None:
    """Put a job given up back in the queue. Raises NotAllowed, NothingThere when it is one no more."""
    _require_administrator(by)
    if not Job.objects.failed().filter(pk=job.pk).exists():
        raise NothingThere
    outbox.retry_job(job, by=by)
    record_account(user=by, action="reprise travail", object_kind=JOB, object_id=job.pk, via=via)


@transaction.atomic
def dismiss_job(job: Job, *, by: Any, via: Via = NOWHERE) -> None:
    """Have a job done no more. Raises NotAllowed, NothingThere."""
    _require_administrator(by)
    if not outbox.dismiss_job(job, by=by):
        raise NothingThere
    record_account(user=by, action="abandon travail", object_kind=JOB, object_id=job.pk, via=via)


@transaction.atomic
def retry_exchange(relay: Relay, *, by: Any, via: Via = NOWHERE) -> None:
    """Put an exchange given up back in the queue (partners.actions.retry_relay, which traces).

    Raises NotAllowed, RelayWaiting, NothingThere.
    """
    _require_administrator(by)
    if not Relay.objects.failed().filter(pk=relay.pk).exists():
        raise NothingThere
    partners.retry_relay(relay, by=by, via=via)


@transaction.atomic
def dismiss_exchange(relay: Relay, *, by: Any, via: Via = NOWHERE) -> None:
    """Call an exchange off (partners.actions.cancel_relay, which traces). Raises NotAllowed, NothingThere."""
    if not partners.cancel_relay(relay, by=by, via=via):
        raise NothingThere


def act_on_each(act: Any, rows: Iterable[Any], *, by: Any, via: Via = NOWHERE) -> tuple[int, int]:
    """Do one of the acts above to each row, in a transaction each; return how many were done, how many were not.

    What was settled meanwhile, or was asked again since, is counted among those that were not. Raises NotAllowed.
    """
    done = missed = 0
    for row in rows:
        try:
            act(row, by=by, via=via)
        except (NothingThere, RelayWaiting):
            missed += 1
        else:
            done += 1
    return done, missed


def _require_administrator(by: Any) -> None:
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
