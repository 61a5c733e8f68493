"""The number beside « À faire » in the top bar: right, bounded, said in words, and at no statement of its own."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from circle import actions
from circle.actions import counting
from circle.tasks import count_todos
from circle.waiting import TodoCount
from coordination.accounts.models import Session
from habilitations import actions as habilitations
from habilitations.rubriques import Niveau, Rubrique
from tests.circle import factories as make

pytestmark = pytest.mark.django_db
PAGES = ("/", "/a-faire/", "/agenda/", "/compte/", "/invitations/")
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def reader(client, entry):
    client.force_login(entry.user)
    return client


@pytest.fixture
def asked(entry):
    """What a nurse whose medical rubric was closed asks of who grants: one thing to do."""
    nurse = make.account(family_name="SPÉCIMEN")
    member = make.add(entry, nurse.attachment.professional, wanted="oui")
    actions.limit_access(entry, member, ceilings={Rubrique.MEDICAL: Niveau.AUCUN}, until=None)
    return habilitations.ask_access(
        entry.dossier.pk, Rubrique.MEDICAL, by=nurse, access=make.entry_of(nurse, entry).access
    )


def entries(client, path="/compte/"):
    """Return the entries « À faire » of a page: what is read out and what is seen, of the bar then of the phone’s."""
    page = client.get(path, follow=True)
    assert page.status_code == 200
    links = re.findall(r'<a href="/a-faire/"(.*?)>(.*?)</a>', page.content.decode(), re.S)
    label = [re.search(r'aria-label="([^"]*)"', attributes) for attributes, _ in links]
    seen = [" ".join(re.sub(r"<[^>]+>", " ", inside).split()) for _, inside in links]
    return [(found[1] if found else said, said) for found, said in zip(label, seen, strict=True)]


def test_every_page_says_how_many_wait(reader, asked):
    assert entries(reader) == [("À faire", "À faire")] * 2
    count_todos()
    for path in PAGES:
        assert entries(reader, path) == [("À faire 1 en attente", "À faire 1")] * 2, path
    menu = re.search(r'<summary[^>]*aria-label="(Menu principal[^"]*)"', reader.get("/compte/").content.decode())
    assert menu[1].replace("\xa0", " ") == "Menu principal, À faire : 1 en attente"


def test_the_page_itself_says_what_it_shows_and_the_others_after_it(reader, entry, asked):
    """Nobody waits for the task after an answer of one’s own: each leads back to « À faire »."""
    assert entries(reader, "/a-faire/")[0][1] == "À faire 1"
    assert entries(reader)[0][1] == "À faire 1"
    habilitations.answer_request(
        asked, by=entry.user, access=entry.access, member_structure_id=None, accept=False, answer="Non."
    )
    assert entries(reader, "/a-faire/")[0][1] == "À faire"
    assert entries(reader)[0][1] == "À faire"


@pytest.mark.parametrize(("count", "shown"), [(1, "1"), (12, "12"), (99, "99"), (100, "99+"), (4321, "99+")])
def test_a_number_is_bounded(reader, entry, count, shown):
    counting.note_todo_count(entry.user, count)
    assert entries(reader) == [(f"À faire {shown} en attente", f"À faire {shown}")] * 2


def test_a_number_of_the_day_before_is_not_said(reader, entry):
    counting.note_todo_count(entry.user, 3)
    TodoCount.objects.update(counted_at=timezone.now() - dt.timedelta(hours=9))
    assert entries(reader)[0][1] == "À faire"


def test_everybody_reads_his_own(reader, entry, client):
    counting.note_todo_count(make.coordinator(), 7)
    assert entries(reader)[0][1] == "À faire"


def test_it_costs_no_statement(reader, entry):
    path = reverse("circle:list", args=[entry.dossier.pk])
    counted = []
    for count in (None, 1, 500):
        if count:
            counting.note_todo_count(entry.user, count)
        reader.get(path)
        with CaptureQueriesContext(connection) as captured:
            assert reader.get(path).status_code == 200
        counted.append([re.sub(r"\d+", "", one["sql"])[:60] for one in captured])
    assert counted[0] == counted[1] == counted[2]
    assert sum("circle_todocount" in one["sql"] for one in captured) == 1, "within the query of the session"


def test_those_at_work_are_counted_and_not_twice_in_five_minutes(reader, entry, asked):
    Session.objects.update(signed_in_at=timezone.now() - 30 * MINUTE)
    assert counting.count_todos() == 1
    assert counting.count_todos() == 0
    TodoCount.objects.update(counted_at=timezone.now() - 6 * MINUTE)
    assert counting.count_todos() == 1
    # Who went home is not.
    TodoCount.objects.update(counted_at=timezone.now() - 60 * MINUTE)
    Session.objects.update(last_seen_at=timezone.now() - 11 * MINUTE)
    assert counting.count_todos() == 0


def test_who_signs_in_is_counted_at_the_next_turn(reader, entry):
    counting.note_todo_count(entry.user, 0)
    TodoCount.objects.update(counted_at=timezone.now() - MINUTE)
    Session.objects.update(signed_in_at=timezone.now() - 2 * MINUTE)
    assert counting.count_todos() == 0, "counted since"
    Session.objects.update(signed_in_at=timezone.now())
    assert counting.count_todos() == 1


def test_a_turn_ends_and_the_oldest_come_first(reader, entry, monkeypatch):
    """With too many people at work counts get older, and nothing else waits."""
    other = make.coordinator()
    Client().force_login(other)
    assert Session.objects.count() == 2
    counting.note_todo_count(entry.user, 0)
    TodoCount.objects.update(counted_at=timezone.now() - 20 * MINUTE)
    clock = iter([0.0, 1.0, 100.0])
    monkeypatch.setattr(counting.time, "monotonic", lambda: next(clock))
    assert counting.count_todos() == 1
    assert TodoCount.objects.filter(user=other).exists()
    assert TodoCount.objects.get(user=entry.user).counted_at < timezone.now() - 19 * MINUTE
