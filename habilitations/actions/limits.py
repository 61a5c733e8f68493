"""« Réduire pour ce dossier » and the last day of a grant: what one member may do at most, and until when (rule 2)."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from habilitations import acting, catalog
from habilitations.access import Access
from habilitations.actions.members import locked
from habilitations.actions.twins import is_his_house
from habilitations.errors import GrantNotAllowed, LastDayBehind, OwnHabilitation
from habilitations.models import Ceiling, Habilitation
from habilitations.rubriques import Action, Niveau, Rubrique

# Each « Prolonger » adds as many days to a grant, from its last day or from today.
EXTENSION = dt.timedelta(days=90)


class Changed(NamedTuple):
    """What `set_limits` changed: {rubric: (ceiling before, after)}, None for none; the last days if they moved."""

    ceilings: dict[Rubrique, tuple[Niveau | None, Niveau | None]]
    until: tuple[dt.date | None, dt.date | None] | None


def standing(habilitation: Habilitation) -> dict[Rubrique, Niveau]:
    """Return the ceilings that stand on a row. One SQL statement."""
    lines = Ceiling.objects.standing().filter(dossier_id=habilitation.dossier_id, habilitation=habilitation)
    of_code = catalog.last().rubric_of
    return {of_code(rubrique): Niveau(niveau) for rubrique, niveau in lines.values_list("rubrique", "niveau")}


def read_as(ceilings: Mapping[Rubrique, Niveau], until: dt.date | None) -> str:
    """Return the mark of these limits, which a form sends back: it is another one as soon as one of them changes."""
    said = sorted(f"{rubrique}={int(niveau)}" for rubrique, niveau in ceilings.items())
    return hashlib.sha256(" ".join([*said, str(until)]).encode()).hexdigest()[:16]


def opens(habilitation: Habilitation, ceilings: Mapping[Rubrique, Niveau], until: dt.date | None) -> bool:
    """Say whether these limits would give back something that those of today withhold."""
    now = standing(habilitation)
    raised = any(ceilings.get(rubrique, Niveau.ECRITURE) > niveau for rubrique, niveau in now.items())
    return raised or (until or dt.date.max) > (habilitation.access_until or dt.date.max)


@transaction.atomic
def set_limits(
    habilitation: Habilitation,
    *,
    by,
    access: Access,
    ceilings: Mapping[Rubrique, Niveau],
    until: dt.date | None,
    member_structure_id: UUID | None = None,
) -> Changed:
    """Set the ceilings of a member and the last day of his grant to exactly these. Returns what changed.

    A rubric left out, or at « lire et écrire », has no ceiling. Raises OwnHabilitation, GrantNotAllowed (action right
    "habiliter"), LastDayBehind (a day gone by, unless it is the one already noted), MembershipEnded.
    """
    row = locked(habilitation)
    if acting.is_way_in(access, row, by) or is_his_house(row, by, access):
        raise OwnHabilitation
    if not access.may(Action.GRANT, structure_id=member_structure_id):
        raise GrantNotAllowed
    if until != row.access_until and until is not None and until < timezone.localdate():
        raise LastDayBehind
    wanted = {rubrique: niveau for rubrique, niveau in ceilings.items() if niveau < Niveau.ECRITURE}
    before = standing(row)
    changed = {
        rubrique: (before.get(rubrique), wanted.get(rubrique))
        # What stands on a rubric withdrawn stays until it is back.
        for rubrique in access.matrix.rubrics
        if before.get(rubrique) != wanted.get(rubrique)
    }
    _lift(row, [rubrique for rubrique, (was, _) in changed.items() if was is not None], by=by)
    for rubrique, (_, niveau) in changed.items():
        if niveau is not None:
            Ceiling.objects.create(
                dossier_id=row.dossier_id, habilitation=row, rubrique=rubrique, niveau=niveau, set_by=by
            )
    moved = (row.access_until, until) if until != row.access_until else None
    if moved:
        row.access_until = until
        row.save(update_fields=["access_until"])
    return Changed(changed, moved)


def lift(habilitation: Habilitation, rubrique: str, *, by) -> None:
    """Lift the ceiling of one rubric. The caller has checked who asks."""
    _lift(locked(habilitation), [rubrique], by=by)


def _lift(row: Habilitation, rubriques: list, *, by) -> None:
    found = Ceiling.objects.standing().filter(dossier_id=row.dossier_id, habilitation=row, rubrique__in=rubriques)
    found.update(lifted_at=timezone.now(), lifted_by=by)
