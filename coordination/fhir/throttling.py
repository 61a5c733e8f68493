"""How often somebody may call: so many times a minute, counted in the cache that all processes share.

A process takes calls by the handful and spends them by itself: the cache is not asked at each. Nobody makes more calls
than he may; at the end of a minute each process may hold some of them back, a hundredth of all at most. The count is
expendable (stack, §3): when the cache is down, calls pass. Guessing gains nothing by it: secrets are drawn, 256 bits
each.
"""

from __future__ import annotations

import logging
import time

from cachetools import LRUCache
from django.core.cache import caches

from coordination.fhir.outcomes import Throttled

# The name of the cache in the settings.
CACHE = "calls"
WINDOW = 60
# Calls taken at once, as long as they are a hundredth of what is allowed at most.
HANDFUL = 10
# Seconds without asking a cache that did not answer: one that hangs must not slow every handful (REL-3, REL-17).
SILENCE = 5.0
_silent_until = 0.0
logger = logging.getLogger("coordination.fhir")
# {who and which minute: calls taken and not made yet}.
_left: LRUCache[str, int] = LRUCache(maxsize=1000)


def count(who: str, most: int) -> None:
    """Count one call of `who`. Raises Throttled (429, Retry-After) beyond `most` in the minute; 0 is no limit."""
    if not most:
        return
    now = time.time()
    window = int(now // WINDOW)
    key = f"{who}:{window}"
    if left := _left.get(key, 0):
        _left[key] = left - 1
        return
    handful = max(1, min(most // 100, HANDFUL))
    _left[key] = handful - 1
    if _counted(key, handful) > most:
        _left[key] = 0
        raise Throttled(
            "Trop d’appels : attendez avant de recommencer.", wait=max(1, int((window + 1) * WINDOW - now))
        )


def forget() -> None:
    """Give up the calls taken and not made, and a failure of the cache."""
    global _silent_until
    _left.clear()
    _silent_until = 0.0


def _counted(key: str, calls: int) -> int:
    global _silent_until
    if time.monotonic() < _silent_until:
        return 0
    cache = caches[CACHE]
    try:
        try:
            return cache.incr(key, calls)
        except ValueError:
            # The first of its minute, unless another process was first by a moment.
            return calls if cache.add(key, calls, timeout=2 * WINDOW) else cache.incr(key, calls)
    except Exception as error:  # whatever the cache's own driver raises
        _silent_until = time.monotonic() + SILENCE
        logger.warning("fhir.calls_not_counted", extra={"error": type(error).__name__})
        return 0
