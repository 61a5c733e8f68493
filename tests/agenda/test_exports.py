"""One’s own agenda as files: availabilities, what is free and taken, appointments (GAP-99)."""

import datetime as dt

import icalendar
import pytest
from django.urls import reverse
from django.utils import timezone

from agenda.actions.openings import When, add_absence, add_opening
from agenda.actions.schedules import schedule_of
from agenda.models import Occupation, Schedule
from agenda.rules import Day, Freq, Rule
from habilitations.models import AccountTrace, Trace
from tests.agenda import factories as make
from tests.circle import factories as circle

pytestmark = [pytest.mark.django_db, pytest.mark.req("GAP-99")]


@pytest.fixture
def nurse():
    return circle.account(family_name="SPÉCIMEN", given_name="Inès")


@pytest.fixture
def page(client, nurse):
    client.force_login(nurse)
    return client


def when(first, last, days=7, rule=None):
    return When(*[make.at(hour, days=days).replace(tzinfo=None) for hour in (first, last)], rule)


def read(page, name):
    answer = page.get(reverse(f"mon_agenda:{name}"))
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/calendar")
    assert answer["Content-Disposition"].startswith("attachment")
    return answer.content.decode(), icalendar.Calendar.from_ical(answer.content)


def test_openings_are_available_as_their_rules_say_and_absences_lie_over(page, nurse):
    schedule = schedule_of(nurse)
    day = make.at(days=7).weekday()
    opening = add_opening(schedule, by=nurse, when=when(9, 12, rule=Rule(Freq.WEEKLY, by_day=(Day(day),))))
    add_absence(schedule, by=nurse, when=when(10, 11, days=14), label="Formation")
    text, calendar = read(page, "export_availabilities")
    available = next(part for part in calendar.walk() if part.name == "AVAILABLE")
    assert available["UID"] == f"{opening.pk}@127.0.0.1"
    assert available["RRULE"]["FREQ"] == ["WEEKLY"] and available["DTSTART"].params["TZID"] == "Europe/Paris"
    priorities = [part["PRIORITY"] for part in calendar.walk() if part.name == "VAVAILABILITY"]
    assert sorted(priorities) == [1, 5]
    assert "Formation" not in text
    assert AccountTrace.objects.filter(actor_id=nurse.pk, action="export").count() == 1


def test_an_agenda_that_is_set_aside_or_bounded_opens_no_more_than_it_says(page, nurse):
    schedule = schedule_of(nurse)
    add_opening(schedule, by=nurse, when=when(9, 12))
    first, last = make.at(0, days=3), make.at(0, days=9)
    Schedule.objects.filter(pk=schedule.pk).update(valid_from=first, valid_until=last)
    _, calendar = read(page, "export_availabilities")
    (told,) = calendar.walk("VAVAILABILITY")
    assert (told["DTSTART"].dt, told["DTEND"].dt) == (first, last)
    Schedule.objects.filter(pk=schedule.pk).update(active=False)
    _, calendar = read(page, "export_availabilities")
    assert "AVAILABLE" not in {part.name for part in calendar.walk()}


def test_free_busy_says_each_by_its_status_and_nothing_of_why(page, nurse, entry):
    schedule = schedule_of(nurse)
    add_opening(schedule, by=nurse, when=when(9, 12))
    make.appointment(entry, make.member(entry, nurse), starts=make.at(10), title="Pansement")
    add_absence(schedule, by=nurse, when=when(15, 16), label="Formation")
    Occupation.objects.create(
        key=schedule.key, source=nurse.pk, kind="option", starts_at=make.at(17), ends_at=make.at(18),
        expires_at=timezone.now() + dt.timedelta(days=1),
    )  # fmt: skip
    text, calendar = read(page, "export_free_busy")
    (told,) = calendar.walk("VFREEBUSY")
    lines = told["FREEBUSY"] if isinstance(told["FREEBUSY"], list) else [told["FREEBUSY"]]
    said = {}
    for line in lines:
        for period in line if isinstance(line, list) else [line]:
            start, end = period.dt if hasattr(period, "dt") else (period.start, period.end)
            said.setdefault(line.params["FBTYPE"], []).append((start, end))
    hour = lambda *hours: [(make.at(hour), make.at(hour + 1)) for hour in hours]  # noqa: E731
    assert said == {
        "FREE": hour(9, 11), "BUSY": hour(10), "BUSY-UNAVAILABLE": hour(15), "BUSY-TENTATIVE": hour(17),
    }  # fmt: skip
    assert "Pansement" not in text and "Formation" not in text


@pytest.mark.req("SECT-10")
def test_appointments_are_traced_in_their_dossier(page, nurse, entry):
    make.appointment(entry, make.member(entry, nurse), title="Pansement")
    _, calendar = read(page, "export_appointments")
    (event,) = calendar.walk("VEVENT")
    assert event["SUMMARY"] == f"Pansement, {entry.dossier.full_name}"
    line = Trace.objects.get(dossier_id=entry.dossier.pk, actor_id=nurse.pk, object_kind="agenda")
    assert (line.action, line.rubrique) == ("export", "agenda")


def test_an_agenda_that_nobody_has_written_is_empty_and_stays_so(page, nurse):
    for name in ("export_availabilities", "export_free_busy", "export_appointments"):
        read(page, name)
    from agenda.models import Schedule

    assert not Schedule.objects.exists()


@pytest.mark.req("SEC-18")
def test_files_ask_who_one_is(page, settings):
    settings.DOSSIER_REAUTHENTICATION_SECONDS = -1
    for name in ("export_appointments", "export_availabilities", "export_free_busy"):
        assert page.get(reverse(f"mon_agenda:{name}")).status_code == 302
