"""Celery shells. Arguments are identifiers: nothing personal enters the broker (SECT-6)."""

from uuid import UUID

from celery import shared_task

from coordination.partners import relaying, trying

# A token and an interaction, each with its whole time (wire.WHOLE_SECONDS).
LONGEST_RELAY = 180


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=LONGEST_RELAY, time_limit=LONGEST_RELAY + 30)
def relay(relay_id: str) -> None:
    relaying.relay(UUID(relay_id))


LONGEST_TRIAL = int(trying.LONGEST.total_seconds())


@shared_task(ignore_result=True, acks_late=True, soft_time_limit=LONGEST_TRIAL, time_limit=LONGEST_TRIAL + 20)
def try_partner(partner_id: str) -> None:
    trying.do(UUID(partner_id))
