"""A write that met another one: PostgreSQL undoes one of the two, and that one is done again."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from django.db import OperationalError, transaction

from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Busy, VersionConflict

MOST: Final = 3
# Class 40 of SQLSTATE, what PostgreSQL says of two transactions that cannot both go on.
_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED = "40001", "40P01"


class Again(Exception):
    """A write done in haste met a refusal that it cannot tell as it should."""


def quick_or_plain(caller: Caller, quick: Callable[[], Answer], plain: Callable[[], Answer]) -> Answer:
    """Do a write the quick way; where that raises Again, undo it and do it the plain way, as if nothing had been.

    Raises as `attempt`.
    """
    memo, afterwards = _copied(caller.memo), dict(caller.afterwards)
    try:
        return attempt(caller, quick)
    except Again:
        _forget(caller, memo)
        caller.afterwards.clear()
        caller.afterwards.update(afterwards)
    return attempt(caller, plain)


def attempt(caller: Caller, write: Callable[[], Answer], *, reads_again: bool = False) -> Answer:
    """Do a write in one transaction, all of it or nothing, and return what it answers.

    Undone because it met another one, it is done again after a short pause, `MOST` times in all. What the call has
    decided and traced meanwhile was undone with it, and is forgotten. `reads_again`: one that reads itself what it
    changes, and that another overtook in between, is done again too. Raises Busy (503) after the last, or
    VersionConflict.
    """
    before = _copied(caller.memo)
    for number in range(MOST):
        if number:
            # Not at the same moment as the other one.
            time.sleep(secrets.randbelow(100) / 1000 * number)
            _forget(caller, before)
        try:
            with transaction.atomic():
                return write()
        except VersionConflict:
            if not reads_again or number == MOST - 1:
                raise
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in (_SERIALIZATION_FAILURE, _DEADLOCK_DETECTED):
                raise
    raise Busy


def _forget(caller: Caller, before: dict[Any, Any]) -> None:
    """Forget what was decided and traced since then: it was undone."""
    caller.memo.clear()
    caller.memo.update(_copied(before))


def _copied(memo: dict[Any, Any]) -> dict[Any, Any]:
    return {key: dict(value) if isinstance(value, dict) else value for key, value in memo.items()}
