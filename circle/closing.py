"""What closing a dossier does to its circle, in names, for the page of its state (SEC-4).

Three SQL statements, four once closed.
"""

from __future__ import annotations

from circle import ledger
from coordination.common.addresses import address
from coordination.dossiers.closing import Effect
from coordination.dossiers.models import Dossier
from habilitations.actions.closing import who_keeps
from habilitations.models import Consent, Habilitation

_GRANTED = (Habilitation.State.OUI, Habilitation.State.ATTENTE)


def effect(entry) -> Effect:
    """Return who loses the access, who goes on reading, and who waits for a new fact, as this reader may know."""
    members = ledger.members_of(entry)
    if not members:
        return Effect()
    current = Consent.objects.current().filter(dossier_id=entry.dossier.pk)
    standing = Consent.objects.standing().filter(dossier_id=entry.dossier.pk)
    carried = set(standing.values_list("habilitation_id", flat=True))
    kept = set(standing.filter(who_keeps(entry.dossier.pk, entry.access)).values_list("habilitation_id", flat=True))
    granted = sorted(
        (member.display_name, row_id) for row_id, member in members.items()
        if member.habilitation.ended_at is None and member.habilitation.state in _GRANTED
    )  # fmt: skip
    return Effect(
        loses=tuple(name for name, row_id in granted if row_id in carried - kept),
        keeps=tuple(name for name, row_id in granted if row_id in carried & kept),
        waits=tuple(name for name, row_id in granted if row_id not in carried),
        url=f"{address('circle:consents', entry.dossier.pk)}?afficher={ledger.MISSING}"
        if entry.access.may_record_refusal
        else "",
        is_over=entry.dossier.status == Dossier.Status.CLOS and current.filter(end=Consent.End.CARE_OVER).exists(),
    )
