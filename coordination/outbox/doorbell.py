"""Telling a worker that a row waits. May fail without harm: the sweep rings again."""

import logging
import time
from uuid import UUID

logger = logging.getLogger(__name__)

# After a failed ring, pages do not try the broker again for this long: a broker that hangs must not slow every
# act down to its connection time-out (REL-3).
SILENCE = 5.0
_silent_until = 0.0


def ring(what: str, key: UUID) -> bool:
    """Send the identifier of a waiting row to the workers; return whether the broker took it. Never raises.

    `what` is "message" or "job".
    """
    global _silent_until
    if time.monotonic() < _silent_until:
        return False
    from coordination.outbox import tasks

    task = {"message": tasks.deliver, "job": tasks.run_job}[what]
    try:
        task.apply_async(args=[str(key)], retry=False)
    except Exception as error:  # whatever the broker's client raises: the row is safe, the sweep does it
        _silent_until = time.monotonic() + SILENCE
        logger.warning("outbox.doorbell_unheard", extra={"what": what, "error": type(error).__name__})
        return False
    return True


def listen_again() -> None:
    """Forget a past failure: the sweep, which pays the time-out itself, finds out when the broker is back."""
    global _silent_until
    _silent_until = 0.0
