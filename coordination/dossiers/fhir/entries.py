"""Entering the identity of dossiers for a call: once per request and dossier, with one trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from uuid import UUID

from django.db.models import Q

from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.models import Dossier
from coordination.fhir.callers import Caller
from habilitations import access, traces
from habilitations.models import Outcome
from habilitations.rubriques import Niveau, Rubrique
from habilitations.traces import NOWHERE

IDENTITE = Rubrique.IDENTITE
CREATION = "création"


def entered(caller: Caller, dossier_ids: Iterable[UUID], *, looked: bool = False) -> dict[UUID, Entry]:
    """Return the entries of the dossiers whose identity the caller reads, the others absent; each traced once.

    `looked`: beside what this call reads of the same dossiers (their circle), it does not look at them again.
    """
    known = _known(caller)
    asked = list(dict.fromkeys(dossier_ids))
    if new := [id for id in asked if id not in known]:
        via, beside = caller.via or NOWHERE, _looked(caller) if looked else {}
        found = door.enter_many(caller.user, new, IDENTITE, action=caller.reading, via=via, looked=beside)
        known.update({id: found.get(id) for id in new})
    return {id: entry for id in asked if (entry := known[id])}


def enter(caller: Caller, dossier_id: UUID) -> Entry:
    """Enter one identity to read it. Raises DossierUnknown (404), LevelMissing (403)."""
    entry = _known(caller).get(dossier_id)
    if entry is None:
        entry = door.enter(caller.user, dossier_id, IDENTITE, action=caller.reading, via=caller.via or NOWHERE)
        _known(caller)[dossier_id] = entry
    return entry


def enter_to_write(caller: Caller, dossier_id: UUID) -> Entry:
    """Enter one identity to change it, with its trace. Raises DossierUnknown (404), LevelMissing (403).

    The trace waits for who is writing in this dossier: what he closed meanwhile is closed (SECT-7). Should the call
    fail, all is undone and the attempt is traced by itself (SEC-13).
    """
    via = caller.via or NOWHERE
    undone = partial(door.tell_undone, caller.user, dossier_id, IDENTITE, Niveau.ECRITURE, via=via)
    caller.afterwards[IDENTITE, dossier_id] = undone
    door.enter(caller.user, dossier_id, IDENTITE, Niveau.ECRITURE, action=door.WRITE, via=via)
    entry = door.look(caller.user, dossier_id, via=via)
    access.require(entry.access, IDENTITE, Niveau.ECRITURE)
    _known(caller)[dossier_id] = entry
    return entry


def enter_created(caller: Caller, dossier: Dossier) -> None:
    """Leave the first line of the journal of a dossier; it is read as it stands, in the same request."""
    entry = door.enter(caller.user, dossier.pk, None, action=CREATION, via=caller.via or NOWHERE)
    _known(caller)[dossier.pk] = entry if entry.access.can_read(IDENTITE) else None


def changed(caller: Caller, entry: Entry, dossier: Dossier) -> None:
    """Let what is read after a change be the change."""
    _known(caller)[dossier.pk] = replace(entry, dossier=dossier)


def creation_failed(caller: Caller) -> None:
    """Record that somebody tried to open a dossier (SEC-13): there is none whose journal would tell it."""
    traces.record_account(
        user=caller.user, action=CREATION, outcome=Outcome.FAILED, object_kind="dossier", via=caller.via or NOWHERE
    )


def found_by(caller: Caller) -> Q:
    """Return the condition, on dossiers, that the caller may read the identity (rule 7: a search tells no more).

    Nothing closes an identity to who is inside (`ceilings.ALWAYS_READ`).
    """
    return Q(pk__in=access.dossiers_of(caller.user)) if _reads_identities(caller) else Q(pk__in=[])


def way_found(caller: Caller) -> str | None:
    """Return by which ways the same is asked in a statement written once (`access.way_of`), None for nobody's."""
    return access.way_of(caller.user) if _reads_identities(caller) else None


def _reads_identities(caller: Caller) -> bool:
    held = caller.memo.get("held") or caller.memo.setdefault("held", access.held_by(caller.user))
    return held.can_read(IDENTITE)


def _looked(caller: Caller) -> dict[UUID, Entry]:
    rubrics = [kept for key, kept in caller.memo.items() if isinstance(key, tuple) and key[0] == "entered"]
    return {id: entry for kept in rubrics for id, entry in kept.items() if entry}


def _known(caller: Caller) -> dict[UUID, Entry | None]:
    known: dict[UUID, Entry | None] = caller.memo.setdefault(("entered", IDENTITE), {})
    return known
