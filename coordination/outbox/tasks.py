"""Celery shells. Arguments are identifiers: nothing personal enters the broker (SECT-6)."""

from uuid import UUID

from celery import shared_task

from coordination.outbox import delivery, jobs, sweeping, turns
from coordination.outbox.models import Job, Message

# A server that says a word every few seconds never meets EMAIL_TIMEOUT: a letter has this long in all.
LONGEST_DELIVERY = 90


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=LONGEST_DELIVERY, time_limit=LONGEST_DELIVERY + 30)
def deliver(message_id: str) -> None:
    delivery.deliver(UUID(message_id))
    turns.go_on("message", Message.objects.all, delivery.deliver_next)


@shared_task(ignore_result=True, acks_late=True)
def run_job(job_id: str) -> None:
    jobs.run(UUID(job_id))
    turns.go_on("job", Job.objects.all, jobs.run_next)


@shared_task(ignore_result=True, expires=10)
def sweep() -> None:
    sweeping.sweep()
