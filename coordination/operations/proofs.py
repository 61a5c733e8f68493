"""The day when somebody restored a backup and found it whole (REL-12, REL-16): a line of the journal of accounts."""

from datetime import datetime

from django.db import transaction

from habilitations.access import may_administer
from habilitations.errors import NotAllowed
from habilitations.models import AccountTrace, Outcome
from habilitations.traces import NOWHERE, Via, record_account

PROVED = "restauration prouvée"


@transaction.atomic
def note_restore(*, by, via: Via = NOWHERE) -> None:
    """Keep that a restore was proved now. `by`: the named administrator who saw it. Raises NotAllowed."""
    if not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
    record_account(user=by, action=PROVED, via=via)


def last_proved_restore() -> datetime | None:
    """Return when a restore was last proved; None for never, or before what the journal keeps. One SQL statement."""
    proofs = AccountTrace.objects.filter(action=PROVED, outcome=Outcome.OK).order_by("-at")
    return proofs.values_list("at", flat=True).first()
