"""The other entries of one structure in one dossier: what the person says of one stands for all of them."""

from __future__ import annotations

from django.db.models import QuerySet

from habilitations.kin import same_structures
from habilitations.models import Habilitation


def other_entries(row: Habilitation) -> QuerySet[Habilitation]:
    """Return, locked, the rows of the dossier for other entries of the directory found to be the same structure."""
    if row.structure_id is None:
        return Habilitation.objects.none()
    rows = Habilitation.objects.select_for_update(of=("self",)).filter(dossier_id=row.dossier_id)
    return rows.filter(structure__in=same_structures(row.structure_id)).exclude(pk=row.pk).order_by("pk")
