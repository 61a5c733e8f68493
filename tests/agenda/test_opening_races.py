"""A booking during a change of availability, two changes at once: each is whole or not at all (issue 5 §4)."""

import datetime as dt
import threading
import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from agenda.actions import openings as actions
from agenda.actions.horizon import extend_all
from agenda.actions.openings import When
from agenda.actions.schedules import locked_schedule, schedule_of
from agenda.actions.taking import Taken, take_time
from agenda.errors import NotInYourAgenda
from agenda.models import Occupation, Opening, OpenTime, Schedule
from agenda.rules import Freq, Rule
from coordination.dossiers.errors import ChangedMeanwhile
from tests.circle import factories as circle
from tests.waiting import PATIENCE, until_somebody_waits

DAILY = Rule(Freq.DAILY)


@pytest.fixture
def user(transactional_db):
    return circle.account()


@pytest.fixture
def opening(user):
    return actions.add_opening(schedule_of(user), by=user, when=at_nine())


def at_nine(hour=9, rule=DAILY):
    starts = dt.datetime.combine(timezone.localdate() + dt.timedelta(days=3), dt.time(hour))
    return When(starts, starts + dt.timedelta(hours=3), rule)


def beside(act):
    """Start an act in another connection; return its thread and what it gave."""
    given = []

    def run():
        try:
            given.append(act())
        except Exception as error:
            given.append(type(error))
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, given


def test_a_booking_and_a_withdrawal_at_once_are_both_whole(opening, user):
    schedule = schedule_of(user)
    first = OpenTime.objects.earliest("starts_at")
    with transaction.atomic():
        take_time(uuid.uuid4(), [Taken(schedule.key, True)], first.starts_at, first.ends_at)
        withdrawal, given = beside(lambda: actions.remove_opening(schedule, opening.pk, by=user))
        withdrawal.join(PATIENCE)
        # What nobody could see yet is not told; it is booked all the same.
        assert given == [0]
    assert Occupation.objects.filter(exclusive=True).count() == 1
    assert not OpenTime.objects.exists()


@pytest.mark.parametrize(
    "act",
    [
        lambda schedule, opening, user: actions.change_opening(
            schedule, opening.pk, by=user, version=1, when=at_nine(hour=14)
        ),
        lambda schedule, opening, user: actions.remove_opening(schedule, opening.pk, by=user),
    ],
    ids=["change", "remove"],
)
def test_of_two_changes_at_once_the_second_finds_what_the_first_wrote(opening, user, act):
    schedule = schedule_of(user)
    with transaction.atomic():
        actions.remove_opening(schedule, opening.pk, by=user)
        second, given = beside(lambda: act(schedule, opening, user))
        until_somebody_waits()
    second.join(PATIENCE)
    assert given == [NotInYourAgenda]
    assert not Opening.objects.exists() and not OpenTime.objects.exists()


def test_a_stale_change_that_waited_is_refused(opening, user):
    schedule = schedule_of(user)
    with transaction.atomic():
        actions.change_opening(schedule, opening.pk, by=user, version=1, when=at_nine(hour=14))
        second, given = beside(
            lambda: actions.change_opening(schedule, opening.pk, by=user, version=1, when=at_nine(hour=16))
        )
        until_somebody_waits()
    second.join(PATIENCE)
    assert given == [ChangedMeanwhile]
    assert {time.recurrence_id[-5:] for time in OpenTime.objects.all()} == {"14:00"}


def test_the_daily_task_waits_for_a_change_and_writes_what_it_left(opening, user):
    schedule = schedule_of(user)
    Schedule.objects.update(written_until=timezone.localdate())
    with transaction.atomic():
        locked_schedule(schedule, by=user)
        actions.change_opening(schedule, opening.pk, by=user, version=1, when=at_nine(hour=14))
        task, given = beside(extend_all)
        until_somebody_waits()
    task.join(PATIENCE)
    assert given == [1]
    assert {time.recurrence_id[-5:] for time in OpenTime.objects.all()} == {"14:00"}
