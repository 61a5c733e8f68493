import pytest

from tests.circle import factories
from tests.circle.conftest import coordinator, entry, matrix

__all__ = ["coordinator", "entry", "matrix"]


@pytest.fixture
def house(db):
    """Another structure than that of who opened the dossier."""
    return factories.StructureFactory()
