"""The other entries of one structure in one dossier: what the person says of one stands for all of them."""

from __future__ import annotations

from django.db.models import QuerySet

from habilitations.access import Access
from habilitations.kin import same_structures
from habilitations.models import Delegate, Habilitation


def other_entries(row: Habilitation) -> QuerySet[Habilitation]:
    """Return, locked, the rows of the dossier for other entries of the directory found to be the same structure."""
    if row.structure_id is None:
        return Habilitation.objects.none()
    rows = Habilitation.objects.select_for_update(of=("self",)).filter(dossier_id=row.dossier_id)
    return rows.filter(structure__in=same_structures(row.structure_id)).exclude(pk=row.pk).order_by("pk")


def is_his_house(row: Habilitation, by, access: Access) -> bool:
    """Say whether a row is that of a structure by which who is here for another, or until a day, would stay inside.

    He acts for it himself: by it he would be inside once he acts for the other no more (SEC-15), or once the last day
    that somebody set him is behind. Who is inside by himself, without an end, has nothing to gain by it.
    """
    if row.structure_id is None or (access.on_behalf_of is None and access.until is None):
        return False
    return Delegate.objects.current().filter(user=by, structure__in=same_structures(row.structure_id)).exists()
