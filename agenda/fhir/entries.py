"""Entering the agenda of dossiers for a call: each once per request, with one trace (GAP-68)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db.models import Q

from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.errors import DossierUnknown
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Unknown
from habilitations import access
from habilitations.rubriques import Niveau, Rubrique
from habilitations.traces import NOWHERE

AGENDA = Rubrique.AGENDA


def entered(caller: Caller, dossier_ids: Iterable[UUID]) -> dict[UUID, Entry]:
    """Return the entries of the dossiers whose agenda the caller reads, the others absent; each traced once."""
    known: dict[UUID, Entry | None] = caller.memo.setdefault(("entered", AGENDA), {})
    asked = set(dossier_ids)
    if new := asked - known.keys():
        found = door.enter_many(caller.user, new, AGENDA, action=caller.reading, via=caller.via or NOWHERE)
        known.update({id: found.get(id) for id in new})
    return {id: entry for id in asked if (entry := known[id])}


def enter(caller: Caller, dossier_id: UUID) -> Entry:
    """Enter one agenda to read it. Raises Unknown (404), LevelMissing (403)."""
    known: dict[UUID, Entry | None] = caller.memo.setdefault(("entered", AGENDA), {})
    entry = known.get(dossier_id)
    if entry is None:
        try:
            entry = door.enter(caller.user, dossier_id, AGENDA, action=caller.reading, via=caller.via or NOWHERE)
        except DossierUnknown:
            raise Unknown from None
        known[dossier_id] = entry
    return entry


def enter_to_write(caller: Caller, dossier_id: UUID) -> Entry:
    """Enter one agenda to change it, with its trace. Raises Unknown, LevelMissing.

    As for a circle: should the call fail, all is undone and the attempt is traced by itself (SEC-13).
    """
    via = caller.via or NOWHERE
    undone = partial(door.tell_undone, caller.user, dossier_id, AGENDA, Niveau.ECRITURE, via=via)
    caller.afterwards[AGENDA, dossier_id] = undone
    try:
        door.enter(caller.user, dossier_id, AGENDA, Niveau.ECRITURE, action=door.WRITE, via=via)
        entry = door.look(caller.user, dossier_id, via=via)
    except DossierUnknown:
        raise Unknown from None
    access.require(entry.access, AGENDA, Niveau.ECRITURE)
    caller.memo.setdefault(("entered", AGENDA), {})[dossier_id] = entry
    return entry


def persons_of(caller: Caller) -> Q:
    """Return the condition, on agendas of a person, that the caller may read hers."""
    held = caller.memo.get("held") or caller.memo.setdefault("held", access.held_by(caller.user))
    if not held.can_read(AGENDA):
        return Q(pk__in=[])
    closed = Q(person__in=access.dossiers_closed_to(caller.user, AGENDA))
    return Q(person__in=access.dossiers_of(caller.user)) & ~closed
