"""Celery shells of the circle."""

from celery import shared_task

from circle import actions
from circle.actions.counting import count_todos as count
from circle.actions.reminding import remind_last_days as remind


@shared_task(ignore_result=True)
def remind_invitations() -> None:
    actions.remind_due()


@shared_task(ignore_result=True)
def tell_undelivered() -> None:
    actions.tell_undelivered()


@shared_task
def remind_last_days() -> int:
    """Daily: tell who may extend them of the accesses that end soon."""
    return remind()


@shared_task(ignore_result=True)
def count_todos() -> None:
    """Each minute: count what waits in « À faire » for those at work."""
    count()


@shared_task
def carry_out_plans() -> int:
    """Hourly: do what was planned for today of comings and goings; what could not be done is tried again."""
    return actions.carry_out_plans()


@shared_task
def close_sleeping_accesses() -> int:
    """Daily: close the accesses that nobody uses and whose holder was told; tell the next ones."""
    closed = actions.close_sleeping()
    actions.tell_sleeping()
    return closed
