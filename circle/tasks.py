"""Celery shells of the circle."""

from celery import shared_task

from circle import actions


@shared_task(ignore_result=True)
def remind_invitations() -> None:
    actions.remind_due()


@shared_task(ignore_result=True)
def tell_undelivered() -> None:
    actions.tell_undelivered()
