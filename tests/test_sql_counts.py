"""Patients, home of a dossier, circle, search: as many statements for thirty rows as for three, never above twelve."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coordination.directory.search import vocabulary
from habilitations import published
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
