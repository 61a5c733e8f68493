"""Who is left inside a dossier that the person closed to everybody, and may note that she goes back on it (SEC-5)."""

from __future__ import annotations

from uuid import UUID

from habilitations.access import users_able_to, users_who_may
from habilitations.models import Habilitation, Opposition
from habilitations.rubriques import Action, Niveau, Rubrique
from habilitations.sharing_errors import LastKeeper


def keepers(dossier_id: UUID) -> set[UUID]:
    """Return the accounts that may withdraw an opposition, each by his own way in. Two SQL statements.

    The state of the dossier is left aside: who may write there may open it again, or ask who may.
    """
    noting = users_who_may(dossier_id, Action.RECORD_REFUSAL, himself=True)
    return noting & users_able_to(dossier_id, Rubrique.CERCLE, Niveau.ECRITURE)


def is_last_keeper(row: Habilitation) -> bool:
    """Say whether this row is that of the only one left inside a dossier closed whole who may note otherwise."""
    closed = Opposition.objects.standing().whole().filter(dossier_id=row.dossier_id)
    return bool(row.user_id) and closed.exists() and keepers(row.dossier_id) == {row.user_id}


def require_another_keeper(row: Habilitation) -> None:
    """Raise LastKeeper when ending this row leaves nobody to withdraw the opposition to the whole dossier.

    What the person says herself (a refusal, a consent taken back) is never held back by it.
    """
    if is_last_keeper(row):
        raise LastKeeper
