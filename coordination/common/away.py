"""What is away for a while under a request: the database, its last connection, its disk, the memory (REL-18).

Nothing is wrong with what was asked. It is answered 503, in words, and asked again later: an error 500 would say that
the product is broken, and stop those who call it by program from trying again.
"""

from __future__ import annotations

from typing import Final

from django.db import InterfaceError, OperationalError

# Seconds: a database that was killed is back sooner than this.
RETRY_AFTER: Final = 5
# Classes of SQLSTATE: connection, transaction undone, no room left, not in the right state, stopped by its operator,
# the system itself. What is left of OperationalError is a limit of PostgreSQL that a request meets each time (54).
_PASSING: Final = frozenset({"08", "40", "53", "55", "57", "58"})
_DEEPEST: Final = 8


def is_away(error: BaseException | None) -> bool:
    """Say whether an error, or one that it comes from, is of something that will be back by itself."""
    for _ in range(_DEEPEST):
        if error is None:
            return False
        # A connection that died under the request: whoever used it afterwards is told that it is closed.
        if isinstance(error, MemoryError | InterfaceError) or _is_unsaid(error):
            return True
        if isinstance(error, OperationalError):
            # None: no connection was made, or it was cut without a word.
            state = getattr(error.__cause__, "sqlstate", None)
            return state is None or state[:2] in _PASSING
        error = error.__cause__ or error.__context__
    return False


def _is_unsaid(error: BaseException) -> bool:
    """Say whether the interpreter lost an error on its way: what it does of a refused allocation in deep calls.

    « error return without exception set », « … returned NULL without setting an exception ».
    """
    return isinstance(error, SystemError) and "without" in str(error) and "exception" in str(error)
