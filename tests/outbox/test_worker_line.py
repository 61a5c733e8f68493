"""A worker outlives its broker: what kombu says of a line that is lost ends nothing (REL-3)."""

from types import SimpleNamespace

import pytest
from celery.worker.consumer import Consumer as CeleryConsumer
from kombu.exceptions import OperationalError

from coordination.celery import app
from coordination.worker import Consumer

pytestmark = pytest.mark.req("REL-3")
QUEUE = "worker-line"


def consumer_of(kind, connection):
    one = object.__new__(kind)
    one.app, one.connection = app, connection
    return one


@pytest.fixture
def reserved():
    """A line on which a message was taken and not acknowledged, as when the broker falls."""
    connection = app.connection_for_read()
    queue = connection.SimpleQueue(QUEUE, no_ack=False)
    queue.put({"ring": 1})
    queue.get(timeout=5)
    yield connection
    connection.release()
    with app.connection_for_write() as other:
        other.default_channel.queue_purge(QUEUE)


@pytest.mark.filterwarnings("ignore")
def test_a_lost_line_with_what_was_reserved_is_given_up(reserved):
    mine = consumer_of(Consumer, reserved)
    mine.on_connection_error_after_connected(OperationalError("gone"))
    assert mine.connection is None


@pytest.mark.filterwarnings("ignore")
def test_celery_alone_would_end(reserved):
    """The day it no longer does, the mend of coordination/worker.py may go."""
    with pytest.raises(AttributeError):
        consumer_of(CeleryConsumer, reserved).on_connection_error_after_connected(OperationalError("gone"))


def test_an_acknowledgement_on_a_lost_line_is_an_error_of_the_line():
    asked = Consumer(lambda request: None, app=app, controller=SimpleNamespace(use_eventloop=False))
    assert AttributeError in asked.connection_errors
    assert set(app.connection_for_read().connection_errors) <= set(asked.connection_errors)
