"""The worker's line to the broker: it comes back by itself, within seconds, whatever the broker died of (REL-3)."""

import logging
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer as CeleryConsumer
from kombu import Connection

# Seconds between two tries, however long the broker has been away. Celery's own wait grows to thirty.
LONGEST_WAIT = 3
logger = logging.getLogger(__name__)


class Consumer(CeleryConsumer):
    """Celery's, which looks for a broker that is away more often, and does not end of a line that was lost.

    Celery 5.7 gives up a lost line, then closes it; kombu then gives back what had been reserved, and acknowledges
    what a child takes later, by a line that it no longer has. Both are an AttributeError, which is in no list of
    errors of a connection, and of which the whole worker ended. Nothing is lost by going on: what was reserved is a
    ring, and the sweep rings again.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.connection_errors: tuple[type[Exception], ...] = (*self.connection_errors, AttributeError)

    def ensure_connected(self, conn: Connection) -> Connection:
        conn.ensure_connection = partial(conn.ensure_connection, interval_max=LONGEST_WAIT)  # type: ignore[method-assign]
        return super().ensure_connected(conn)

    def on_connection_error_after_connected(self, exc: Exception) -> None:
        try:
            super().on_connection_error_after_connected(exc)
        except AttributeError:
            logger.warning("worker.line_given_up")
