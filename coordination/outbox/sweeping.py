"""The safety net: every few seconds, ring again for what is due, and do it here when nobody answers (REL-2, REL-3)."""

from django.db import transaction
from django.utils import timezone

from coordination.outbox import delivery, doorbell, jobs
from coordination.outbox.models import RING_AGAIN_AFTER, Job, Message

BATCH = 500


def sweep() -> int:
    """Ring for every row that is due and unrung, oldest first; return how many. With no broker, do them in place."""
    doorbell.listen_again()
    return _sweep("message", Message.objects, delivery.deliver) + _sweep("job", Job.objects, jobs.run)


def _sweep(what, manager, do_here) -> int:
    keys = _claim(manager)
    for key in keys:
        if not doorbell.ring(what, key):
            do_here(key)
    return len(keys)


def _claim(manager) -> list:
    """Mark a batch as rung, so that two sweeps and a long queue do not ring thousands of times for one row."""
    with transaction.atomic():
        rows = manager.to_ring().order_by("ring_after").select_for_update(skip_locked=True, of=("self",))
        keys = list(rows.values_list("pk", flat=True)[:BATCH])
        manager.filter(pk__in=keys).update(ring_after=timezone.now() + RING_AGAIN_AFTER)
    return keys
