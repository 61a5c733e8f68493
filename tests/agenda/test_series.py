"""A visit that repeats: rows over a rolling horizon, each with a name for good, changed alone or with what follows."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agenda.actions import answering, appointments, series
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who
from agenda.errors import AlreadyOver, CancelReasonMissing, EndsBeforeItStarts, TimeTaken
from agenda.models import Appointment, Occupation, Series
from agenda.recurrence import UntilBeforeStart
from agenda.rule_formats import rule_from_text
from agenda.rules import Day, Freq, Rule
from agenda.zones import wall
from circle.actions import remove_member
from coordination.common.resending import AlreadySent
from coordination.dossiers.door import look
from coordination.dossiers.models import Dossier
from coordination.outbox.models import Message
from tests.agenda import factories
from tests.agenda.factories import PARIS, at
from tests.circle.factories import account

pytestmark = pytest.mark.django_db
STATUS = Appointment.Status
WEEKLY = Rule(Freq.WEEKLY)


def repeat(entry, rule=WEEKLY, *members, hour=10, days=7, lasts=1, zone="Europe/Paris", **said):
    day = timezone.localdate() + dt.timedelta(days=days)
    starts = dt.datetime.combine(day, dt.time(hour))
    ends = starts + dt.timedelta(hours=lasts)
    place = ZoneInfo(zone)
    facts = Facts(
        kind="intervention", starts_at=starts.replace(tzinfo=place), ends_at=ends.replace(tzinfo=place), zone=zone,
        title="Toilette",
    )  # fmt: skip
    who = Who([one.pk for one in members], me=not members)
    key = said.pop("key", uuid.uuid4())
    return series.create_series(entry, facts, who, starts=starts, ends=ends, rule=rule, creation_key=key, **said)


def rows(first):
    return list(Appointment.objects.filter(dossier=first.dossier).order_by("starts_at"))


def test_its_occurrences_are_events_over_the_horizon(entry):
    first = repeat(entry)
    found = rows(first)
    assert found[0] == first
    assert 56 <= len(found) <= 58
    assert len({row.pk for row in found}) == len({row.recurrence_id for row in found}) == len(found)
    assert all(row.participations.count() == 2 for row in found[:3])
    assert Occupation.objects.filter(source=found[-1].pk).count() == 2


@pytest.mark.req("REL-19")
def test_at_ten_before_and_after_the_change_of_clocks(entry):
    found = rows(repeat(entry))
    offsets = {row.starts_at.astimezone(PARIS).utcoffset() for row in found}
    assert {row.starts_at.astimezone(PARIS).hour for row in found} == {10}
    assert {row.ends_at.astimezone(PARIS).hour for row in found} == {11}
    assert len(offsets) == 2


def test_so_many_times_then_no_more(entry):
    first = repeat(entry, Rule(Freq.DAILY, count=4))
    assert len(rows(first)) == 4
    assert "COUNT" not in first.series.rule
    assert series.extend_all() == 0


def test_as_many_times_as_the_form_takes_whatever_years_they_last(entry):
    first = repeat(entry, Rule(Freq.WEEKLY, interval=4, count=366))
    assert rule_from_text(first.series.rule).until == wall(first.series.starts).date() + dt.timedelta(weeks=4 * 365)


def test_on_chosen_days_every_other_week(entry):
    rule = Rule(Freq.WEEKLY, interval=2, by_day=(Day(0), Day(3)))
    found = rows(repeat(entry, rule))
    assert {row.starts_at.astimezone(PARIS).weekday() for row in found[1:]} == {0, 3}


def test_the_same_form_twice_makes_one_series(entry):
    key = uuid.uuid4()
    assert repeat(entry, key=key) == repeat(entry, key=key)
    assert Series.objects.count() == 1


@pytest.mark.req("REL-7")
def test_what_was_sent_once_and_repeats_the_second_time_is_refused(entry):
    key, starts = uuid.uuid4(), at(10, days=7)
    facts = Facts(
        kind="intervention", starts_at=starts, ends_at=starts + factories.HOUR, zone="Europe/Paris", title="Toilette"
    )
    appointments.create_appointment(entry, facts, Who(me=True), creation_key=key)
    with pytest.raises(AlreadySent):
        repeat(entry, key=key)
    assert not Series.objects.exists()


def test_an_end_before_its_beginning_is_said_as_of_any_event(entry):
    with pytest.raises(EndsBeforeItStarts):
        repeat(entry, lasts=-1)


def test_a_rule_that_ends_before_it_starts_writes_nothing(entry):
    with pytest.raises(UntilBeforeStart):
        repeat(entry, Rule(Freq.DAILY, until=timezone.localdate()))
    assert not Series.objects.exists()


def test_one_time_that_is_taken_refuses_them_all_and_says_which(entry):
    factories.appointment(entry, factories.member_of(entry, entry.user), starts=at(10, days=21))
    with pytest.raises(TimeTaken) as refusal:
        repeat(entry)
    day = timezone.localdate() + dt.timedelta(days=21)
    assert f"{day.year} à" in str(refusal.value)
    assert "vous n’êtes pas libre" in str(refusal.value)


def test_one_letter_for_them_all(entry):
    member = factories.member(entry)
    Message.objects.all().delete()
    repeat(entry, WEEKLY, member)
    message = Message.objects.get()
    assert "puis à intervalles réguliers" in message.text


def test_one_changed_by_itself_is_left_alone(entry):
    first = repeat(entry)
    second = rows(first)[1]
    moved = appointments.move_appointment(
        entry, second.pk, starts_at=second.starts_at + factories.HOUR * 4, ends_at=second.ends_at + factories.HOUR * 4
    )
    assert moved.detached
    assert moved.recurrence_id == second.recurrence_id
    assert rows(first)[2].starts_at.astimezone(PARIS).hour == 10


def test_this_one_and_those_that_follow_move_and_stay_the_same_rows(entry):
    first = repeat(entry)
    before = rows(first)
    third = before[2]
    local = third.starts_at.astimezone(PARIS).replace(tzinfo=None)
    alone = before[4]
    appointments.cancel_appointment(entry, alone.pk, reason="personne")
    starts = local.replace(hour=14) + dt.timedelta(days=1)
    series.move_following(entry, third.pk, starts=starts, ends=starts + factories.HOUR)
    after = {row.pk: row for row in rows(first)}
    assert set(after) == {row.pk for row in before}
    assert {after[row.pk].starts_at.astimezone(PARIS).hour for row in before[:2]} == {10}
    moved = [after[row.pk] for row in before[2:] if row != alone]
    assert {row.starts_at.astimezone(PARIS).hour for row in moved} == {14}
    assert {row.starts_at.astimezone(PARIS).weekday() for row in moved} == {starts.weekday()}
    assert all(row.sequence == 1 for row in moved)
    assert after[alone.pk].status == STATUS.CANCELLED
    assert moved[0].series != first.series
    assert set(Occupation.objects.filter(source=moved[-1].pk).values_list("starts_at", flat=True)) == {
        moved[-1].starts_at
    }


def test_a_shift_turns_the_days_of_the_rule_with_it(entry):
    first = repeat(entry, Rule(Freq.WEEKLY, by_day=(Day(0), Day(6))))
    row = next(r for r in rows(first)[1:] if r.starts_at.astimezone(PARIS).weekday() == 0)
    local = row.starts_at.astimezone(PARIS).replace(tzinfo=None)
    moved = series.move_following(
        entry, row.pk, starts=local + dt.timedelta(days=1), ends=local + dt.timedelta(days=1, hours=1)
    )
    assert "BYDAY=TU,MO" in moved.series.rule or "BYDAY=MO,TU" in moved.series.rule


@pytest.mark.parametrize(("days", "hour"), [(0, 8), (-1, 15)])
def test_a_shift_to_an_earlier_hour_keeps_the_day_it_says(entry, days, hour):
    day = next(n for n in range(7, 14) if (timezone.localdate() + dt.timedelta(days=n)).weekday() == 2)
    until = timezone.localdate() + dt.timedelta(days=day + 28)
    first = repeat(entry, Rule(Freq.WEEKLY, by_day=(Day(2),), until=until), days=day)
    local = first.starts_at.astimezone(PARIS).replace(tzinfo=None)
    starts = local.replace(hour=hour) + dt.timedelta(days=days)
    moved = series.move_following(entry, first.pk, starts=starts, ends=starts + factories.HOUR)
    rule = rule_from_text(moved.series.rule)
    assert [one.weekday for one in rule.by_day] == [starts.weekday()]
    assert rule.until == until + dt.timedelta(days=days)


@pytest.mark.parametrize(("days", "written"), [(-6, 5), (-2, 1), (5, 1)])
def test_a_shift_of_some_days_leaves_no_hole_at_the_horizon_and_brings_back_nothing(entry, days, written):
    """What the daily task writes next follows the last one written, at its new day. `written`: days after it."""
    first = repeat(entry)
    forget_last(first, 3)
    found = rows(first)
    Series.objects.update(written_until=(found[-1].starts_at + dt.timedelta(days=written)).date())
    appointments.cancel_appointment(entry, found[-1].pk, reason="personne")
    starts = wall(found[1].recurrence_id) + dt.timedelta(days=days)
    series.move_following(entry, found[1].pk, starts=starts, ends=starts + factories.HOUR)
    series.extend_all()
    days_of = [row.starts_at.date() for row in rows(first)[1:] if row.status != STATUS.CANCELLED]
    gaps = [(two - one).days for one, two in zip(days_of, days_of[1:], strict=False)]
    # One that was cancelled stays so.
    assert gaps.count(14) == 1 and set(gaps) == {7, 14}


def test_what_a_shift_changes_is_seen_by_who_asks_what_changed(entry):
    found = rows(repeat(entry))
    Appointment.objects.update(changed_at=timezone.now() - dt.timedelta(days=1))
    before = timezone.now()
    starts = wall(found[2].recurrence_id).replace(hour=15)
    series.move_following(entry, found[2].pk, starts=starts, ends=starts + factories.HOUR)
    assert {row.changed_at >= before for row in rows(found[0])[2:]} == {True}
    Appointment.objects.update(changed_at=timezone.now() - dt.timedelta(days=1))
    series.cancel_following(entry, found[4].pk, reason="personne")
    changed = [row.changed_at >= before for row in rows(found[0])]
    assert changed[:4] == [False] * 4 and set(changed[4:]) == {True}


def test_this_one_and_those_that_follow_are_cancelled_with_one_letter(entry):
    member = factories.member(entry)
    first = repeat(entry, WEEKLY, member)
    before = rows(first)
    Message.objects.all().delete()
    with pytest.raises(CancelReasonMissing):
        series.cancel_following(entry, before[3].pk, reason="")
    series.cancel_following(entry, before[3].pk, reason="personne")
    statuses = [row.status for row in rows(first)]
    assert statuses[:3] == [STATUS.BOOKED] * 3
    assert set(statuses[3:]) == {STATUS.CANCELLED}
    assert "et les suivants" in Message.objects.get().text
    assert Occupation.objects.filter(key=member.professional_id).count() == 3
    assert series.extend_all() == 0


def test_one_on_its_own_has_nothing_that_follows(entry):
    made = factories.appointment(entry)
    with pytest.raises(AlreadyOver):
        series.cancel_following(entry, made.pk, reason="autre")


def test_the_daily_task_writes_what_came_within_the_horizon_once(entry):
    first = repeat(entry)
    found = rows(first)
    for row in found[-3:]:
        Occupation.objects.filter(source=row.pk).delete()
        row.participations.all().delete()
        row.changes.all().delete()
        row.delete()
    Series.objects.update(written_until=(found[-4].starts_at + dt.timedelta(days=1)).date())
    assert series.extend_all() == 3
    assert series.extend_all() == 0
    again = rows(first)
    assert [row.recurrence_id for row in again] == [row.recurrence_id for row in found]
    assert again[-1].participations.count() == 2
    assert Occupation.objects.filter(source=again[-1].pk).count() == 2


def forget_last(first, number=1):
    """Make the last occurrences as if they were still to be written."""
    found = rows(first)
    for row in found[-number:]:
        Occupation.objects.filter(source=row.pk).delete()
        row.participations.all().delete()
        row.changes.all().delete()
        row.delete()
    Series.objects.update(written_until=(found[-number - 1].starts_at + dt.timedelta(days=1)).date())


def test_an_evening_that_is_tomorrow_in_utc_is_written_too(entry, monkeypatch):
    """The daily task passes in the afternoon of Tahiti: the evening of that day is for the next one."""
    tonight = dt.datetime.combine(timezone.now().date() + dt.timedelta(days=1), dt.time(2, 47), dt.UTC)
    monkeypatch.setattr(timezone, "now", lambda: tonight)
    repeat(entry, Rule(Freq.DAILY), hour=22, zone="Pacific/Tahiti")
    monkeypatch.setattr(timezone, "now", lambda: tonight + dt.timedelta(days=1))
    assert series.extend_all() == 1
    assert series.extend_all() == 0


def test_nothing_more_is_written_in_a_dossier_that_is_in_pause(entry):
    first = repeat(entry)
    forget_last(first, 2)
    Dossier.objects.update(status=Dossier.Status.PAUSE)
    assert series.extend_all() == 0
    Dossier.objects.update(status=Dossier.Status.ACTIF)
    assert series.extend_all() == 2


def test_what_is_written_later_is_written_without_who_left_the_circle(entry):
    stays, leaves = factories.member(entry), factories.member(entry)
    first = repeat(entry, WEEKLY, stays, leaves)
    forget_last(first)
    remove_member(entry, leaves, reason="fin")
    assert series.extend_all() == 1
    last = rows(first)[-1]
    assert set(last.participations.exclude(member=None).values_list("member", flat=True)) == {stays.pk}
    assert not Occupation.objects.filter(source=last.pk, key=leaves.professional_id).exists()


def test_who_left_the_circle_hinders_nobody_and_is_told_of_nothing_but_a_cancellation(entry):
    stays, leaves = factories.member(entry, account("60", family_name="TESTARD")), factories.member(entry)
    made = factories.appointment(entry, stays, leaves)
    remove_member(entry, leaves, reason="fin")
    elsewhere = factories.at(15)
    factories.appointment(entry, leaves, starts=elsewhere)
    Message.objects.all().delete()
    appointments.move_appointment(entry, made.pk, starts_at=elsewhere, ends_at=elsewhere + factories.HOUR)
    assert set(Occupation.objects.filter(source=made.pk).values_list("key", flat=True)) == {stays.professional_id}
    assert Message.objects.get().to == stays.professional.attachment.user.email
    Message.objects.all().delete()
    appointments.cancel_appointment(entry, made.pk, reason="organisateur")
    assert Message.objects.count() == 2


def test_an_occurrence_written_later_onto_a_taken_time_waits_for_an_answer(entry):
    first = repeat(entry)
    last = rows(first)[-1]
    Occupation.objects.filter(source=last.pk).delete()
    last.participations.all().delete()
    moment = last.starts_at
    last.delete()
    Series.objects.update(written_until=(moment - dt.timedelta(days=1)).date())
    factories.appointment(entry, factories.member_of(entry, entry.user), starts=moment, series=None)
    assert series.extend_all() == 1
    again = Appointment.objects.get(series=first.series, starts_at=moment)
    assert again.status == STATUS.PROPOSED


def test_each_occurrence_keeps_those_who_attend_it(entry):
    """Who declined one of them is not taken when they move together (GAP-70)."""
    user = account()
    member = factories.member(entry, user)
    found = rows(repeat(entry, WEEKLY, member))
    answering.decline_appointment(look(user, entry.dossier.pk), found[1].pk)
    taken = Occupation.objects.filter(key=member.professional_id)
    assert not taken.filter(source=found[1].pk).exists()
    starts = wall(found[0].recurrence_id).replace(hour=15)
    series.move_following(entry, found[0].pk, starts=starts, ends=starts + dt.timedelta(hours=1))
    assert not taken.filter(source=found[1].pk).exists()
    assert taken.filter(source__in=[found[0].pk, found[2].pk]).count() == 2
    assert found[1].participations.get(member=member).status == "declined"
