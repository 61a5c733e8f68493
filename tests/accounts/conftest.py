import pytest
from django.core.cache import cache

from tests.accounts.factories import PASSWORD, UserFactory


@pytest.fixture(autouse=True)
def _account_tests(settings, request):
    settings.ROOT_URLCONF = "tests.accounts.urls"


@pytest.fixture
def user(db):
    return UserFactory()


@pytest.fixture
def administrator(db):
    return UserFactory(administrator=True)


@pytest.fixture
def sign_in(client):
    """Sign in by the page itself, so that the session holds what a real one holds."""

    def by_page(user, client=client, password=PASSWORD, **extra):
        return client.post("/compte/connexion/", {"login": user.email, "password": password, **extra})

    return by_page


@pytest.fixture
def fresh_counters(db):
    cache.clear()
