"""The safety net: every few seconds, ring again for what is due, and do it here when nobody answers (REL-2, REL-3)."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import Error, transaction
from django.db.models.functions import Now

from coordination.common import away
from coordination.outbox import delivery, doorbell, jobs, quarantine
from coordination.outbox.models import RING_AGAIN_AFTER, Job, Message

logger = logging.getLogger(__name__)
BATCH = 500
# What has been due for so long was rung, and nobody took it: a worker takes seconds to start (REL-2).
LATE = timedelta(seconds=3)
HELP_SECONDS = 1.5
# The queues of rooms above: (what the doorbell calls it, its rows, what does one here).
_others: list[tuple[str, Callable[[], Any], Callable[[UUID], object]]] = []


def register(what: str, rows: Callable[[], Any], do_here: Callable[[UUID], object]) -> None:
    """Have the sweep look after another queue; `rows()` has `to_ring`, as in models.DueQuerySet."""
    if what not in {name for name, _, _ in _others}:
        _others.append((what, rows, do_here))


def sweep(*, helping: bool = False, deliver: Callable[[UUID], object] | None = None) -> int:
    """Ring for every row that is due and unrung, oldest first; return how many. With no broker, do them in place.

    `helping`: do also, for a moment, what was rung and nobody took. `deliver`: what hands a letter over here, for who
    has no time limit of a task. None while a quarantine stands: nobody would do them.
    """
    deliver = deliver or delivery.deliver
    doorbell.listen_again()
    if quarantine.stands():
        return 0
    enough = doorbell.ENOUGH
    own = _sweep("message", Message.objects.all, deliver, enough) + _sweep("job", Job.objects.all, jobs.run, enough)
    # Mails first: with no broker, a partner that hangs holds what comes after it.
    rung = own + sum(_sweep(*queue) for queue in _others)
    if helping:
        _help(deliver)
    return rung


def _help(deliver: Callable[[UUID], object]) -> None:
    """Do what waits too long, oldest first: the broker takes rings while the workers are killed, or being started.

    Mails and jobs of ours, and not what asks partners: one that hangs would hold the rings of all the others.
    """
    until = time.monotonic() + HELP_SECONDS
    queues: tuple[tuple[Callable[[], Any], Callable[[UUID], object]], ...] = (
        (Message.objects.all, deliver),
        (Job.objects.all, jobs.run),
    )
    for rows, do_here in queues:
        late = rows().due().filter(next_attempt_at__lte=Now() - LATE).order_by("next_attempt_at")
        for key in late.values_list("pk", flat=True)[:BATCH]:
            if time.monotonic() > until:
                return
            _do(do_here, key)


def _sweep(what, rows, do_here, enough=BATCH) -> int:
    """Ring for what is due; `enough`: how many heard rings bring the rest forward."""
    keys, heard = _claim(rows), 0
    for key in keys:
        if heard == enough:
            break
        if doorbell.ring(what, key):
            heard += 1
        else:
            _do(do_here, key)
    return len(keys)


def _do(do_here: Callable[[UUID], object], key: UUID) -> None:
    """One row that raises must not keep the others from being done: it is rung again later."""
    try:
        do_here(key)
    except (Error, SoftTimeLimitExceeded):
        raise
    except Exception as error:
        away.note(error)
        logger.error("outbox.not_swept", extra={"outbox_id": str(key)}, exc_info=error)


def _claim(queue) -> list:
    """Mark a batch as rung, so that two sweeps and a long queue do not ring thousands of times for one row."""
    with transaction.atomic():
        rows = queue().to_ring().order_by("ring_after").select_for_update(skip_locked=True, of=("self",))
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        queue().filter(pk__in=keys).update(ring_after=Now() + RING_AGAIN_AFTER)
    return keys
