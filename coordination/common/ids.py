"""Primary keys made in the application (quality goals, schema truths: UUIDv7 everywhere)."""

from uuid import UUID

from uuid_utils.compat import uuid7 as _uuid7


def uuid7() -> UUID:
    """Return a new time-ordered UUIDv7, as the standard library's `uuid.UUID`.

    It has a module path of its own so that migrations can name it as a field default.
    """
    return _uuid7()
