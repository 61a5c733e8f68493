"""Telling a worker that a row waits. May fail without harm: the sweep rings again."""

import logging
import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import connection, transaction
from kombu.exceptions import ChannelError

logger = logging.getLogger(__name__)

# After a failed ring, pages do not try the broker again for this long, then for twice as long at each further
# failure: a broker that hangs must not slow every act down to its time-out (REL-3). The sweep rings meanwhile.
SILENCE, LONGEST_SILENCE = 10.0, 60.0
_silent_until = _silence = 0.0
# Somebody waits for this ring, unlike for those of the workers, and others behind: one try, and a fifth of a second
# for each word of the broker's, which takes a thousandth. Left to itself, the client tries a refused connection for
# two seconds and waits for a silent one for ever.
ONE_TRY = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2, "max_retries": 0}
# A ring takes a kilobyte of the broker. Beyond so many that nobody has heard, one more would bring nothing forward:
# the sweep rings for its row later (SCALE-12). Asked of the broker once a second.
MOST_UNHEARD = 100_000
LOOK_EVERY = 1.0
_looked_at = 0.0
_is_crowded = False
_line: Any = None
_line_of = 0
# Who hears one ring goes on with the other rows that are due (turns.py): so many rings wake as many processes, and one
# more would be heard for nothing. For the rows of one commit, or of one round of the sweep.
ENOUGH = 4
# {what: Celery task} of the rooms above that keep a queue of their own.
_tasks: dict[str, Any] = {}


def register(what: str, task: Any) -> None:
    """Say which task answers for a kind of waiting rows; called from the `ready` of a room."""
    _tasks[what] = task


def ring(what: str, key: UUID) -> bool:
    """Send the identifier of a waiting row to the workers. Return whether the broker took it, or holds so many that
    the row waits its turn anyway. Never raises.

    `what` is "message", "job", or what a room registered.
    """
    global _silent_until, _silence
    if time.monotonic() < _silent_until:
        return False
    from coordination.outbox import tasks

    task = {"message": tasks.deliver, "job": tasks.run_job, **_tasks}[what]
    try:
        line = _connection()
        if not _crowded(line):
            task.apply_async(args=[str(key)], retry=False, connection=line)
    except Exception as error:  # whatever the broker's client raises: the row is safe, the sweep does it
        _silence = min(2 * _silence or SILENCE, LONGEST_SILENCE)
        _silent_until = time.monotonic() + _silence
        _hang_up()
        logger.warning("outbox.doorbell_unheard", extra={"what": what, "error": type(error).__name__})
        return False
    _silence = 0.0
    return True


@dataclass(frozen=True)
class _AtCommit:
    """The ring for one row, and how many its transaction has rung."""

    what: str
    key: UUID
    rung: Counter[str]

    def __call__(self) -> None:
        if self.rung[self.what] < ENOUGH:
            self.rung[self.what] += 1
            ring(self.what, self.key)


def ring_at_commit(what: str, key: UUID) -> None:
    """Ring for a mail or a job once the transaction is committed, unless ENOUGH of its kind were rung for with it."""
    before = (kept for _, kept, _ in reversed(connection.run_on_commit) if isinstance(kept, _AtCommit))
    same = next(before, None)
    transaction.on_commit(_AtCommit(what, key, Counter() if same is None else same.rung))


def listen_again() -> None:
    """Forget a past failure: the sweep, which pays the time-out itself, finds out when the broker is back."""
    global _silent_until, _silence, _looked_at
    _silent_until = _silence = _looked_at = 0.0


def _crowded(line: Any) -> bool:
    """Say whether more rings than MOST_UNHEARD waited when the broker was last asked. Raises what its client does."""
    global _looked_at, _is_crowded
    now = time.monotonic()
    if now - _looked_at >= LOOK_EVERY:
        _looked_at, _is_crowded = now, _unheard(line) > MOST_UNHEARD
    return _is_crowded


def _unheard(line: Any) -> int:
    try:
        queue = line.default_channel.queue_declare(current_app.conf.task_default_queue, passive=True)
    except ChannelError:
        return 0  # an empty queue is one that is not there
    return int(queue.message_count)


def _connection() -> Any:
    """Return the line to the broker of this process, kept from one ring to the next."""
    global _line, _line_of
    if _line is None or _line_of != os.getpid():
        _line, _line_of = current_app.connection_for_write(transport_options=ONE_TRY), os.getpid()
    return _line


def _hang_up() -> None:
    """Forget a line that failed: what is left on it is the answer to another question."""
    global _line
    line, _line = _line, None
    try:
        if line is not None and _line_of == os.getpid():
            line.release()
    except Exception:
        logger.debug("outbox.line_not_closed")
