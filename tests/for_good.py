"""Rows written for good, for those who act at once from connections of their own; the database is emptied after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from coordination.outbox import doorbell
from habilitations import published


@contextmanager
def scribe(django_db_blocker) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Give what calls a function in a thread whose connection writes for good: those who act at once see its rows."""
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as thread:
        # What follows the commit is another matter, and letters would be sent in place.
        patch.setattr(doorbell, "ring", lambda what, key: True)

        def call(act):
            return thread.submit(act).result()

        try:
            yield call
        finally:
            call(lambda: call_command("flush", verbosity=0, interactive=False))
            call(lambda: connection.close())
            published.forget()
