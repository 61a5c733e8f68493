"""Where attempts are counted, in the database: one that cannot be counted is not one attempt too many (REL-18).

Django's cache hides the errors of the database: a count that was not written reads as one that somebody else holds,
and a person would be told « trop de tentatives » because a disk is full.
"""

from django.core.cache.backends.db import DatabaseCache
from django.db import OperationalError, connection


class ThrottleCache(DatabaseCache):
    """Django's, which says when the database did not write. Nobody passes uncounted."""

    def _base_set(self, mode, key, value, timeout=None):
        done = super()._base_set(mode, key, value, timeout)
        if not done and connection.errors_occurred:
            raise OperationalError("an attempt could not be counted")
        return done
