"""Celery shells of accounts."""

from celery import shared_task

from coordination.accounts import drafts
from coordination.accounts.sessions import SessionStore


@shared_task(ignore_result=True)
def purge() -> None:
    """Forget dead sessions and drafts older than seven days."""
    SessionStore.clear_expired()
    drafts.purge()
