"""Patients, a dossier, its circle, its agenda, search: as many statements for thirty rows as for three."""

import datetime as dt
import uuid
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from agenda.actions import meetings
from agenda.actions.openings import When, add_absence, add_opening
from agenda.actions.schedules import schedule_of
from agenda.models import Appointment, Proposal, Room
from coordination.directory.models import Attachment
from coordination.directory.search import vocabulary
from habilitations import published
from habilitations.models import VouchedProfession
from tests.agenda import factories as planned
from tests.bench import town
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.directory import search_data

pytestmark = [pytest.mark.django_db, pytest.mark.req("PERF-3")]
MOST = 12


@pytest.fixture
def reader():
    publish_default_matrix()
    vocabulary.forget()
    yield make.coordinator(family_name="LECTRICE")
    published.forget()
    vocabulary.forget()


@pytest.fixture
def statements(client, reader, settings):
    """Return a function that counts the statements of a page once everything that is kept is kept."""
    # On a slow machine the mark of activity, written once a minute, would fall on the request that is counted.
    settings.SESSION_TOUCH_SECONDS = 10**6
    client.force_login(reader)

    def count(path, typed=None):
        ask = (lambda: client.get(path)) if typed is None else (lambda: client.post(path, {"q": typed}))
        assert ask().status_code == 200
        with CaptureQueriesContext(connection) as captured:
            assert ask().status_code == 200
        return len(captured)

    return count


def flat(counts):
    return len(set(counts)) == 1 and counts[0] <= MOST


@pytest.mark.parametrize("page", ["", "cercle/"])
def test_pages_of_a_dossier_whatever_the_circle(statements, reader, page):
    entry = make.open_circle(reader)
    path, counted, present = f"/dossiers/{entry.dossier.pk}/{page}", [], 1
    for members in (3, 30, 300):
        town.add_members(entry.dossier, members - present)
        present = members
        counted.append(statements(path))
    assert flat(counted), counted


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?tri=nouveau", "?modifies=1"])
def test_patients_whatever_the_dossiers(statements, reader, query):
    counted, present = [], 0
    for dossiers in (20, 200, 2_000):
        town.add_dossiers([reader], dossiers - present, members=1)
        present = dossiers
        counted.append(statements(f"/dossiers/{query}"))
    assert flat(counted), counted


def test_search_of_a_person_followed(statements, reader):
    counted, present = [], 0
    for dossiers in (20, 200):
        town.add_dossiers([reader], dossiers - present, members=1)
        present = dossiers
        counted.append(statements("/dossiers/", "arbre"))
    assert flat(counted), counted


@pytest.mark.parametrize("typed", ["testard", "testard paul", "testard carmaux"])
def test_search_of_the_directory_whatever_its_size(statements, typed):
    counted, present = [], 0
    for people in (3, 30, 300):
        for _ in range(people - present):
            search_data.person("TESTARD", "Paul")
        present = people
        search_data.learn()
        vocabulary.forget()
        counted.append(statements("/annuaire/", typed))
    assert flat(counted), counted


# ---- The agenda ----------------------------------------------------------------------------------


@pytest.fixture
def there(reader):
    """A dossier of a reader who works in a structure that has a room, its circle, and what an agenda may hold."""
    house = make.StructureFactory()
    Attachment.objects.filter(user=reader).update(structure=house)
    VouchedProfession.objects.filter(user=reader).update(structure=house)
    entry = make.open_circle(reader)
    room = Room.objects.create(structure=house, name="Salle bleue")
    son = make.relative(entry, email="karim@famille.example")
    own = schedule_of(reader)
    day = planned.at(9, days=20).replace(tzinfo=None)
    add_opening(own, by=reader, when=When(day, day.replace(hour=12), None))
    add_absence(own, by=reader, when=When(day.replace(hour=14), day.replace(hour=18), None))
    return entry, room, son


def _fill(entry, son, many, since):
    """Add so many members with their openings, and as many events of each kind; return (members, last meeting)."""
    members = []
    for number in range(since, since + many):
        user = make.account()
        member = planned.member(entry, user)
        members.append(member)
        day = planned.at(9, days=2 + number).replace(tzinfo=None)
        add_opening(schedule_of(user), by=user, when=When(day, day.replace(hour=12), None))
        planned.appointment(entry, member, planned.member_of(entry, entry.user), starts=planned.at(8, days=3 + number))
        planned.appointment(entry, member, status="proposed", starts=planned.at(10, days=3 + number))
        waits = planned.appointment(entry, status="proposed", starts=planned.at(17, days=3 + number))
        planned.participation(waits, planned.member_of(entry, entry.user))
        plan = meetings.Plan(
            members={member.pk: True, son.pk: False}, starts=(planned.at(14, days=3 + number),), minutes=60,
            zone="Europe/Paris", answer_by=timezone.now() + dt.timedelta(days=2), person=True,
        )  # fmt: skip
        meeting = meetings.propose_meeting(entry, plan, creation_key=uuid.uuid4())
        Proposal.objects.create(
            dossier=entry.dossier, appointment=meeting, starts_at=planned.at(18), ends_at=planned.at(19),
            proposed_by=meeting.participations.get(member=member),
        )  # fmt: skip
    return members, meeting


PAGES = (
    "/a-faire/", "/compte/", "/agenda/", "/agenda/semaine/", "/agenda/ouvertures/", "/agenda/absences/",
    "/agenda/reglages/", "{dossier}", "{dossier}agenda/", "{dossier}agenda/semaine/", "{dossier}agenda/nouveau/",
    "{dossier}agenda/{event}/", "{dossier}agenda/{event}/modifier/", "{dossier}agenda/{event}/repondre/",
    "{dossier}reunions/", "{dossier}reunions/{meeting}/", "{dossier}reunions/{meeting}/repondre/",
    "{dossier}reunions/trouver/", "{dossier}reunions/trouver/?{search}",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_pages_of_the_agenda_whatever_it_holds(statements, there, page):
    entry, room, son = there
    counted, present, everyone = [], 0, []
    for many in (2, 6):
        members, meeting = _fill(entry, son, many, present)
        everyone += members
        present += many
        days = [f"{timezone.localdate() + dt.timedelta(days=shift):%Y-%m-%d}" for shift in (1, 27)]
        search = {f"presence_{one.pk}": "indispensable" for one in everyone} | {
            f"presence_{son.pk}": "souhaite", "minutes": 60, "first_day": days[0], "last_day": days[1],
            "earliest": "08:00", "latest": "19:00", "zone": "Europe/Paris", "person": "on", "room": room.pk,
        }  # fmt: skip
        event = Appointment.objects.filter(status="booked", participations__user=entry.user).first()
        counted.append(
            statements(
                page.format(
                    dossier=f"/dossiers/{entry.dossier.pk}/", event=event.pk, meeting=meeting.pk,
                    search=urlencode(search),
                )
            )
        )  # fmt: skip
    assert flat(counted), counted
