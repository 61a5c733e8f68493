import pytest

from coordination.outbox import doorbell


@pytest.fixture(autouse=True)
def _doorbell_unhindered():
    """A failed ring in one test must not silence the next one."""
    doorbell.listen_again()
    yield
    doorbell.listen_again()
