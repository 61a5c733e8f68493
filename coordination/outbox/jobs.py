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

from coordination.outbox import attempts
from coordination.outbox.models import Job

logger = logging.getLogger(__name__)

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
    job = attempts.count_next(Job.objects)
    if job is not None:
        _attempt(job)
    return job is not None


def _attempt(counted: Job) -> bool:
    with transaction.atomic():
        job = attempts.hold(Job.objects, counted)
        if job is None:
            return False
        try:
            with transaction.atomic():
                _handler_of(job.kind)(job.ref)
        except Exception as error:  # kept in the row and retried: one job must not stop the others
            _note_failure(job, error)
        else:
            job.done_at, job.last_error = timezone.now(), ""
        job.save()
    return job.done_at is not None


def _handler_of(kind: str) -> Handler:
    try:
        return _handlers[kind]
    except KeyError:
        raise UnknownKind(kind) from None


def _note_failure(job: Job, error: Exception) -> None:
    # The class only: the text of an error may quote personal data.
    job.last_error = f"Le travail a échoué ({type(error).__name__})."
    if not attempts.postpone(job):
        job.given_up_at = timezone.now()
    logger.error("outbox.job_failed", extra={"kind": job.kind, "outbox_id": str(job.pk)}, exc_info=error)
