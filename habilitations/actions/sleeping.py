"""A grant that nobody uses, told to its holder and then closed by the application, for nobody asked (issue 3 §2).

The rule is in `circle.actions.sleeping`, which knows the dossier and the member.
"""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from habilitations.actions.members import NON, move
from habilitations.models import Habilitation, SleepingAccess


def announce_closing(row: Habilitation, *, closes_on: dt.date) -> SleepingAccess:
    """Write that the holder of a grant is told that it closes on a day. Inside the caller's transaction and locks."""
    return SleepingAccess.objects.create(dossier_id=row.dossier_id, habilitation=row, closes_on=closes_on)


def spare(notice: SleepingAccess) -> None:
    """Write that the grant was used, kept or changed meanwhile: it may be announced again one day."""
    notice.spared_at = timezone.now()
    notice.save(update_fields=["spared_at"])


def close_unused(notice: SleepingAccess, row: Habilitation) -> Habilitation:
    """Close a grant as « non » on its sheet does, by nobody. Inside the caller's transaction and locks."""
    close_by_nobody(row)
    # The same moment: what somebody decides of this grant afterwards is seen by it (`SleepingAccessQuerySet.closed`).
    notice.closed_at = row.state_at
    notice.save(update_fields=["closed_at"])
    return row


def close_by_nobody(row: Habilitation) -> None:
    """Close a grant as « non » on its sheet does, when nobody does it. Inside the caller's transaction and locks."""
    row.requested_at = row.requested_by = row.access_until = None
    row.save(update_fields=["access_until"])
    move(row, NON, by=None)


def note_restored(closed: SleepingAccess, *, by) -> None:
    """Write that an access closed by the application was opened again, by whom."""
    closed.restored_at, closed.restored_by = timezone.now(), by
    closed.save(update_fields=["restored_at", "restored_by"])
