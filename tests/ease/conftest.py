"""The small town of the stories (tests/system)."""

import pytest

from coordination.directory.search import vocabulary
from habilitations import published
from tests.system import world as worlds


@pytest.fixture
def world(transactional_db):
    vocabulary.forget()
    yield worlds.build()
    published.forget()
    vocabulary.forget()
