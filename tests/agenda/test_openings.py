"""Openings and absences: what is written, what is refused with nothing half-written, what stays booked."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agenda import tasks
from agenda.actions import openings as actions
from agenda.actions.horizon import HORIZON, extend_all
from agenda.actions.openings import OpeningSaid, When
from agenda.actions.schedules import change_settings, schedule_of
from agenda.actions.taking import Taken, take_time
from agenda.errors import (
    AlreadyInYourAgenda,
    NoSuchHour,
    NothingToCome,
    NotInYourAgenda,
    OpeningTooLong,
    ZoneUnknown,
)
from agenda.models import Absence, Occupation, Opening, OpenTime, Schedule
from agenda.recurrence import (
    EndBeforeStart,
    RuleNeverOccurs,
    RuleTooFine,
    TooManyOccurrences,
    UntilBeforeStart,
)
from agenda.rule_formats import rule_from_text
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.models import AccountTrace
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db

PARIS = ZoneInfo("Europe/Paris")
REUNION = ZoneInfo("Indian/Reunion")


@pytest.fixture
def user():
    return circle.account()


@pytest.fixture
def schedule(user):
    return schedule_of(user)


def when(days=7, hour=9, hours=3, rule="", minute=0):
    day = timezone.localdate() + dt.timedelta(days=days)
    starts = dt.datetime.combine(day, dt.time(hour, minute))
    return When(starts, starts + dt.timedelta(hours=hours), rule_from_text(rule) if rule else None)


def local(said):
    return said.starts.replace(tzinfo=PARIS)


def book(schedule, start, minutes=60):
    import uuid

    take_time(uuid.uuid4(), [Taken(schedule.key, True)], start, start + dt.timedelta(minutes=minutes))


def rows():
    return list(OpenTime.objects.order_by("starts_at").values_list("starts_at", "ends_at", "recurrence_id"))


# ---- The agenda itself ---------------------------------------------------------------------------


def test_an_agenda_is_made_once_on_the_clock_of_the_installation(user):
    schedule = schedule_of(user)
    assert schedule_of(user).pk == schedule.pk
    assert (schedule.zone, schedule.key) == ("Europe/Paris", user.attachment.professional_id)


def test_an_account_that_the_directory_comes_to_know_keeps_its_openings(schedule, user):
    actions.add_opening(schedule, by=user, when=when())
    actions.add_absence(schedule, by=user, when=when(days=8))
    other = circle.listed()
    user.attachment.professional = other
    user.attachment.save()
    assert schedule_of(user).key == other.pk
    assert {*OpenTime.objects.values_list("key", flat=True)} == {other.pk}
    assert {*Occupation.objects.values_list("key", flat=True)} == {other.pk}


# ---- Openings ------------------------------------------------------------------------------------


@pytest.mark.req("AGD-17")
def test_an_opening_that_repeats_is_written_as_far_as_the_horizon(schedule, user):
    said = when(rule="FREQ=WEEKLY")
    opening = actions.add_opening(schedule, by=user, when=said, said=OpeningSaid(modality="video"))
    found = rows()
    assert found[0][0] == local(said) and found[0][2] == opening.starts
    assert len(found) == len({start for start, *_ in found}) == (HORIZON.days - 7) // 7 + 1
    assert {start.astimezone(PARIS).hour for start, *_ in found} == {9}
    assert AccountTrace.objects.filter(actor_id=user.pk, action="écriture", object_kind="agenda").count() == 1


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        (when(hours=0), EndBeforeStart),
        (when(hours=-1), EndBeforeStart),
        (when(hours=25), OpeningTooLong),
        (when(days=-3), NothingToCome),
        (when(days=-30, rule="FREQ=WEEKLY;COUNT=3"), NothingToCome),
        (when(rule="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), RuleNeverOccurs),
        (when(rule="FREQ=WEEKLY;UNTIL=20200101"), UntilBeforeStart),
        (when(rule="FREQ=MINUTELY"), TooManyOccurrences),
        (when(rule="FREQ=SECONDLY"), (TooManyOccurrences, RuleTooFine)),
        (When(dt.datetime(2031, 3, 30, 2, 30), dt.datetime(2031, 3, 30, 4)), NoSuchHour),
    ],
)
def test_what_cannot_be_leaves_nothing(schedule, user, said, refusal):
    with pytest.raises(refusal) as refused:
        actions.add_opening(schedule, by=user, when=said)
    assert "'" not in str(refused.value)
    assert not Opening.objects.exists() and not OpenTime.objects.exists()


@pytest.mark.parametrize("said", [when(hours=0), when(days=-3), when(rule="FREQ=MINUTELY")])
def test_an_absence_that_cannot_be_leaves_nothing(schedule, user, said):
    with pytest.raises((EndBeforeStart, NothingToCome, TooManyOccurrences)):
        actions.add_absence(schedule, by=user, when=said)
    assert not Absence.objects.exists() and not Occupation.objects.exists()


@pytest.mark.req("REL-19")
def test_an_hour_that_a_rule_meets_twice_or_never_stays_an_hour_of_the_agenda(schedule, user):
    """Clocks of 2031: forward on 30 March, back on 26 October. A year ahead of the horizon, so read by `falls`."""
    from agenda.actions.horizon import falls

    opening = actions.add_opening(
        schedule, by=user,
        when=When(dt.datetime(2031, 3, 23, 2, 30), dt.datetime(2031, 3, 23, 3, 30), rule_from_text("FREQ=WEEKLY")),
    )  # fmt: skip
    starts = [
        time.start
        for day in (dt.datetime(2031, 3, 30, tzinfo=PARIS), dt.datetime(2031, 10, 26, tzinfo=PARIS))
        for time in falls(opening, day, day + dt.timedelta(days=1))
    ]
    assert starts == [dt.datetime(2031, 3, 30, 1, 30, tzinfo=dt.UTC), dt.datetime(2031, 10, 26, 0, 30, tzinfo=dt.UTC)]


def test_the_same_opening_is_not_written_twice(schedule, user):
    actions.add_opening(schedule, by=user, when=when())
    with pytest.raises(AlreadyInYourAgenda):
        actions.add_opening(schedule, by=user, when=when())
    assert Opening.objects.count() == 1


def test_nobody_changes_the_agenda_of_another(schedule, user):
    opening = actions.add_opening(schedule, by=user, when=when())
    absence, _ = actions.add_absence(schedule, by=user, when=when(days=8))
    other = circle.account()
    theirs = schedule_of(other)
    for act in (
        lambda: actions.add_opening(schedule, by=other, when=when(days=9)),
        lambda: actions.change_opening(theirs, opening.pk, by=other, version=1, when=when(days=9)),
        lambda: actions.remove_opening(theirs, opening.pk, by=other),
        lambda: actions.remove_absence(theirs, absence.pk, by=other),
        lambda: change_settings(schedule, by=other, zone="Indian/Reunion", minutes={}, mails_invitations=False),
    ):
        with pytest.raises(NotInYourAgenda):
            act()
    assert (Opening.objects.get().version, Absence.objects.count()) == (1, 1)


def test_a_change_replaces_the_rows_and_a_stale_one_changes_nothing(schedule, user):
    opening = actions.add_opening(schedule, by=user, when=when(rule="FREQ=WEEKLY"))
    once = when(days=9, hour=14)
    actions.change_opening(schedule, opening.pk, by=user, version=1, when=once)
    assert [start for start, *_ in rows()] == [local(once)]
    with pytest.raises(ChangedMeanwhile):
        actions.change_opening(schedule, opening.pk, by=user, version=1, when=when(days=10))
    assert [start for start, *_ in rows()] == [local(once)]


@pytest.mark.req("GAP-40")
def test_withdrawing_an_opening_leaves_what_is_booked_and_tells_how_many(schedule, user):
    said = when(rule="FREQ=WEEKLY")
    opening = actions.add_opening(schedule, by=user, when=said)
    twice = actions.add_opening(schedule, by=user, when=when(hour=8, hours=2))
    book(schedule, local(said))
    book(schedule, local(said) + dt.timedelta(days=7))
    # Of the two, the other opening still covers the first.
    assert actions.remove_opening(schedule, opening.pk, by=user) == 1
    assert actions.remove_opening(schedule, twice.pk, by=user) == 1
    assert Occupation.objects.count() == 2 and not OpenTime.objects.exists()


def test_a_narrower_opening_tells_what_it_no_longer_covers(schedule, user):
    said = when(hours=3)
    opening = actions.add_opening(schedule, by=user, when=said)
    book(schedule, local(said))
    later = When(said.starts + dt.timedelta(hours=1), said.ends)
    assert actions.change_opening(schedule, opening.pk, by=user, version=1, when=later) == 1


# ---- Absences ------------------------------------------------------------------------------------


@pytest.mark.req("GAP-38")
def test_an_absence_takes_time_and_leaves_what_is_booked(schedule, user):
    said = when(rule="FREQ=WEEKLY;COUNT=3")
    book(schedule, local(said) + dt.timedelta(days=7, hours=1))
    absence, under = actions.add_absence(schedule, by=user, when=said, label="Formation")
    assert under == 1
    taken = Occupation.objects.filter(kind=Occupation.Kind.ABSENCE, source=absence.pk, exclusive=False)
    assert taken.count() == 3
    assert actions.change_absence(schedule, absence.pk, by=user, version=1, when=when(days=30)) == 0
    assert taken.count() == 1
    actions.remove_absence(schedule, absence.pk, by=user)
    assert list(Occupation.objects.values_list("kind", flat=True)) == [Occupation.Kind.APPOINTMENT]


# ---- Clock and horizon ---------------------------------------------------------------------------


@pytest.mark.req("REL-19")
def test_in_another_territory_the_clock_shows_the_same_time(schedule, user):
    actions.add_opening(schedule, by=user, when=when(rule="FREQ=WEEKLY"))
    actions.add_absence(schedule, by=user, when=when(days=8))
    change_settings(schedule, by=user, zone="Indian/Reunion", minutes={"suivi": 30}, mails_invitations=False)
    starts = [start for start, *_ in rows()] + list(Occupation.objects.values_list("starts_at", flat=True))
    assert {start.astimezone(REUNION).hour for start in starts} == {9}
    with pytest.raises(ZoneUnknown):
        change_settings(schedule, by=user, zone="Mars/Olympus", minutes={}, mails_invitations=False)


@pytest.mark.req("REL-19")
def test_the_horizon_goes_on_and_asked_twice_writes_nothing_more(schedule, user, monkeypatch):
    actions.add_opening(schedule, by=user, when=when(days=1, rule="FREQ=DAILY"))
    actions.add_absence(schedule, by=user, when=when(days=1, hour=18, rule="FREQ=WEEKLY"))
    before, taken = len(rows()), Occupation.objects.count()
    later = timezone.now() + dt.timedelta(days=14)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert tasks.extend_horizon() == 1
    assert (len(rows()), Occupation.objects.count()) == (before + 14, taken + 2)
    assert extend_all() == 0
    Schedule.objects.update(written_until=None)
    extend_all()
    assert (len(rows()), Occupation.objects.count()) == (before + 14, taken + 2)


def test_what_is_long_past_is_let_go(schedule, user, monkeypatch):
    actions.add_opening(schedule, by=user, when=when(days=1, rule="FREQ=WEEKLY;COUNT=2"))
    later = timezone.now() + dt.timedelta(days=66)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    extend_all()
    assert len(rows()) == 1
