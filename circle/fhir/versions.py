"""Versions of circles, made into the CareTeams that a caller may read.

What a version says is never written again (`circle_version_is_written`): each process keeps the last CareTeams it made
of them, for one person's name and one view. Who may read what is asked at each call, of rows read then (SECT-7).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from cachetools import LRUCache

from circle.circles import CircleVersion
from circle.fhir.building import Version, View, careteam
from circle.fhir.entries import entered
from circle.models import Member
from coordination.common.dates import today
from coordination.common.statements import rows
from coordination.dossiers.door import Entry
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import instant
from coordination.fhir.registry import Resource
from habilitations.rubriques import Rubrique

# The columns of a `Head`, in its order.
HEAD = ("pk", "circle_id", "dossier_id", "number", "at")
_LAST = """circle_circle c
JOIN circle_circleversion v ON v.dossier_id = c.dossier_id AND v.number = c.version"""
_COLUMNS = "v.id, v.circle_id, v.dossier_id, v.number, v.at"
_CURRENT = f"SELECT {_COLUMNS} FROM {_LAST} WHERE c.id = ANY(%s)"  # noqa: S608 - our own names
# The last version of one circle, for `door.beside_who_calls`.
NAMED = ", ".join(f"named.{column}" for column in ("id", "circle_id", "dossier_id", "number", "at"))
CURRENT = f"(SELECT {_COLUMNS} FROM {_LAST} WHERE c.id = %(id)s) named"  # noqa: S608 - our own names
_FACTS = "SELECT id, facts::text FROM circle_circleversion WHERE dossier_id = ANY(%s) AND id = ANY(%s)"
# Of thirty members, some eighty kilobytes each.
_made: LRUCache[tuple[UUID, str, View], Resource] = LRUCache(maxsize=200)


class Head(NamedTuple):
    """Which version: its own id is in the key of what is kept, for a number may be given again after a rollback."""

    id: UUID
    circle_id: UUID
    dossier_id: UUID
    number: int
    at: dt.datetime


def forget() -> None:
    """Forget the CareTeams made by this process: they will be made again."""
    _made.clear()


def current(circle_ids: Sequence[UUID]) -> list[Head]:
    """Return the last version of each circle. One SQL statement."""
    return [Head(*line) for line in rows(_CURRENT, [list(circle_ids)])]


def is_old_copy(resource: Resource, circle_id: UUID, number: int) -> bool:
    """Say whether a CareTeam that is sent names in `meta` a version of ours before `number`.

    R4 lets a server ignore `meta` here, and another server's own numbers are no copy of ours: the date of the version
    must be the one we gave, if it is said at all.
    """
    meta = resource.get("meta", {})
    said, moment = meta.get("versionId", ""), meta.get("lastUpdated")
    if not (said.isascii() and said.isdigit() and len(said) < 10 and int(said) < number):
        return False
    at = CircleVersion.objects.filter(circle_id=circle_id, number=int(said)).values_list("at", flat=True).first()
    return at is not None and (moment is None or _same_moment(moment, at))


def _same_moment(said: str, at: dt.datetime) -> bool:
    try:
        return instant(dt.datetime.fromisoformat(said)) == instant(at)
    except (ValueError, OverflowError):
        # R4 writes instants that a calendar does not have (a sixtieth second).
        return False


def shown(caller: Caller, heads: Sequence[Head]) -> list[tuple[Head, Resource]]:
    """Return the versions that the caller may read now, as he may see them today (SEC-11 to old versions too).

    Constant SQL: rights, traces, who is discreet for some, and what was not made yet by this process. What is returned
    is shared between calls: read, never changed.
    """
    entries = entered(caller, {head.dossier_id for head in heads})
    views = views_of(entries.values())
    asked = [
        (head, (head.id, _person(entries[head.dossier_id]), views[head.dossier_id]))
        for head in heads
        if head.dossier_id in entries
    ]
    found = {key: made for _, key in asked if (made := _made.get(key))}
    facts = _facts([head for head, key in asked if key not in found])
    for head, key in asked:
        if key not in found:
            found[key] = _made[key] = careteam(Version(*head[1:], facts=facts[head.id]), key[1], key[2])
    return [(head, found[key]) for head, key in asked]


def _person(entry: Entry) -> str:
    """Return the name of whom the circle is around, "" for who does not read her identity."""
    return entry.dossier.full_name if entry.access.can_read(Rubrique.IDENTITE) else ""


def _facts(heads: Sequence[Head]) -> dict[UUID, dict[str, Any]]:
    if not heads:
        return {}
    wanted = [list({head.dossier_id for head in heads}), list({head.id for head in heads})]
    return {id: orjson.loads(said) for id, said in rows(_FACTS, wanted)}


def hiding(entries: Iterable[Entry]) -> set[UUID]:
    """Return the dossiers where a member is hidden from their reader. One SQL statement at most."""
    return {id for id, view in views_of(entries).items() if view.hidden}


def views_of(entries: Iterable[Entry]) -> dict[UUID, View]:
    """Return {dossier: what its reader may see of the circle today}. One SQL statement at most."""
    entries = list(entries)
    day = today()
    partial = [entry.dossier.pk for entry in entries if not entry.access.sees_discreet_members]
    hidden: dict[UUID, set[UUID]] = {}
    if partial:
        discreet = Member.objects.filter(dossier_id__in=partial, discreet=True)
        for dossier_id, member_id in discreet.values_list("dossier_id", "pk"):
            hidden.setdefault(dossier_id, set()).add(member_id)
    return {
        entry.dossier.pk: View(
            frozenset(hidden.get(entry.dossier.pk, ())),
            None if entry.access.sees_whole_circle else _houses(entry),
            entry.access.can_read(Rubrique.MEDICAL),
            day,
        )
        for entry in entries
    }


def _houses(entry: Entry) -> frozenset[str]:
    own = {entry.access.hat.structure_id, entry.access.through_structure} - {None}
    return frozenset(str(one) for one in own)
