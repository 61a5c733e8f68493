"""The whole circle written at once, as a software says it (flux 1b and 4b): each member by the rules of the screens.

What is asked is compared with what stands; only what differs is done, member by member, with its history, its rights
and its traces. The circle then says what was asked, or nothing was written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from circle import roles
from circle.actions.applying import arrive, give_roles, leave, replan
from circle.actions.assigning import LATEST
from circle.actions.common import KIND, lock_circle, next_version, record
from circle.actions.together import houses_of
from circle.actions.wanted import Asked, Change, Said, Target, about
from circle.circles import Circle, facts_of, keep_version
from circle.errors import CircleExists, ParticipantRefused
from circle.models import Member
from circle.participants import NotKept, Piece, Stay, Told, difference, is_over, is_under_way, told
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.errors import NotAllowed


@transaction.atomic
def write_circle(
    entry, said: Said, asked: Sequence[Asked], *, expected: int | None = None, creation_key: UUID | None = None
) -> Circle:
    """Make the circle of a dossier what is asked, or create it (with `creation_key`, which names the call).

    Members not named leave today (CDS-71), but those the author may not see. `expected`: the version he has read.
    Needs what each act needs on screen: ADD_MEMBER for who comes in, GRANT for who leaves. Raises LevelMissing,
    DossierIsReadOnly, NotAllowed, ChangedMeanwhile, CircleExists, LastKeeper, and ParticipantRefused for what cannot
    be held, with the rank of its participant.
    """
    lock_circle(entry)
    if not entry.access.sees_whole_circle:
        raise NotAllowed
    circle = Circle.objects.select_for_update().filter(dossier_id=entry.dossier.pk).first()
    if creation_key is not None and circle is not None:
        if circle.creation_key == creation_key and (circle.content or {}).get("sent") == said.sent:
            return circle
        raise CircleExists
    if expected is not None and (circle is None or circle.version != expected):
        raise ChangedMeanwhile
    facts = facts_of(entry.dossier.pk)
    standing = {one.id: one for one in told(facts)}
    changes = _changes(entry, asked, standing)
    gone = _not_named(entry, standing, {change.member.pk for change in changes if change.member})
    leave(entry, changes, gone)
    replan(entry, [change for change in changes if not change.enters_now])
    arrive(entry, changes)
    give_roles(entry, changes)
    replan(entry, [change for change in changes if change.enters_now])
    named = _read_again(asked, changes)
    _follow_activities(entry, named)
    stands = _verified(entry, changes)
    circle = _save(entry, circle, said, _content(said, named, stands), creation_key)
    keep_version(entry.dossier.pk)
    circle.refresh_from_db()
    return circle


# ---- What differs --------------------------------------------------------------------------------------------------


def _changes(entry, asked: Sequence[Asked], standing: dict[UUID, Told]) -> list[Change]:
    by_target: dict[tuple[str, UUID | None], list[tuple[int, Asked]]] = {}
    for rank, one in enumerate(asked):
        by_target.setdefault(one.target.key, []).append((rank, one))
    known = _known(entry, [lines[0][1].target for lines in by_target.values()])
    found: dict[UUID | None, Change] = {}
    changes = []
    for lines in by_target.values():
        with about(lines[0][0]):
            change = _change(entry, lines, standing, known)
            if change.member and change.member.pk in found:
                # Two entries of the directory that are one structure here.
                raise NotKept("Ce membre est nommé deux fois, sous deux noms de l’annuaire.", "member")
        found[change.member.pk if change.member else None] = change
        changes.append(change)
    return changes


def _change(
    entry,
    lines: Sequence[tuple[int, Asked]],
    standing: dict[UUID, Told],
    known: dict[tuple[str, UUID | None], Member | None],
) -> Change:
    rank, target = lines[0][0], lines[0][1].target
    member = known[target.key]
    if member and member.discreet and not entry.access.sees_discreet_members:
        raise NotKept("Cet ajout n’est pas possible ici : rapprochez-vous du coordinateur du dossier.", "member")
    now = standing.get(member.pk) if member else None
    stays, pieces_before = (now.stays, now.pieces) if now else ((), [])
    today = timezone.localdate()
    present = _present_since(stays)
    pieces = [Piece(one.starts_on or present, one.ends_on, one.role) for _, one in lines]
    # Somebody new, or back, of whom no role is said has the one of his profession.
    pieces = [
        Piece(p.starts_on, p.ends_on, target.usual_role)
        if p.role is None and not any(p.meets(other) for other in pieces_before)
        else p
        for p in pieces
    ]
    late = next((p for p in pieces if p.starts_on > today + LATEST), None)
    if late:
        raise NotKept(
            "Cette date est trop lointaine : une arrivée ou un rôle se prévoit deux ans à l’avance au plus.",
            "period.start",
        )
    return Change(rank, target, pieces, difference(pieces, pieces_before, stays, today), stays, member)


def _present_since(stays: Sequence[Stay]) -> dt.date:
    today = timezone.localdate()
    return next((stay[0] for stay in stays if is_under_way(stay, today)), today)


def _known(entry, targets: Sequence[Target]) -> dict[tuple[str, UUID | None], Member | None]:
    """Return {target: its member, None when the circle has none}. Three SQL statements where it has no structure."""
    houses = houses_of(entry, [target.structure for target in targets if target.kind == roles.STRUCTURE])
    named = Q(pk__in=[target.member_id for target in targets if target.member_id])
    named |= Q(pk__in=[house.pk for house in houses.values()])
    named |= Q(professional__in=[target.professional for target in targets if target.professional])
    rows = Member.objects.filter(named, dossier_id=entry.dossier.pk).select_related(
        "professional", "activity", "structure", "habilitation"
    )
    by_id = {row.pk: row for row in rows}
    by_professional = {row.professional_id: row for row in by_id.values()}

    def member_of(target: Target) -> Member | None:
        if target.kind == roles.STRUCTURE:
            house = houses.get(target.structure.pk)
            return by_id[house.pk] if house else None
        if target.kind == roles.DIRECTORY:
            return by_professional.get(target.professional.pk)
        return by_id[target.member_id] if target.member_id else None

    return {target.key: member_of(target) for target in targets}


def _not_named(entry, standing: dict[UUID, Told], named: set[UUID]) -> list[Member]:
    """Return the members, present or to come, that nobody named, but those whom the author may not see."""
    today = timezone.localdate()
    left_out = [
        id for id, one in standing.items() if id not in named and not all(is_over(stay, today) for stay in one.stays)
    ]
    if not left_out:
        return []
    rows = Member.objects.shown_to(entry.access).filter(dossier_id=entry.dossier.pk, pk__in=left_out)
    found = rows.select_related("professional", "activity", "structure", "habilitation").order_by("pk")
    return list(found.select_for_update(of=("self",)))


# ---- The circle itself ---------------------------------------------------------------------------------------------


def _read_again(asked: Sequence[Asked], changes: Sequence[Change]) -> list[tuple[Asked, UUID, dt.date]]:
    """Return each participant with who he is here and since when; where somebody practises follows what names him."""
    by_key = {change.target.key: change for change in changes}
    found = []
    for one in asked:
        change = by_key[one.target.key]
        found.append((one, change.there.pk, one.starts_on or _present_since(change.stays)))
    return found


def _follow_activities(entry, asked: Sequence[tuple[Asked, UUID, dt.date]]) -> None:
    """A professional named where he practises elsewhere has moved, as the sheet says it."""
    named: dict[UUID, list[Any]] = {}
    for one, member_id, _ in asked:
        if one.target.activity:
            named.setdefault(member_id, []).append(one.target.activity)
    for member in Member.objects.filter(pk__in=named).select_related("activity"):
        if member.activity_id not in {activity.pk for activity in named[member.pk]}:
            before = member.activity.structure_name if member.activity else ""
            member.activity = named[member.pk][0]
            next_version(member, "activity")
            after = member.activity.structure_name
            record(entry, member, KIND.EDITED, subject="lieu d’exercice", before=before, after=after)


def _save(entry, circle: Circle | None, said: Said, content: dict[str, Any], creation_key: UUID | None) -> Circle:
    circle = circle or Circle(dossier_id=entry.dossier.pk, changed_at=timezone.now())
    if creation_key is not None:
        circle.creation_key = creation_key
    system, value = said.identifier
    circle.identifier_system, circle.identifier_value = system[:200], value[:200]
    circle.status, circle.name = said.status, said.name
    circle.starts_on, circle.ends_on = said.starts_on, said.ends_on
    circle.managing = list(said.managing)
    circle.content = content
    circle.save()
    return circle


def _content(
    said: Said, asked: Sequence[tuple[Asked, UUID, dt.date]], stands: dict[UUID, list[Piece]]
) -> dict[str, Any]:
    """Return what is kept of what was sent: `read`, whom each participant is; `stands`, what the circle said then.

    As long as it says the same of a member, his participants come back as they were sent.
    """
    sent = dict(said.sent)
    lines = []
    for rank, (one, member_id, starts_on) in enumerate(asked):
        ends_on = one.ends_on.isoformat() if one.ends_on else None
        lines.append([str(member_id), starts_on.isoformat(), ends_on, one.role, one.reference])
        if one.starts_on is None:
            # A stay always says since when (contradiction 10 of the guide).
            kept = sent["participant"][rank]
            sent["participant"][rank] = kept | {
                "period": {**kept.get("period", {}), "start": starts_on.isoformat()}
            }  # fmt: skip
    for participant, line in said.retained:
        sent["participant"] = [*sent.get("participant", []), participant]
        lines.append(line)
    told_of = {str(id): [_written(piece) for piece in pieces] for id, pieces in stands.items()}
    return {"sent": sent, "read": lines, "stands": dict(said.retained_stands) | told_of}


def _written(piece: Piece) -> list[str | None]:
    return [piece.starts_on.isoformat(), piece.ends_on.isoformat() if piece.ends_on else None, piece.role]


def _verified(entry, changes: Sequence[Change]) -> dict[UUID, list[Piece]]:
    """Return the pieces of each member named. The circle says what was asked, or nothing is written."""
    standing = {one.id: one.pieces for one in told(facts_of(entry.dossier.pk))}
    for change in changes:
        if not change.difference.is_met(change.pieces, standing[change.there.pk]):
            raise ParticipantRefused(rank=change.rank, element="period")
    return {change.there.pk: standing[change.there.pk] for change in changes}
