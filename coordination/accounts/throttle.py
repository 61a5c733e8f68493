"""Where attempts are counted, in the database: one that cannot be counted is not one attempt too many (REL-18).

Django's cache hides the errors of the database: a count that was not written reads as one that somebody else holds,
and a person would be told « trop de tentatives » because a disk is full. So would the next one, because the lock of
that count could not be taken away.
"""

import time
from typing import Final

from allauth.core.internal.ratelimit import CACHE_LOCK_MAX_RETRY_INTERVAL, CACHE_LOCK_WAIT_TIMEOUT
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connection

# What allauth holds while it counts (`cache_lock`), as a key of its own.
_LOCK: Final = ":lock"


class ThrottleCache(DatabaseCache):
    """Django's, which says when the database did not write. Nobody passes uncounted."""

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        """As Django's; a lock is waited for here, as long as allauth would.

        Raises OperationalError for one that is still held then: whoever held it died of what would not let it go, and
        who comes next has not tried too often.
        """
        until = time.monotonic() + CACHE_LOCK_WAIT_TIMEOUT
        while not (done := super().add(key, value, timeout, version)) and key.endswith(_LOCK):
            if time.monotonic() > until:
                raise OperationalError("an attempt could not be counted: its lock is held")
            time.sleep(CACHE_LOCK_MAX_RETRY_INTERVAL / 4)
        return done

    def _base_set(self, mode, key, value, timeout=None):
        done = super()._base_set(mode, key, value, timeout)
        if not done and connection.errors_occurred:
            raise OperationalError("an attempt could not be counted")
        return done
