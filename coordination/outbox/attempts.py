"""One attempt at a waiting row, in two transactions.

The first counts the attempt and commits, so that a row which kills its worker is given up in the end instead of
killing workers for ever. The second holds the row locked for the whole effect: the lock is the lease. A killed worker
loses it with its connection, so the sweep can take the row again within seconds (REL-2) and never while somebody is
at work.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from coordination.common import metrics
from coordination.outbox import quarantine
from coordination.outbox.models import RING_AGAIN_AFTER

# About a day and a half in all; the last step repeats until MAX_ATTEMPTS.
BACK_OFF = [timedelta(seconds=s) for s in (10, 30, 120, 600, 1800, 7200, 21600)]
MAX_ATTEMPTS = 10
# Seconds between two looks at a row that somebody else has locked.
A_MOMENT = (0.01, 0.05, 0.2)
# An attempt that fails says why; a worker that was killed says nothing, and whoever comes next says it for him.
INTERRUPTED = "Le dernier essai a été interrompu, comme si le programme qui le faisait avait été arrêté."
logger = logging.getLogger(__name__)


def count(queryset, pk, **changes):
    """Count an attempt and commit; return the row, or None when another worker has it or nothing is due.

    A change given as a function is what it returns for the row as the last attempt left it. A row that has had all its
    attempts and still waits is given up: its last worker was killed. While a quarantine stands nothing is due: mails,
    jobs and relays all begin here (REL-13).
    """
    if quarantine.stands():
        return None
    with transaction.atomic():
        row = lock(queryset.due().with_lateness(), pk)
        return None if row is None else _begun(row, changes)


def count_next(queryset, **changes):
    """Do the same for the row that waits first among those that are due and free; None when there is no such row."""
    if quarantine.stands():
        return None
    while True:
        with transaction.atomic():
            row = queryset.in_turn().with_lateness().select_for_update(skip_locked=True, of=("self",)).first()
            if row is None:
                return None
            begun = _begun(row, changes)
        if begun is not None:
            return begun


def _begun(row, changes):
    if row.attempts >= MAX_ATTEMPTS:
        give_up(row)
        return None
    metrics.begun(row._meta.model_name, row.late)
    changes = {name: value(row) if callable(value) else value for name, value in changes.items()}
    row.attempts += 1
    # Nobody else may start between the two transactions.
    row.next_attempt_at = row.ring_after = Now() + RING_AGAIN_AFTER
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


def give_up(row):
    """Save as a dead letter a row that has had all its attempts and still waits. Needs its lock."""
    row.give_up(INTERRUPTED)
    row.save()
    logger.error("outbox.worker_killed_each_time", extra={"queue": row._meta.model_name, "row_id": str(row.pk)})


def hold(queryset, row):
    """Lock the row again for the effect; None when another attempt has overtaken this one. Needs a transaction.

    Asked again for a moment: who came second locks the row until he has seen that it is no longer due.
    """
    ours = queryset.waiting().filter(attempts=row.attempts)
    held = lock(ours, row.pk)
    for pause in A_MOMENT:
        if held is not None or not ours.filter(pk=row.pk).exists():
            return held
        time.sleep(pause)
        held = lock(ours, row.pk)
    return held


def lock(queryset, pk):
    return queryset.filter(pk=pk).order_by().select_for_update(skip_locked=True, of=("self",)).first()


def postpone(row, *, wait: Callable[[timedelta], timedelta] = lambda usual: usual) -> bool:
    """Set the next attempt's time, not saved; return False when the row has had all its attempts.

    `wait`: how long to wait, from how long a row that failed as often usually does.
    """
    if row.attempts >= MAX_ATTEMPTS:
        return False
    row.next_attempt_at = row.ring_after = Now() + wait(BACK_OFF[min(row.attempts, len(BACK_OFF)) - 1])
    return True
