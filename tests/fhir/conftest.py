import pytest

from tests.circle.conftest import coordinator, entry, matrix  # noqa: F401 - the same world
from tests.fhir.api import Api


@pytest.fixture
def api(client, coordinator):  # noqa: F811
    """The API as a coordinator's own program calls it, with every scope."""
    return Api.of(client, coordinator)
