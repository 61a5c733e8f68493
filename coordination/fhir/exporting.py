"""The circles a structure manages, one resource a line, written as they are read (NDJSON).

Memory does not grow with the number of circles: persons are read by batches, in the order of their ids, and what was
already written of the directory (the same doctor is in many circles) is remembered for a while only; a resource may
come again, which a reader of NDJSON takes as the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from uuid import UUID

from cachetools import LRUCache

from coordination.common import long_answers
from coordination.fhir import everything, formats, registry
from coordination.fhir.callers import Caller
from coordination.fhir.registry import Provider

BATCH: Final = 500
# Which persons are managed is asked of all of them: seldom, for it would be asked as many times as they are batches.
# Two megabytes of ids.
NAMED: Final = 20_000
# Names of resources remembered: some megabytes.
REMEMBERED: Final = 50_000


def lines(caller: Caller) -> Iterator[bytes]:
    """Yield the export, some whole lines at a time. A constant number of SQL statements for a batch.

    Rights are asked batch after batch: what is closed while the export runs is not in what is left (SECT-7).
    """
    patients = registry.for_type("Patient")[0]
    written: LRUCache[tuple[str, str], bool] = LRUCache(maxsize=REMEMBERED)
    for ids in _batches(caller):
        with long_answers.without_collector():
            some = b"".join(_batch(_afresh(caller), patients, ids, written))
        long_answers.tell_alive()
        if some:
            yield some


def _batches(caller: Caller) -> Iterator[list[UUID]]:
    after: UUID | None = None
    while ids := _next(caller, after):
        yield from (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
        after = ids[-1]


def _afresh(caller: Caller) -> Caller:
    """Return the caller without what was decided and traced of the former batch."""
    return replace(caller, memo={key: kept for key, kept in caller.memo.items() if isinstance(key, str)})


def _next(caller: Caller, after: UUID | None) -> list[UUID]:
    rows = registry.managed(caller).order_by("pk")
    if after is not None:
        rows = rows.filter(pk__gt=after)
    return list(rows.values_list("pk", flat=True)[:NAMED])


def _batch(
    caller: Caller, patients: Provider, ids: list[UUID], written: LRUCache[tuple[str, str], bool]
) -> Iterator[bytes]:
    registry.enter_managed(caller, ids)
    found = patients.load(caller, ids)
    for resource in (*found.values(), *everything.resources(caller, list(found))):
        name = resource["resourceType"], resource["id"]
        if name not in written:
            written[name] = True
            yield formats.write_json(resource) + b"\n"
