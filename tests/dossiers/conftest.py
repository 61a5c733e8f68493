import pytest

from coordination.dossiers import actions, opening
from habilitations.actions import grant_creator
from tests.dossiers.factories import DOCTOR, DossierFactory, habilitate, professional
from tests.shipped import publish_default_matrix


@pytest.fixture(autouse=True)
def _matrix(request):
    """The shipped matrix, for the tests that use the database."""
    mark = request.node.get_closest_marker("django_db")
    if mark is None and "db" not in request.fixturenames:
        return
    request.getfixturevalue("transactional_db" if mark and mark.kwargs.get("transaction") else "db")
    publish_default_matrix()


@pytest.fixture(autouse=True)
def _opening(monkeypatch):
    """A dossier and its creator's habilitation, without the circle: that room has its own tests."""

    def open_dossier(*, by, **details):
        dossier = actions.create_dossier(by=by, **details)
        if not dossier.habilitations.filter(user=by).exists():
            grant_creator(dossier.pk, by, by=by)
        return dossier

    monkeypatch.setitem(opening._registered, "open_dossier", open_dossier)


@pytest.fixture
def doctor(db):
    return professional(DOCTOR, family_name="TESTARD", given_name="Paul")


@pytest.fixture
def dossier(doctor):
    """A dossier the doctor may open."""
    made = DossierFactory(birth_name="EXEMPLE", used_name="MARTIN")
    habilitate(doctor, made)
    return made


@pytest.fixture
def as_doctor(client, doctor):
    client.force_login(doctor)
    return client
