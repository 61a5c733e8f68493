from celery import shared_task

from habilitations import journal


@shared_task
def prepare_journal() -> int:
    """Daily: keep two years of monthly partitions ready."""
    return journal.prepare_months()
