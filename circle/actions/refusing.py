"""The person's refusal, recorded in whatever state the dossier is: it closes an access, and writes nothing else."""

from __future__ import annotations

from django.db import transaction

from circle.actions.answering import REFUS, answer
from circle.actions.common import locked_member
from circle.models import Member
from coordination.dossiers.models import Dossier
from habilitations.errors import NotAllowed


@transaction.atomic
def record_refusal(entry, member, *, refusal: dict) -> Member:
    """Record the person's refusal that a member be told anything; his access is closed in the same transaction.

    `refusal` {"refused_on", "collected", "comment"}. Unlike every other act of the circle it is done in a closed or
    paused dossier too, where everybody still reads (SEC-5; docs/decisions/2026-11-28-refusal-when-closed.md).
    Raises NotAllowed, MemberUnknown, NotPresent, AlreadyRefused, and the errors of dates.
    """
    if not entry.access.may_record_refusal:
        raise NotAllowed
    # The lock of `lock_circle`, without what it asks of the state of the dossier.
    Dossier.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=entry.dossier.pk)
    member = locked_member(entry, member)
    answer(entry, member, REFUS, refusal=refusal)
    return member
