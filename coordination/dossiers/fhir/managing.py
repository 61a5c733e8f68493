"""The persons whose circle a structure manages: those of its dossiers that the caller may read (issue 4, export)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from coordination.directory.models import Attachment
from coordination.dossiers import door
from coordination.dossiers.fhir import entries
from coordination.dossiers.models import Dossier
from coordination.fhir.callers import Caller
from coordination.fhir.everything import EXPORT
from habilitations.clients import of_one_house
from habilitations.models import VouchedProfession
from habilitations.rubriques import Rubrique
from habilitations.traces import NOWHERE


def managed(caller: Caller) -> QuerySet[Any]:
    """Return the dossiers whose structure référente is the software's, or of the person who calls; none without one.

    Managing opens nothing: only dossiers whose identity the acting professional reads are there.
    """
    houses = {one for structure in _own(caller) for one in of_one_house(structure)}
    return Dossier.objects.filter(entries.found_by(caller), referent_structure__in=houses)


def enter(caller: Caller, ids: Sequence[UUID]) -> None:
    """Enter whole dossiers, their identity and their circle at once: one trace « export » in each (SEC-9)."""
    found = door.enter_many(caller.user, ids, None, action=EXPORT, via=caller.via or NOWHERE)
    for rubrique in (Rubrique.IDENTITE, Rubrique.CERCLE):
        caller.memo["entered", rubrique] = {
            id: entry if (entry := found.get(id)) and entry.access.can_read(rubrique) else None for id in ids
        }


def _own(caller: Caller) -> set[UUID]:
    if caller.structure_id is not None:
        return {caller.structure_id}
    attached = Attachment.objects.of(caller.user).values_list("structure", flat=True)
    vouched = VouchedProfession.objects.current().filter(user=caller.user).values_list("structure", flat=True)
    return {structure for structure in (*attached, *vouched) if structure}
