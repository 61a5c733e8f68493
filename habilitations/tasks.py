from celery import shared_task

from habilitations import journal, roots, verification


@shared_task
def prepare_journal() -> int:
    """Daily: keep two years of monthly partitions ready."""
    return journal.prepare_months()


@shared_task
def sign_journal() -> int:
    """Hourly: sign the ends of the chains that moved."""
    return roots.sign_root().number


@shared_task
def check_journal() -> int:
    """Daily: read the whole journal again; what it found is a row that the screen tells, and a line of the log."""
    return verification.check().wrong
