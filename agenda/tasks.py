"""Celery shells of the agenda."""

from uuid import UUID

from celery import shared_task
from django.conf import settings

from agenda import fetching, mail_folder
from agenda.actions import horizon, meetings, own_calendars, series, taking
from agenda.relays import asking

# Its site has so long to answer; the rest is reading what it said.
LONGEST_REFRESH = int(fetching.SECONDS) + 30
# A turn, and then one mail alone; over before the next turn begins.
LONGEST_EMPTYING = mail_folder.TURN + 15


@shared_task
def extend_horizon() -> int:
    """Daily: write openings, absences and visits of the days that came within the horizon."""
    return horizon.extend_all() + series.extend_all()


@shared_task
def let_go_expired() -> int:
    """Hourly: give back the time of proposals whose term has come."""
    return taking.let_go_expired()


@shared_task
def remind_meetings() -> int:
    """Hourly: remind those who have not answered, and those whose meeting is tomorrow."""
    return meetings.remind_due()


@shared_task
def refresh_calendars() -> int:
    """Every five minutes: have the calendars whose hour has come read again, each by a task of its own."""
    keys = own_calendars.claim_due()
    for pk in keys:
        # After that time it is due again, and a second one would be in the queue behind it.
        refresh_calendar.apply_async((str(pk),), expires=own_calendars.CLAIM.total_seconds())
    return len(keys)


@shared_task(soft_time_limit=LONGEST_REFRESH, time_limit=LONGEST_REFRESH + 30)
def refresh_calendar(calendar_id: str) -> None:
    own_calendars.refresh_calendar(UUID(calendar_id))


@shared_task(soft_time_limit=LONGEST_EMPTYING, time_limit=LONGEST_EMPTYING + 15)
def receive_answers() -> int:
    """Every minute, where the mail server fills a Maildir: process the answers to invitations."""
    folder = settings.AGENDA_REPLY_MAILDIR
    return mail_folder.empty(folder) if folder and settings.AGENDA_REPLY_ADDRESS else 0


@shared_task
def ask_partners() -> int:
    """Every quarter of an hour: ask partners what they took of the time of those whose agendas are exchanged."""
    return asking.ask_all()
