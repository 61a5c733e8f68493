"""What an answer made for minutes (an export) asks of the process that makes it."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# How this process says that it works and is not stuck; set by who watches over it (deploy/gunicorn.conf.py).
_says_so: list[Callable[[], object]] = []


def watched(says_so: Callable[[], object]) -> None:
    """Give what tells the server that this process is at work."""
    _says_so[:] = [says_so]


def tell_alive() -> None:
    """Say that the answer goes on: a process silent for a minute is taken for stuck, and ended."""
    for say in _says_so:
        say()


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave the collector of cycles aside while something bounded is put together.

    It would walk again and again through hundreds of thousands of objects that are all still needed: two fifths of
    the time of an export. What is no longer named is freed as ever.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
