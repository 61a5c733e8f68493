"""Entering dossiers for a call: each rubric of a dossier once per request, with one trace."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from circle.models import Member
from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.errors import DossierUnknown
from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Unknown
from habilitations import access
from habilitations.access import Access
from habilitations.acting_levels import held_for
from habilitations.models import ActingFor
from habilitations.rubriques import Niveau, Rubrique
from habilitations.traces import NOWHERE

CERCLE = Rubrique.CERCLE


@contextmanager
def _outside() -> Iterator[None]:
    """A dossier that is not his, and a resource that does not exist, are told in the same words."""
    try:
        yield
    except DossierUnknown:
        raise Unknown from None


def entered(caller: Caller, dossier_ids: Iterable[UUID]) -> dict[UUID, Entry]:
    """Return the entries of the dossiers whose circle the caller reads, the others absent; each traced once."""
    known: dict[UUID, Entry | None] = caller.memo.setdefault(("entered", CERCLE), {})
    asked = set(dossier_ids)
    if new := asked - known.keys():
        found = door.enter_many(caller.user, new, CERCLE, action=caller.reading, via=caller.via or NOWHERE)
        known.update({dossier_id: found.get(dossier_id) for dossier_id in new})
    return {dossier_id: entry for dossier_id in asked if (entry := known[dossier_id])}


def enter(caller: Caller, dossier_id: UUID, *, beside: Sequence[tuple[Any, ...]] = ()) -> Entry:
    """Enter one circle to read it; `beside`: as for `door.look`.

    Raises Unknown (404: who is outside learns nothing), LevelMissing (403).
    """
    known: dict[UUID, Entry | None] = caller.memo.setdefault(("entered", CERCLE), {})
    entry = known.get(dossier_id)
    if entry is None:
        with _outside():
            entry = known[dossier_id] = door.enter(
                caller.user, dossier_id, CERCLE, action=caller.reading, via=caller.via or NOWHERE, beside=beside
            )
    return entry


def enter_to_write(caller: Caller, dossier_id: UUID) -> Entry:
    """Enter one circle to change it, with its trace. Raises Unknown, LevelMissing.

    The trace waits for who is writing: what he closed meanwhile is closed (SECT-7). Should the call fail, all is
    undone and the attempt is traced by itself (SEC-13).
    """
    via = caller.via or NOWHERE
    undone = partial(door.tell_undone, caller.user, dossier_id, CERCLE, Niveau.ECRITURE, via=via)
    caller.afterwards[CERCLE, dossier_id] = undone
    with _outside():
        door.enter(caller.user, dossier_id, CERCLE, Niveau.ECRITURE, action=door.WRITE, via=via)
        entry = door.look(caller.user, dossier_id, via=via)
    access.require(entry.access, CERCLE, Niveau.ECRITURE)
    caller.memo.setdefault(("entered", CERCLE), {})[dossier_id] = entry
    return entry


# ---- What a search may know of ------------------------------------------------------------------------------------


def held(caller: Caller) -> Access:
    """Return what the profession of the caller gives, reduced in no dossier. One SQL statement per request."""
    return caller.memo.get("held") or caller.memo.setdefault("held", access.held_by(caller.user))


def _ways(caller: Caller, reads: Callable[[Access], bool]) -> str:
    """Return by which ways in a search may tell of what `reads` says: none by an emergency, which opens no circle.

    For another, where both professions read it: unless they do for each of those he acts for, he is told of none. One
    SQL statement per request, two for who acts for others, none for who acts for nobody.
    """
    if access.comes_by_himself(caller.user):
        return access.GRANTED
    if "for others" not in caller.memo:
        actings = list(ActingFor.objects.under_way().filter(substitute=caller.user).values_list("pk", flat=True))
        caller.memo["for others"] = list(held_for(held(caller), actings).values()) if actings else []
    return access.GRANTED if all(map(reads, caller.memo["for others"])) else access.HIMSELF


def _reads_circle(said: Access) -> bool:
    return said.can_read(CERCLE)


def circles_of(caller: Caller, reads: Callable[[Access], bool] = _reads_circle) -> Q:
    """Return the condition, on rows that have a dossier, that the caller may read its circle, as `reads` says.

    Nothing closes a circle to who is inside (`ceilings.ALWAYS_READ`).
    """
    if not reads(held(caller)):
        return Q(pk__in=[])
    return Q(dossier_id__in=access.dossiers_of(caller.user, through=_ways(caller, reads)))


def way_found(caller: Caller) -> str | None:
    """Return by which ways the circles that the caller reads are asked in a statement written once, None for none."""
    if not _reads_circle(held(caller)):
        return None
    return access.way_of(caller.user, _ways(caller, _reads_circle))


def whole_circles(caller: Caller) -> Q:
    """Return the condition, on rows that have a dossier, that the caller sees its whole circle, not a reduced one."""
    return circles_of(caller, lambda said: said.sees_whole_circle)


def told_all(caller: Caller) -> Q:
    """Return the condition, on the same, that no member is hidden from him: what words about a circle are told by."""
    hidden = Exists(Member.objects.filter(dossier=OuterRef("dossier"), discreet=True))
    return whole_circles(caller) & (~Q(hidden) | _knows_discreet(caller))


def _knows_discreet(caller: Caller) -> Q:
    if not held(caller).sees_discreet_members:
        return Q(pk__in=[])
    himself = access.dossiers_of(caller.user, through=access.HIMSELF)
    closed = access.dossiers_closed_to(caller.user, Rubrique.MEDICAL)
    return Q(dossier_id__in=himself) & ~Q(dossier_id__in=closed)


def shown_to(caller: Caller, discreet: str) -> Q:
    """Return the condition, on rows that have a dossier and are about a member, that the caller is shown him (rule 7).

    `discreet`: where the row says whether he is. In the reduced circle, nobody: who hides behind a function is told by
    no name.
    """
    return whole_circles(caller) & (Q(**{discreet: False}) | _knows_discreet(caller))


def shown_members(caller: Caller) -> QuerySet[Any]:
    """Return the members of the circles that the caller reads, but those he may not see."""
    return Member.objects.filter(shown_to(caller, "discreet"))


def known_members(caller: Caller) -> QuerySet[Any]:
    """Return those of them who are, were or are to be in the circle: by whom a search may find a circle."""
    return Member.objects.known().filter(shown_to(caller, "discreet"))
