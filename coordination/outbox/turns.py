"""Whoever was rung for one row goes on with those that are due: a ring costs more than most of the work (SCALE-12).

Mails and jobs of ours, and not what asks partners: there, one that hangs would hold the others.
"""

import time
from collections.abc import Callable
from typing import Any

from coordination.common import away
from coordination.outbox import doorbell

# Seconds; then the other tasks of this worker have their turn, the sweep among them.
TURN = 2.0


def go_on(what: str, rows: Callable[[], Any], do_next: Callable[[], bool]) -> None:
    """Do what is due until nothing is, or until the turn is over: then ring for what is left.

    Over too for who was refused memory, and whose place another takes.
    `what` is what the doorbell calls these rows, `do_next` does the first of them and says whether there was one.
    Source: SCALE-12; docs/decisions/2026-12-01-a-ring-for-many.md.
    """
    until = time.monotonic() + TURN
    while do_next():
        if time.monotonic() > until or away.is_worn():
            left = rows().in_turn().values_list("pk", flat=True).first()
            if left is not None:
                doorbell.ring(what, left)
            return
