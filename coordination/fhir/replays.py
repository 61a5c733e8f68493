"""The same call sent twice makes one thing (REL-7): a client that lost the answer asks again with the same key."""

from __future__ import annotations

import datetime as dt
import hashlib
from uuid import UUID, uuid5

from django.conf import settings
from django.utils import timezone

from coordination.common.ids import uuid7
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.models import Replay
from coordination.fhir.outcomes import Invalid, Unreadable

_NAMES = UUID("6f1d3f0e-5f5c-4d6e-9b37-0c8f0c1b7a51")
LONGEST_KEY = 128


def begun(caller: Caller, key: str, asked: bytes) -> Replay | Answer | None:
    """Return the answer already given to this call, or the row that will keep it; None for a call without key.

    Two calls at the same time: the second waits for the first, in its own transaction. `asked` is all that was asked.
    Raises Invalid for a key already used for something else, Unreadable for one that cannot be a key.
    """
    if not key:
        return None
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise Unreadable(f"Idempotency-Key compte au plus {LONGEST_KEY} caractères lisibles.")
    # The same software acting for somebody else is not making the same call again.
    digest = hashlib.sha256(f"{caller.user.pk} ".encode() + asked).hexdigest()
    fresh = Replay(owner=caller.owner, key=key, digest=digest)
    Replay.objects.bulk_create([fresh], ignore_conflicts=True)
    row = Replay.objects.get(owner=caller.owner, key=key)
    if row.pk == fresh.pk:
        return row
    if row.digest != digest:
        raise Invalid("Cette clé (Idempotency-Key) a déjà servi pour une autre demande.")
    headers = {"Location": row.location} if row.location else {}
    return Answer(row.status or 200, row.body, headers)


def done(row: Replay, answer: Answer, *, body: bool) -> None:
    """Keep what was answered: where it is, and what a transaction made without the resources themselves."""
    row.status, row.location = answer.status, answer.headers.get("Location", "")
    if body and answer.resource:
        entries = [{k: v for k, v in one.items() if k != "resource"} for one in answer.resource.get("entry", [])]
        row.body = answer.resource | {"entry": entries}
    row.save(update_fields=["status", "location", "body"])


def key_of(caller: Caller, key: str, part: str = "") -> UUID:
    """Return the key that names a creation to the actions: the same for the same call, else a new one."""
    return uuid5(_NAMES, f"{caller.owner} {caller.user.pk} {key} {part}") if key else uuid7()


def purge() -> int:
    """Forget the answers that nobody asks for again (RETENTION_DAYS); return how many."""
    kept_for = dt.timedelta(days=settings.RETENTION_DAYS["replays"])
    return Replay.objects.filter(at__lt=timezone.now() - kept_for).delete()[0]
