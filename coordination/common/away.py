"""What is away for a while under a request: the database, its last connection, its disk, the memory (REL-18).

Nothing is wrong with what was asked. It is answered 503, in words, and asked again later: an error 500 would say that
the product is broken, and stop those who call it by program from trying again.
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from typing import Final

from django.db import InterfaceError, OperationalError

# Seconds: a database that was killed is back sooner than this.
RETRY_AFTER: Final = 5
# Classes of SQLSTATE: connection, transaction undone, no room left, not in the right state, stopped by its operator,
# the system itself. What is left of OperationalError is a limit of PostgreSQL that a request meets each time (54).
_PASSING: Final = frozenset({"08", "40", "53", "55", "57", "58"})
_DEEPEST: Final = 8


# Set once and for the life of the process: what memory was refused to.
_worn: Final = threading.Event()


def is_away(error: BaseException | None) -> bool:
    """Say whether an error, or one that it comes from, is of something that will be back by itself."""
    for one in _chain(error):
        # A connection that died under the request: whoever used it afterwards is told that it is closed.
        if isinstance(one, InterfaceError) or _is_of_memory(one):
            return True
        if isinstance(one, OperationalError):
            # None: no connection was made, or it was cut without a word.
            state = getattr(one.__cause__, "sqlstate", None)
            return state is None or state[:2] in _PASSING
    return False


def note(error: BaseException | None) -> None:
    """Remember that this process was refused memory, if that is what an error comes from.

    Who swallowed the refusal on its way left things half done: a module half loaded answers wrong for ever. So the
    process ends what it is at, and another takes its place (deploy/gunicorn.conf.py).
    """
    if any(map(_is_of_memory, _chain(error))):
        _worn.set()


def is_worn() -> bool:
    """Say whether this process was refused memory once, and is to be replaced."""
    return _worn.is_set()


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(_DEEPEST):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _is_of_memory(error: BaseException) -> bool:
    """Say whether an error is a refusal of memory, by its name or under another."""
    match error:
        case MemoryError():
            return True
        case OSError():
            return error.errno == errno.ENOMEM
        case ModuleNotFoundError() | SyntaxError():
            return False
        case ImportError():
            # A library that the system could not map. A name that a file of Python has not is a mistake of ours.
            return (error.path or "").endswith(".so")
        case SystemError():
            # What the interpreter does of a refused allocation in deep calls: « error return without exception set »,
            # « … returned NULL without setting an exception ».
            return "without" in str(error) and "exception" in str(error)
    return _is_of_the_loader(error)


def _is_of_the_loader(error: BaseException) -> bool:
    """Say whether it is the interpreter's own loader of modules that went wrong: nothing of ours can be."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    return last is not None and last.tb_frame.f_code.co_filename.startswith("<frozen importlib")
