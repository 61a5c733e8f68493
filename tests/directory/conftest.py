import pytest

from coordination.directory.search import vocabulary


@pytest.fixture(autouse=True)
def _vocabulary_of_this_test():
    """A process keeps the vocabulary between searches; a test must not read that of another."""
    vocabulary.forget()
    yield
    vocabulary.forget()
