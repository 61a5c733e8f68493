"""Due work other than mail: upper rooms register a handler by kind, in their `AppConfig.ready`.

    @jobs.handler("directory.reindex")
    def reindex(ref: UUID) -> None: ...

A handler runs inside the transaction that marks the job done, and must bear being run again.
"""

import logging
from collections.abc import Callable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from coordination.common import away, metrics, statements
from coordination.outbox import attempts
from coordination.outbox.models import RING_AGAIN_AFTER, Job

logger = logging.getLogger(__name__)

# `attempts.count_next` in one statement instead of five: `JobQuerySet.in_turn`, free, that nothing holds back
# (`quarantine.stands`). What the ORM wrote for each job was half of it (SCALE-12).
_COUNT_NEXT = """
WITH first AS MATERIALIZED (
    SELECT id, attempts, statement_timestamp() - next_attempt_at AS late,
        statement_timestamp() + %(ring_again_after)s AS soon
    FROM outbox_job
    WHERE done_at IS NULL AND given_up_at IS NULL
        AND next_attempt_at <= statement_timestamp()
        AND ring_after <= statement_timestamp() + %(ring_again_after)s
        AND NOT EXISTS (SELECT FROM outbox_quarantine WHERE released_at IS NULL)
    ORDER BY ring_after
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
UPDATE outbox_job AS job
SET attempts = LEAST(first.attempts + 1, %(most)s), next_attempt_at = first.soon, ring_after = first.soon
FROM first
WHERE job.id = first.id
RETURNING job.id, job.kind, job.ref, job.attempts, first.attempts, first.late"""
# The first look of `attempts.hold`, and what is noted at the end.
_HOLD = """
SELECT FROM outbox_job
WHERE id = %(id)s AND attempts = %(attempts)s AND done_at IS NULL AND given_up_at IS NULL
FOR UPDATE SKIP LOCKED"""
_DONE = "UPDATE outbox_job SET done_at = %(now)s, last_error = '' WHERE id = %(id)s"

Handler = Callable[[UUID], None]
_handlers: dict[str, Handler] = {}


class UnknownKind(LookupError):
    """No room registered a handler: a worker older than the row, or a room taken away."""


def handler(kind: str) -> Callable[[Handler], Handler]:
    """Register the decorated function for `kind`. Raises ValueError when the kind is taken by another one."""

    def register(function: Handler) -> Handler:
        if _handlers.setdefault(kind, function) is not function:
            raise ValueError(f"Two handlers for the job kind {kind!r}.")
        return function

    return register


def run(job_id: UUID) -> bool:
    """Attempt one job if it is due and free; return whether it was done by this call. Never raises for its handler."""
    job = attempts.count(Job.objects, job_id)
    return job is not None and _attempt(job)


def run_next() -> bool:
    """Attempt the job that waits first among those that are due and free; return whether there was one."""
    begun = _count_next()
    if begun is not None:
        _attempt(begun)
    return begun is not None


def _count_next() -> Job | None:
    """Do what `attempts.count_next` does, of a job."""
    while True:
        values = {"ring_again_after": RING_AGAIN_AFTER, "most": attempts.MAX_ATTEMPTS}
        found = statements.rows(_COUNT_NEXT, values)
        if not found:
            return None
        *kept, attempts_before, late = found[0]
        job = Job(**dict(zip(("id", "kind", "ref", "attempts"), kept, strict=True)))
        if attempts_before < attempts.MAX_ATTEMPTS:
            metrics.begun(Job._meta.model_name, late)
            return job
        with transaction.atomic():
            if (killer := attempts.hold(Job.objects, job)) is not None:
                attempts.give_up(killer)


def _attempt(begun: Job) -> bool:
    """Do the work and note it in one transaction; what fails is undone whole, then noted in another one."""
    try:
        with transaction.atomic():
            if not _held(begun):
                return False
            _handler_of(begun.kind)(begun.ref)
            statements.write(_DONE, {"now": timezone.now(), "id": begun.pk})
    except Exception as error:  # kept in the row and retried: one job must not stop the others
        _note_failure(begun, error)
        return False
    return True


def _held(begun: Job) -> bool:
    found = statements.rows(_HOLD, {"id": begun.pk, "attempts": begun.attempts})
    return bool(found) or attempts.hold(Job.objects, begun) is not None


def _handler_of(kind: str) -> Handler:
    try:
        return _handlers[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def _note_failure(begun: Job, error: Exception) -> None:
    away.note(error)
    logger.error("outbox.job_failed", extra={"kind": begun.kind, "outbox_id": str(begun.pk)}, exc_info=error)
    with transaction.atomic():
        # None: it outlasted its lease, and another attempt has begun.
        if (job := attempts.hold(Job.objects, begun)) is not None:
            # The class only: the text of an error may quote personal data.
            job.last_error = f"Le travail a échoué ({type(error).__name__})."
            if not attempts.postpone(job):
                job.given_up_at = timezone.now()
            job.save()
