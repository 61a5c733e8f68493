from celery import shared_task

from circle.actions.reminding import remind_last_days as remind


@shared_task
def remind_last_days() -> int:
    """Daily: tell who may extend them of the accesses that end soon."""
    return remind()
