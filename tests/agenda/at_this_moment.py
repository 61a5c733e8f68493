"""What must hold whatever the clock says: asked of a process whose clock is another one (tests/agenda/test_clocks.py).

Not collected by itself. MOMENT says what the clock is meant to say: a process that was not deceived fails.
"""

import datetime as dt
import os
import re
import uuid
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from agenda.actions import meetings, series, taking
from agenda.actions.appointments import Facts
from agenda.actions.attending import Who
from agenda.actions.openings import When, add_opening
from agenda.actions.schedules import schedule_of
from agenda.models import Appointment, Occupation, OpenTime
from agenda.recurrence import instant
from agenda.rules import Freq, Rule
from agenda.zones import wall
from coordination.outbox.models import Message
from tests.agenda import factories as make
from tests.agenda.factories import PARIS
from tests.circle import factories as circle

pytestmark = pytest.mark.django_db
MOMENT = dt.datetime.fromisoformat(os.environ.get("MOMENT", "2026-11-29T12:00:00+00:00"))
DAY = dt.timedelta(days=1)
ZONES = ("Europe/Paris", "Indian/Reunion", "America/Martinique", "Pacific/Noumea")


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


class Said(HTMLParser):
    """What a form would send as it is drawn."""

    def __init__(self):
        super().__init__()
        self.values, self._select = {}, None

    def handle_starttag(self, tag, attrs):
        said = dict(attrs)
        if tag == "input" and said.get("name"):
            if said.get("type") in ("checkbox", "radio") and "checked" not in said:
                return
            self.values[said["name"]] = said.get("value") or ("on" if said.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = said["name"]
        elif tag == "option" and self._select and "selected" in said:
            self.values[self._select] = said["value"]


def drawn(answer):
    assert answer.status_code == 200
    reading = Said()
    reading.feed(re.search(r'<form[^>]*method="post"[^>]*novalidate.*?</form>', answer.content.decode(), re.S)[0])
    return reading.values


def test_the_clock_of_this_process_is_another_one():
    assert abs(timezone.now() - MOMENT) < dt.timedelta(minutes=10)


def test_every_page_is_drawn(reader, entry):
    for page in ("/agenda/", "/agenda/semaine/", "/a-faire/"):
        assert reader.get(page).status_code == 200, page
    for page in (
        "agenda/",
        "agenda/semaine/",
        "agenda/nouveau/",
        "reunions/",
        "reunions/trouver/",
        "agenda/?passes=1",
    ):
        assert reader.get(f"/dossiers/{entry.dossier.pk}/{page}").status_code == 200, page


def test_what_a_new_form_proposes_may_be_sent(reader, entry):
    """The next hour exists, has not gone by, and lasts."""
    path = f"/dossiers/{entry.dossier.pk}/agenda/nouveau/"
    answer = reader.post(path, drawn(reader.get(path)))
    assert answer.status_code == 303, re.findall(r'class="error[^"]*">([^<]+)', answer.content.decode())
    made = Appointment.objects.get()
    assert timezone.now() < made.starts_at < made.ends_at <= made.starts_at + 2 * make.HOUR
    assert made.starts_at <= timezone.now() + 2 * make.HOUR


@pytest.mark.parametrize("zone", ZONES)
def test_openings_keep_the_hour_of_the_wall(zone):
    """Each day at nine for three hours, on the clock of the place, as far as the horizon."""
    user = circle.account()
    schedule = schedule_of(user)
    schedule.zone = zone
    schedule.save()
    first = timezone.localdate(timezone=ZoneInfo(zone)) + DAY
    starts = dt.datetime.combine(first, dt.time(9))
    add_opening(schedule, by=user, when=When(starts, starts + 3 * make.HOUR, Rule(Freq.DAILY)))
    times = list(OpenTime.objects.order_by("starts_at"))
    local = [(one.starts_at.astimezone(ZoneInfo(zone)), one.ends_at.astimezone(ZoneInfo(zone))) for one in times]
    assert {(start.hour, end.hour) for start, end in local} == {(9, 12)}
    days = [start.date() for start, _ in local]
    assert days == [first + number * DAY for number in range(len(days))] and len(days) >= 399
    # Asked again the same day, nothing more is written.
    assert len(times) == OpenTime.objects.count()


def test_an_opening_at_the_hour_of_the_change_is_never_lost_nor_doubled():
    """Every night from two to three: once a night, at the hour that exists."""
    user = circle.account()
    starts = dt.datetime.combine(timezone.localdate() + DAY, dt.time(2))
    add_opening(schedule_of(user), by=user, when=When(starts, starts + make.HOUR, Rule(Freq.DAILY)))
    times = list(OpenTime.objects.order_by("starts_at"))
    assert len({one.recurrence_id for one in times}) == len(times) >= 399
    for one in times:
        assert one.starts_at == instant(wall(one.recurrence_id), PARIS)
        assert one.ends_at - one.starts_at == make.HOUR
    assert all(one.ends_at <= other.starts_at for one, other in zip(times, times[1:], strict=False))


@pytest.mark.parametrize("hour", [2, 10])
def test_a_visit_keeps_its_hour_and_moves_with_what_follows(entry, hour):
    starts = dt.datetime.combine(timezone.localdate() + DAY, dt.time(hour))
    facts = Facts(
        kind="intervention", starts_at=instant(starts, PARIS), ends_at=instant(starts, PARIS) + make.HOUR,
        zone="Europe/Paris",
    )  # fmt: skip
    first = series.create_series(
        entry, facts, Who(me=True), starts=starts, ends=starts + make.HOUR, rule=Rule(Freq.DAILY),
        creation_key=uuid.uuid4(),
    )  # fmt: skip
    rows = list(Appointment.objects.order_by("recurrence_id"))
    assert len(rows) >= 399
    for row in rows:
        assert row.starts_at == instant(wall(row.recurrence_id), PARIS)
        assert row.ends_at > row.starts_at
    assert Occupation.objects.filter(exclusive=True).count() == len(rows)
    third, later = rows[2], wall(rows[2].recurrence_id).replace(hour=15)
    series.move_following(entry, third.pk, starts=later, ends=later + make.HOUR)
    moved = Appointment.objects.filter(recurrence_id__endswith="15:00")
    assert {row.starts_at.astimezone(PARIS).hour for row in moved} == {15}
    assert moved.count() == len(rows) - 2
    # The daily task, on that day, writes no occurrence twice.
    series.extend_all()
    assert first.series_id and Appointment.objects.count() == len(rows)


def test_holds_end_when_they_were_said_to(entry):
    doctor = circle.account("10")
    member = make.member(entry, doctor)
    answer_by = timezone.now() + 2 * make.HOUR
    plan = meetings.Plan(
        members={member.pk: True}, starts=[timezone.now() + 4 * make.HOUR], minutes=60, zone="Europe/Paris",
        answer_by=answer_by,
    )  # fmt: skip
    meeting = meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
    held = Occupation.objects.filter(kind="option")
    assert set(held.values_list("expires_at", flat=True)) == {answer_by}
    assert taking.let_go_expired() == 0 and held.count() == 2
    # Two hours of a clock that nobody turns, whatever the one on the wall does.
    held.update(expires_at=timezone.now())
    assert taking.let_go_expired() == 2
    assert meeting.answer_by == answer_by


def test_reminders_leave_once_within_the_day(entry):
    doctor = circle.account("10")
    member = make.member(entry, doctor)
    starts = timezone.now() + dt.timedelta(hours=30)
    plan = meetings.Plan(
        members={member.pk: True}, starts=[starts], minutes=60, zone="Europe/Paris",
        answer_by=timezone.now() + dt.timedelta(hours=29),
    )  # fmt: skip
    meeting = meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
    Appointment.objects.update(created_at=timezone.now() - 2 * DAY)
    Message.objects.all().delete()
    assert meetings.remind_due() == 0
    Appointment.objects.update(answer_by=timezone.now() + dt.timedelta(hours=23, minutes=59))
    assert (meetings.remind_due(), meetings.remind_due()) == (1, 0)
    meetings.choose_time(entry, meeting.pk, meeting.proposals.get().pk)
    Message.objects.all().delete()
    assert meetings.remind_due() == 0
    Appointment.objects.update(
        starts_at=timezone.now() + dt.timedelta(hours=23, minutes=59), ends_at=timezone.now() + 2 * DAY
    )
    assert (meetings.remind_due(), meetings.remind_due()) == (2, 0)


def test_an_hour_that_does_not_exist_is_refused_and_one_that_exists_twice_is_the_first(reader, entry):
    """The next nights when clocks change, whenever « now » is."""
    spring, autumn = _changes()
    path = f"/dossiers/{entry.dossier.pk}/agenda/nouveau/"
    said = {
        "kind": "rendez_vous", "starts": "02:30", "ends": "03:30", "zone": "Europe/Paris", "person": "on", "me": "on",
        "how": "convenu",
    }  # fmt: skip
    answer = reader.post(path, said | {"day": f"{spring:%Y-%m-%d}", "creation_key": str(uuid.uuid4())})
    assert answer.status_code == 422 and "n’existe pas" in answer.content.decode().replace("\xa0", " ")
    answer = reader.post(path, said | {"day": f"{autumn:%Y-%m-%d}", "creation_key": str(uuid.uuid4())})
    assert answer.status_code == 303
    made = Appointment.objects.get()
    assert made.starts_at.astimezone(PARIS).utcoffset() == 2 * make.HOUR
    assert made.ends_at - made.starts_at == 2 * make.HOUR


def _changes():
    """The next two nights, tomorrow at the soonest, of twenty-three and of twenty-five hours."""
    found = {}
    day = timezone.localdate() + DAY
    while len(found) < 2:
        midnight, next_one = (dt.datetime.combine(one, dt.time(), PARIS) for one in (day, day + DAY))
        lasts = next_one.astimezone(dt.UTC) - midnight.astimezone(dt.UTC)
        if lasts != DAY:
            found.setdefault(lasts, day)
        day += DAY
    return found[dt.timedelta(hours=23)], found[dt.timedelta(hours=25)]
