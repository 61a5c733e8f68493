"""The gate of a restored installation: while it stands nothing leaves, and a named person opens it (REL-13).

A backup says what was to be sent at its moment, not what has left since. `stands` is asked where everything leaves:
`attempts.count` (mails, jobs, relays), `coordination.partners.wire` (each call to another server), the tasks of the
clock (`coordination/celery.py`). Rooms register what they keep that a restored installation must not honour, and what
their clocks owe. The acts are in habilitations/actions/quarantine.py; why so: docs/decisions/2026-11-29-quarantine.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import NamedTuple
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from coordination.common.prepared import Prepared
from coordination.outbox.models import Job, Message, Quarantine, State

WHY = "Retenu à la levée de la quarantaine : il est peut-être déjà parti avant la restauration."


class Waiting(NamedTuple):
    """One row that waits: `since_backup` tells that it was queued after the restoration, hence never left."""

    queue: str
    id: UUID
    kind: str
    created_at: dt.datetime
    since_backup: bool


class Queue(NamedTuple):
    """Rows that wait to leave: `rows()` have `id`, `kind` and `created_at`; `hold(ids)` keeps some for good."""

    label: str
    rows: Callable[[], QuerySet]
    hold: Callable[[list[UUID]], int]


# Asked twice for each thing that leaves: through the ORM, it took a tenth of a job's time.
_standing = Prepared(lambda: Quarantine.objects.standing().order_by().values_list("pk")[:1], one_plan=True)


def stands() -> bool:
    """Whether nothing may leave. One SQL statement on a table of a few rows."""
    return bool(_standing.tuples())


def last_opened_at() -> dt.datetime | None:
    """When this installation was last put back from a backup, released since or not."""
    return Quarantine.objects.order_by("-opened_at").values_list("opened_at", flat=True).first()


_queues: list[Queue] = []
_void: list[Callable[[], int]] = []
_clocks: list[Callable[[], object]] = []


def register_queue(queue: Queue) -> None:
    """Have the person who releases choose among these rows too."""
    _add(_queues, queue)


def register_void(function: Callable[[], int]) -> None:
    """Have `function` end the secrets that a room gave out; it returns how many."""
    _add(_void, function)


def register_clocks(*functions: Callable[[], object]) -> None:
    """Have these run once, behind the gate: what they write may have been written and sent after the backup."""
    for function in functions:
        _add(_clocks, function)


def _add(registered: list, one: object) -> None:
    if one not in registered:
        registered.append(one)


def end_secrets() -> int:
    """End what every room registered; return how many."""
    return sum(function() for function in list(_void))


def run_clocks() -> None:
    """Have each clock write what it owes at this moment."""
    for function in list(_clocks):
        function()


def waiting(quarantine: Quarantine) -> list[Waiting]:
    """Return what waits to leave, in the order it was queued. One SQL statement per queue."""
    found = [
        Waiting(queue.label, row.pk, row.kind, row.created_at, row.created_at > quarantine.opened_at)
        for queue in _queues
        for row in queue.rows().only("pk", "kind", "created_at").order_by("created_at", "pk")
    ]
    return sorted(found, key=lambda one: one.created_at)


def hold(kept: Iterable[Waiting]) -> int:
    """Keep these rows for good, each in its queue; return how many."""
    by_label: dict[str, list[UUID]] = {}
    for one in kept:
        by_label.setdefault(one.queue, []).append(one.id)
    return sum(queue.hold(by_label[queue.label]) for queue in _queues if queue.label in by_label)


def _hold_messages(ids: list[UUID]) -> int:
    kept = Message.objects.waiting().filter(pk__in=ids)
    # As once sent: what signs somebody in is not left in the row.
    kept.filter(sensitive=True).update(text="", html="")
    return kept.update(state=State.RETENU, last_error=WHY)


def _hold_jobs(ids: list[UUID]) -> int:
    now = timezone.now()
    # Settled too: « Reprendre tout » would do it again with the failures that somebody mended.
    return Job.objects.waiting().filter(pk__in=ids).update(given_up_at=now, dismissed_at=now, last_error=WHY)


register_queue(Queue("courriel", lambda: Message.objects.waiting(), _hold_messages))
register_queue(Queue("travail", lambda: Job.objects.waiting(), _hold_jobs))
