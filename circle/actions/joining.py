"""Two entries of a circle that the directory found to be one structure: one stays, the other leaves as a double.

A merge of the directory rewrites no row (house.md): what follows in each circle is for a person to decide.
"""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from circle import history, roles
from circle.actions.assigning import give_role
from circle.actions.common import KIND, lock_circle, locked_member, next_version, record
from circle.actions.leaving import end_stay, require_right_to_remove
from circle.actions.limiting import carry_oppositions
from circle.actions.planning import label_of
from circle.errors import NotDouble
from circle.models import Member, Period
from coordination.common.french import date_fr
from habilitations import actions as habilitations
from habilitations.models import Habilitation

State = Habilitation.State


class Joined(NamedTuple):
    """Who stays and who left; `lost`: the sentences of what was planned for who left, which is not carried over;
    `carried`: what who stays takes over, in words; `since`: when who left had come.
    """

    stays: Member
    left: Member
    lost: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()
    since: dt.date | None = None


@transaction.atomic
def join_doubles(entry, member) -> Joined:
    """Join the entry of a structure with another one of the same structure.

    The one that has an access stays, else the one of the structure the directory keeps, else the first to have come.
    It takes the other's role of today when it has none, its refusal, what the person opposes to it and its discretion;
    what she took back from one is taken back from both. The other's period ends as a double, which `undo_removal`
    undoes. What was planned for it is called off: a plan is agreed with people.
    Needs the right to remove. Raises NotDouble, GrantNotAllowed, NotPresent, MemberUnknown.
    """
    lock_circle(entry)
    found = [locked_member(entry, each) for each in _same(entry, member)]
    if len(found) < 2:
        raise NotDouble
    stays, leaves = sorted(found, key=_rank)[:2]
    require_right_to_remove(entry, leaves)
    today = timezone.localdate()
    held = leaves.roles.on_day(today).first()
    lost = _planned(leaves, today)
    refusal = leaves.habilitation.refusals.filter(withdrawn_at=None).first()
    # Put back one day, the double would be a way round what the person took back or opposes.
    _take_back_too(entry, stays, leaves)
    carry_oppositions(entry, stays.habilitation, leaves)
    period = end_stay(entry, leaves, reason=Period.EndReason.DOUBLON)
    carried = []
    if held and not stays.roles.from_day(today).exists():
        give_role(entry, stays, held.role)
        carried.append(f"le rôle « {label_of(stays, held.role)} »")
        period.given_role = stays.roles.on_day(today).first()
        period.save(update_fields=["given_role"])
    if leaves.discreet and not stays.discreet:
        stays.discreet = True
        next_version(stays, "discreet")
        carried.append("la discrétion")
    if refusal and stays.habilitation.state != State.REFUS:
        _refuse_too(entry, stays, refusal)
        carried.append("le refus du patient")
    if _take_back_too(entry, leaves, stays):
        carried.append("le retrait de l’accord")
    # Not among what is said to be carried: who joins may be a delegate (SEC-6).
    carry_oppositions(entry, leaves.habilitation, stays)
    return Joined(stays, leaves, lost, tuple(carried), period.starts_on)


def _planned(member: Member, today: dt.date) -> tuple[str, ...]:
    plans = member.roles.from_day(today).filter(starts_on__gt=today).order_by("starts_on")
    return tuple(
        f"Le rôle « {label_of(member, plan.role)} » prévu à partir du {date_fr(plan.starts_on)} n’est pas repris."
        for plan in plans
    )


def _same(entry, member: Member) -> list[Member]:
    if member.kind != roles.STRUCTURE:
        return []
    return list(
        Member.objects.shown_to(entry.access)
        .filter(
            dossier_id=entry.dossier.pk,
            structure__in=habilitations.same_structures(member.structure_id),
            periods__ends_on=None,
        )
        .order_by("pk")
    )


def _rank(member: Member) -> tuple:
    opened = member.habilitation.state in (State.OUI, State.ATTENTE)
    return (not opened, member.structure.merged_into_id is not None, member.created_at)


def _refuse_too(entry, member: Member, refusal) -> None:
    before = member.habilitation.state
    habilitations.record_refusal(
        member.habilitation,
        by=entry.user,
        access=entry.access,
        refused_on=refusal.refused_on,
        collected=refusal.collected,
        comment=refusal.comment,
    )
    record(entry, member, KIND.STATE, before=before, after=State.REFUS)


def _take_back_too(entry, one: Member, other: Member) -> bool:
    """Close to `other` what the person had taken back from `one`; return whether something stood."""
    taken = habilitations.take_back_too(one.habilitation, other.habilitation, by=entry.user)
    if taken is None:
        return False
    record(entry, other, KIND.SHARING, subject=history.WITHDRAWN, after=date_fr(taken.ended_on))
    return True
