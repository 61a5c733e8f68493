from celery import shared_task

from habilitations import journal, roots, verification

# Some 280,000 lines a second on an idle core (docs/bench.md), 1,500 lines a dossier and a year: 18 minutes for a year
# of 200,000 dossiers, an hour and a half for a region, and the machine has other work.
LONGEST_CHECK = 8 * 3600


@shared_task
def prepare_journal() -> int:
    """Daily: keep two years of monthly partitions ready."""
    return journal.prepare_months()


@shared_task
def sign_journal() -> int:
    """Hourly: sign the ends of the chains that moved."""
    return roots.sign_root().number


@shared_task(acks_late=False, soft_time_limit=LONGEST_CHECK, time_limit=LONGEST_CHECK + 60)
def check_journal() -> int:
    """Daily: read the whole journal again; what it found is a row that the screen tells, and a line of the log.

    Acknowledged as it begins: the broker gives again what is not after a quarter of an hour, and it would be read by
    one worker after another.
    """
    return verification.check().wrong
