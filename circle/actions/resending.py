"""Which member a form already made: sent twice it makes one, with other answers it is refused (REL-7)."""

from __future__ import annotations

from uuid import UUID

from circle import roles
from circle.actions.answering import NON, OUI, REFUS
from circle.models import Member
from coordination.common.resending import other_answers, require_same
from habilitations.models import Habilitation


def made_by(
    entry, creation_key: UUID, said: dict, *, role: str = "", wanted: str = NON, refusal: dict | None = None
) -> Member | None:
    """Return the member this form already made: a double click, a lost answer. None for a first sending.

    `said`: the columns it asks; with the role and the answer, what he must be. Raises AlreadySent.
    """
    mine = Member.objects.filter(dossier_id=entry.dossier.pk, creation_key=creation_key)
    made = mine.select_related("professional", "activity", "structure", "habilitation").first()
    if made is None:
        return None
    require_same(made, **said)
    code = roles.canonical(role)
    if code and not made.roles.filter(role=code).exists() or not _is_answered(made.habilitation, wanted, refusal):
        raise other_answers(made)
    return made


def _is_answered(row: Habilitation, wanted: str, refusal: dict | None) -> bool:
    """Say whether a member has the answer that the form that made him gives: access, asked for, refused, or none."""
    if wanted == REFUS:
        dated = {name: refusal[name] for name in ("refused_on", "collected")} if refusal else {}
        return row.state == Habilitation.State.REFUS and row.refusals.filter(withdrawn_at=None, **dated).exists()
    is_open = row.state in (Habilitation.State.OUI, Habilitation.State.ATTENTE) or row.requested_at is not None
    return is_open == (wanted == OUI)
