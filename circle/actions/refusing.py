"""The person's refusal: recorded in whatever state the dossier is, and for every entry of the same human being."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from circle import duplicates
from circle.actions.answering import REFUS, answer
from circle.actions.common import lock_circle, locked_member, next_version
from circle.errors import SameOneHabilitated
from circle.lines import MemberRow
from circle.models import Member
from habilitations.errors import NotAllowed
from habilitations.rubriques import Niveau


@transaction.atomic
def record_refusal(entry, member, *, refusal: dict, duplicate_reason: str = "", also: Collection[UUID] = ()) -> Member:
    """Record the person's refusal that a member be told anything; his access is closed in the same transaction.

    `refusal` {"refused_on", "collected", "comment"}; `also` and `duplicate_reason` as `set_habilitation`. Unlike
    every other act of the circle it is done in a closed or paused dossier too, where everybody still reads (SEC-5;
    docs/decisions/2026-11-28-refusal-when-closed.md). Raises NotAllowed, LevelMissing, MemberUnknown, NotPresent,
    SameOneHabilitated, AlreadyRefused, and the errors of dates.
    """
    if not entry.access.may_record_refusal:
        raise NotAllowed
    lock_circle(entry, level=Niveau.LECTURE)
    member = locked_member(entry, member)
    keep_reason(member, duplicate_reason)
    refuse(entry, member, refusal=refusal, duplicate_reason=duplicate_reason, also=also)
    return member


def refuse(entry, member: Member, *, refusal: dict | None, duplicate_reason: str, also: Collection[UUID]) -> None:
    """Refuse a member and those of `also` who are the same person, under the circle's lock.

    Raises SameOneHabilitated unless each habilitated one who may be this hand-entered member is in `also`, or said by
    `duplicate_reason` to be somebody else.
    """
    same = _refused_with(entry, member, also, duplicate_reason)
    answer(entry, member, REFUS, refusal=refusal)
    for other in same:
        answer(entry, locked_member(entry, Member(pk=other.id)), REFUS, refusal=refusal)


def keep_reason(member: Member, duplicate_reason: str) -> None:
    """Keep why this member is not the one he looks like."""
    if duplicate_reason.strip():
        member.duplicate_reason = duplicate_reason.strip()
        next_version(member, "duplicate_reason")


def _refused_with(entry, member: Member, also: Collection[UUID], duplicate_reason: str) -> list[MemberRow]:
    """Return the habilitated members who are the same person; raise unless each is named or told apart."""
    found = [row for row, _ in duplicates.opened_namesakes(entry, member)]
    named = [row for row in found if row.id in also]
    if len(named) < len(found) and not duplicate_reason.strip():
        raise SameOneHabilitated([row for row in found if row.id not in also])
    return named
