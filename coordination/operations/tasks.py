"""Celery shells of operations."""

from celery import shared_task

from coordination.operations import purging

# The first purge of an installation that never had one may be long; it is not begun twice.
LONGEST_PURGE = 3600


@shared_task(ignore_result=True, acks_late=False, soft_time_limit=LONGEST_PURGE, time_limit=LONGEST_PURGE + 60)
def purge() -> None:
    """Nightly: remove what is kept no longer; what was removed is a line of the log each."""
    purging.purge_all()
