"""What is edited in the night when clocks change stays where it is, unless it is moved."""

import datetime as dt
import re
import uuid

import pytest
from django.utils import timezone

from agenda.models import Appointment, Series
from tests.agenda import factories
from tests.agenda.at_this_moment import drawn
from tests.agenda.factories import PARIS

pytestmark = pytest.mark.django_db
FIRST, SECOND = 0, 1


def path(entry, tail):
    return f"/dossiers/{entry.dossier.pk}/agenda/{tail}"


def last_sunday(month):
    last = dt.date(timezone.localdate().year + 1, month, 31)
    return last - dt.timedelta(days=(last.weekday() + 1) % 7)


def october(hour, minute=0, fold=FIRST, second=0):
    """An instant of the next night but one when the clocks of Paris go back."""
    day = last_sunday(10)
    return dt.datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=PARIS, fold=fold).astimezone(dt.UTC)


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


@pytest.fixture
def edited(reader, entry):
    """Make an event, open « Modifier », change what is given, send; return it, when it was, and the answer."""

    def act(at, minutes, **typed):
        made = factories.appointment(
            entry, factories.member_of(entry, entry.user), starts=at, minutes=minutes, with_person=True
        )
        before = made.starts_at, made.ends_at
        address = path(entry, f"{made.pk}/modifier/")
        answer = reader.post(address, drawn(reader.get(address)) | typed)
        made.refresh_from_db()
        return made, before, answer

    return act


@pytest.mark.parametrize(
    ("hour", "minute", "fold", "minutes"),
    [(2, 30, SECOND, 15), (2, 30, SECOND, 60), (2, 30, FIRST, 60), (2, 30, FIRST, 15), (1, 30, FIRST, 120)],
)
def test_an_event_whose_time_nobody_touches_stays(edited, hour, minute, fold, minutes):
    made, before, answer = edited(october(hour, minute, fold), minutes, title="Autre titre")
    assert answer.status_code == 303, re.findall(r'class="error[^"]*">([^<]+)', answer.content.decode())
    assert made.title == "Autre titre"
    assert (made.starts_at, made.ends_at) == before
    assert set(made.changes.values_list("kind", flat=True)) == {"modification"}


def test_the_seconds_that_a_software_gave_are_no_move(edited):
    made, before, answer = edited(october(10, 0, second=30), 45, title="Autre titre")
    assert (answer.status_code, made.title) == (303, "Autre titre")
    assert (made.starts_at, made.ends_at) == before


@pytest.mark.parametrize(
    ("fold", "typed", "expected"),
    [
        # Another minute of the hour it is in.
        (SECOND, {"starts": "02:20"}, (october(2, 20, SECOND), october(2, 45, SECOND))),
        (SECOND, {"ends": "02:50"}, (october(2, 30, SECOND), october(2, 50, SECOND))),
        (FIRST, {"starts": "02:20"}, (october(2, 20, FIRST), october(2, 45, FIRST))),
        # Out of it, then whatever the clock says.
        (SECOND, {"starts": "04:00", "ends": "05:00"}, (october(4), october(5))),
        (FIRST, {"ends": "03:30"}, (october(2, 30, FIRST), october(3, 30))),
    ],
)
def test_another_minute_is_of_the_hour_it_was_in(edited, fold, typed, expected):
    made, _, answer = edited(october(2, 30, fold), 15, **typed)
    assert answer.status_code == 303, re.findall(r'class="error[^"]*">([^<]+)', answer.content.decode())
    assert (made.starts_at, made.ends_at) == expected


def test_an_end_typed_after_a_start_of_the_second_hour_follows_it(edited):
    """From 02:30 of winter to 03:30, then to 02:45: that of winter too."""
    made, _, answer = edited(october(2, 30, SECOND), 60, ends="02:45")
    assert answer.status_code == 303
    assert (made.starts_at, made.ends_at) == (october(2, 30, SECOND), october(2, 45, SECOND))


def test_the_form_says_which_of_both_hours_it_is(reader, entry):
    pages = []
    for fold in (FIRST, SECOND):
        made = factories.appointment(entry, starts=october(2, 30, fold), minutes=15)
        pages.append(reader.get(path(entry, f"{made.pk}/modifier/")).content.decode())
    assert ["c’est la seconde, à l’heure d’hiver" in page for page in pages] == [False, True]


@pytest.mark.parametrize("month", [3, 10])
def test_what_follows_keeps_its_hours_when_its_words_alone_change(reader, entry, month):
    """From the night of the change on: 02:30 to 03:30 is shown otherwise there, and everywhere else it is as said."""
    day = last_sunday(month) - dt.timedelta(days=7)
    said = {
        "kind": "intervention", "title": "Ronde", "day": f"{day}", "starts": "02:30", "ends": "03:30",
        "zone": "Europe/Paris", "person": "on", "me": "on", "how": "convenu", "every": "1", "times": "3",
        "creation_key": str(uuid.uuid4()),
    }  # fmt: skip
    assert reader.post(path(entry, "nouveau/"), said).status_code == 303
    rows = list(Appointment.objects.order_by("starts_at"))
    before = [(one.starts_at, one.ends_at) for one in rows]
    address = path(entry, f"{rows[1].pk}/modifier/")
    answer = reader.post(address, drawn(reader.get(address)) | {"scope": "suivantes", "title": "Passage"})
    assert answer.status_code == 303, re.findall(r'class="error[^"]*">([^<]+)', answer.content.decode())
    rows = list(Appointment.objects.order_by("starts_at"))
    assert [one.title for one in rows] == ["Ronde", "Passage", "Passage"]
    assert [(one.starts_at, one.ends_at) for one in rows] == before
    assert {(one.starts[11:], one.ends[11:]) for one in Series.objects.all()} == {("02:30", "03:30")}
