"""Whose right a line of the journal is about, for a reader who may see the circle."""

from __future__ import annotations

from uuid import UUID

from circle.models import Member
from habilitations.rubriques import Rubrique


def names_of(entry, ids: set[UUID]) -> dict[UUID, str]:
    """Return the names of these members of the dossier, of those the reader may see. One SQL statement."""
    if not entry.access.can_read(Rubrique.CERCLE):
        return {}
    members = Member.objects.shown_to(entry.access).filter(dossier_id=entry.dossier.pk, pk__in=ids).with_names()
    return {member.pk: member.display_name for member in members}
