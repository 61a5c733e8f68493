"""Saying « too many » at once rather than late: what a web process does when the queue in front of it stays (PERF-18).

Connections that no process has taken yet wait in the socket. While more come than can be served, that queue grows to
its end: everybody waits for seconds, and most of what is served at last is for people who have left. So, once it has
stood for a while, whoever is taken while it is still too long is answered 503 in a fraction of a millisecond. What is
served goes on as fast as before, and a refusal is known in less time than the queue takes.

A queue that forms and goes (a page and its files, a start, a release) refuses nobody: it must have been seen too long
all the while, and a process that has just started serves for a moment what waited for it.
"""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from csp.utils import build_policy

from coordination.common import metrics

logger = logging.getLogger(__name__)

STANDS, REMEMBERED = 2.0, 5.0
# Two looks further apart than this say nothing of what was between them: two bursts are not a queue that stays.
UNSEEN = 0.5
# While it is too long it is looked at so often, for a page may take longer than that to be served.
LOOKED_EVERY = 0.2
# After a restart the socket holds what came meanwhile (REL-15).
GRACE = 10.0
RETRY_AFTER, TOLD_EVERY = 2, 60.0
# Bytes of a refused form that are read and forgotten.
READ = 1 << 16
# Served whatever waits: probes, and the files of pages that were served.
ALWAYS = ("/sante/", "/static/")
# Of `struct tcp_info` (linux/tcp.h): eight bytes, then words; of a listening socket, `tcpi_unacked` is its queue.
_QUEUE_AT = 24
Start = Callable[..., Any]
Application = Callable[[dict[str, Any], Start], Iterable[bytes]]


def waiting(listeners: Sequence[socket.socket]) -> int:
    """Return how many connections wait to be taken; 0 where the system does not say (not Linux, not TCP)."""
    return sum(_queue_of(listener) for listener in listeners)


def _queue_of(listener: socket.socket) -> int:
    if listener.family not in (socket.AF_INET, socket.AF_INET6) or not hasattr(socket, "TCP_INFO"):
        return 0
    told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _QUEUE_AT + 4)
    return int(struct.unpack_from("I", told, _QUEUE_AT)[0]) if len(told) >= _QUEUE_AT + 4 else 0


class Queue:
    """Whether a queue is one that stays.

    Seen longer than `most` for STANDS seconds, it is; from then on only a quarter of it is borne, until it has not
    been longer than that for REMEMBERED seconds. Before `begins` none is too long.
    """

    def __init__(self, most: int, begins: float = 0.0) -> None:
        self.most, self.borne = most, max(1, most // 4)
        self._begins, self._closed_until = begins, 0.0
        self._since: float | None = None
        self._seen = 0.0

    def look(self, length: int, now: float) -> bool:
        """Remember how long it is; return whether that is more than `most`."""
        unseen, self._seen = now - self._seen > UNSEEN, now
        if length <= self.most:
            self._since = None
        elif self._since is None or unseen:
            self._since = now
        return length > self.most

    def is_too_long(self, length: int, now: float) -> bool:
        """Say whether who is taken now, with so many behind him, is one too many."""
        self.look(length, now)
        since = self._since
        if now < self._begins:
            return False
        if now < self._closed_until:
            return self._close(now) if length > self.borne else False
        return self._close(now) if since is not None and now - since >= STANDS else False

    def _close(self, now: float) -> bool:
        self._closed_until = now + REMEMBERED
        return True


class Gate:
    """A WSGI application in front of another: it serves, or refuses while the queue stays.

    `refusals`: {beginning of an address: (content type, body)}, the first one that fits.
    """

    def __init__(
        self,
        application: Application,
        length: Callable[[], int],
        most: int,
        refusals: Mapping[str, tuple[str, bytes]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application, self._length, self._clock = application, length, clock
        self._queue, self._refusals, self._policy = Queue(most, clock() + GRACE), refusals, build_policy()
        self._told_until, self._untold = 0.0, 0
        self._is_long = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        """Answer as the application does, or 503 with `Retry-After`."""
        path, now = environ.get("PATH_INFO", ""), self._clock()
        length = self._length()
        too_long = self._queue.is_too_long(length, now)
        if length > self._queue.most:
            self._is_long.set()
        if self._untold and now >= self._told_until:
            self.tell(length, now)
        if not too_long or path.startswith(ALWAYS):
            return self._application(environ, start_response)
        self._count(length, now)
        if environ.get("CONTENT_LENGTH"):
            # A connection closed on what was sent and not read loses the answer on its way.
            environ["wsgi.input"].read(READ)
        kind, body = next(said for begins, said in self._refusals.items() if path.startswith(begins))
        start_response("503 Service Unavailable", [
            ("Content-Type", kind), ("Content-Length", str(len(body))), ("Retry-After", str(RETRY_AFTER)),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Content-Security-Policy", self._policy),
        ])  # fmt: skip
        return [body]

    def watch(self) -> None:
        """Have a thread look at the queue while it is too long, and sleep otherwise."""
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while self._is_long.wait():
            time.sleep(LOOKED_EVERY)
            try:
                if not self._queue.look(self._length(), self._clock()):
                    self._is_long.clear()
            except OSError:  # the sockets are closed: this process ends
                return

    def _count(self, length: int, now: float) -> None:
        metrics.refused()
        self._untold += 1
        if now >= self._told_until:
            self.tell(length, now)

    def tell(self, length: int, now: float) -> None:
        """Write how many were refused since the last time, if any were: `manage.py slo` adds them up."""
        if self._untold:
            logger.warning("web.too_many_wait", extra={"waiting": length, "refused": self._untold})
        self._told_until, self._untold = now + TOLD_EVERY, 0
