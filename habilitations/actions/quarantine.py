"""A restored installation: what it must not honour any more, and the person who lets it speak again (REL-13).

Why: docs/decisions/2026-11-29-quarantine.md. The gate itself is coordination/outbox/quarantine.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from coordination.accounts.models import Session
from coordination.outbox import quarantine as gate
from coordination.outbox.models import Quarantine
from habilitations.access import require_administrator
from habilitations.actions.clients import revoke_client
from habilitations.models import ClientToken, PersonalToken, SoftwareClient
from habilitations.quarantine_errors import NoQuarantine, NotWaiting, QuarantineNotPrepared
from habilitations.traces import NOWHERE, Via, record_account

INSTALLATION = "installation"


class Released(NamedTuple):
    """How many rows leave after all, how many are kept for good, how many softwares were cut off."""

    leaving: int
    held: int
    revoked: int


@transaction.atomic
def close_secrets(*, backup_at: dt.datetime) -> Quarantine:
    """Put this installation in quarantine, or go on with what a restoration began; return its row, not yet prepared.

    `backup_at`: the moment the data come from (aware). Sessions, access tokens, personal tokens, the addresses of
    agendas and recovery codes end: one that was ended, or had served, after the backup would serve again. Who has no
    codes left is told so when he signs in. By itself: whatever stops the preparation after it, they have ended. Done
    again, it does so again.
    """
    row = Quarantine.objects.standing().select_for_update(of=("self",)).first() or Quarantine(backup_at=backup_at)
    row.backup_at, row.prepared_at = backup_at, None
    row.save()
    now = timezone.now()
    ended = Session.objects.all().delete()[0] + ClientToken.objects.all().delete()[0]
    ended += PersonalToken.objects.filter(revoked_at=None).update(revoked_at=now)
    ended += Authenticator.objects.filter(type=Authenticator.Type.RECOVERY_CODES).delete()[0]
    ended += gate.end_secrets()
    record_account(user=None, action="quarantaine", object_kind=INSTALLATION, object_id=row.pk, count=ended)
    return row


@transaction.atomic
def prepare_quarantine() -> Quarantine:
    """Write what the clocks owe at this moment, behind the gate; return the row, which may then be released.

    They may have written and sent it after the backup. Follows `close_secrets`. Raises NoQuarantine.
    """
    row = Quarantine.objects.standing().select_for_update(of=("self",)).first()
    if row is None:
        raise NoQuarantine
    gate.run_clocks()
    # By the clock that says when each row was asked.
    row.opened_at = row.prepared_at = Now()
    row.save(update_fields=["opened_at", "prepared_at"])
    row.refresh_from_db(fields=["opened_at", "prepared_at"])
    return row


@transaction.atomic
def release_quarantine(
    *,
    by,
    keep_software: bool,
    send: Collection[UUID] = (),
    hold: Collection[UUID] = (),
    via: Via = NOWHERE,
) -> Released:
    """Let the installation speak again. `by`: a named administrator, written in the journal of accounts.

    Of what waits, what was in the backup is kept for good, but the rows of `send`; what was queued since leaves, but
    the rows of `hold`. Without `keep_software` every connected software is revoked: one that was revoked, or given
    another secret, after the backup would be let in again.
    Raises NotAllowed, NoQuarantine, QuarantineNotPrepared, NotWaiting for an id of `send` or `hold` that is not.
    """
    require_administrator(by)
    row = Quarantine.objects.standing().select_for_update(of=("self",)).first()
    if row is None:
        raise NoQuarantine
    if row.prepared_at is None:
        raise QuarantineNotPrepared
    waiting = gate.waiting(row)
    known = {one.id for one in waiting}
    for asked in (*send, *hold):
        if asked not in known:
            raise NotWaiting(id=asked)
    kept = [one for one in waiting if one.id in hold or not (one.since_backup or one.id in send)]
    held = gate.hold(kept)
    revoked = 0 if keep_software else _revoke_software(by, via)
    row.released_at, row.released_by_id = timezone.now(), by.pk
    row.save(update_fields=["released_at", "released_by_id"])
    record_account(
        user=by, action="fin de quarantaine", object_kind=INSTALLATION, object_id=row.pk, count=held, via=via
    )
    return Released(len(waiting) - len(kept), held, revoked)


def _revoke_software(by, via: Via) -> int:
    connected = list(SoftwareClient.objects.connected().order_by("pk"))
    for client in connected:
        revoke_client(client, by=by, via=via)
    return len(connected)
