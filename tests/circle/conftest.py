import pytest

from habilitations import published
from tests.circle import factories
from tests.shipped import publish_default_matrix


@pytest.fixture
def matrix(db):
    """The shipped matrix, published; version numbers are used again from one test to the next."""
    return publish_default_matrix()


@pytest.fixture
def coordinator(matrix):
    return factories.coordinator(family_name="EXEMPLE-LARRIEU", given_name="Maëlle")


@pytest.fixture
def entry(coordinator):
    """The entry of a coordinator in the dossier she opened."""
    return factories.open_circle(coordinator)


@pytest.fixture(autouse=True)
def _forget_matrices():
    yield
    published.forget()
