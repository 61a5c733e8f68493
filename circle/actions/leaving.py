"""Leaving the circle: the period ends with a reason, nothing is erased, and it is undone within 30 days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from circle import presence, roles
from circle.actions.assigning import from_day, uniqueness
from circle.actions.common import (
    KIND,
    account_of,
    lock_circle,
    locked_member,
    next_version,
    overtake_arrivals,
    record,
    said_of_state,
    trace_right,
)
from circle.actions.inviting import close_invitations
from circle.actions.planning import label_of, member_of, write_board
from circle.errors import NothingToUndo, RemovalReasonMissing, RemovalTooOld
from circle.history import PLAN_LOST, TAKEN_MEANWHILE, sentence, told_of
from circle.models import Member, Period, PlannedStay, RoleCut, RoleHolding
from circle.plans import Board, Cut, Held, Part
from coordination.common.french import date_fr
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import actions as habilitations
from habilitations.errors import GrantNotAllowed
from habilitations.keepers import require_another_keeper
from habilitations.models import Habilitation
from habilitations.rubriques import Action

OPENING = (Habilitation.State.OUI, Habilitation.State.ATTENTE)
Outcome = PlannedStay.Outcome
# Days after the one of the removal, each of them whole.
UNDONE_WITHIN = 30


class Undone(NamedTuple):
    """A member back in the circle, and the sentences of what he does not find again."""

    member: Member
    lost: tuple[str, ...] = ()


@transaction.atomic
def remove_member(entry, member, *, reason: str, note: str = "", version: int | None = None) -> Period:
    """End a member's period today, with his roles and his access. `reason` is a Period.EndReason.

    Needs the action right "habiliter" (bounded to the own structure for some). A standing refusal stays.
    Raises GrantNotAllowed, RemovalReasonMissing, ChangedMeanwhile, NotPresent, MemberUnknown, LastKeeper.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    require_right_to_remove(entry, member)
    if reason not in Period.EndReason.values:
        raise RemovalReasonMissing
    require_another_keeper(member.habilitation)
    if version is not None and member.version != version:
        raise ChangedMeanwhile
    return end_stay(entry, member, reason=reason, note=note)


def end_stay(entry, member: Member, *, reason: str, note: str = "", on: dt.date | None = None) -> Period:
    """End the period of a member, with his roles and his access, inside the caller's transaction and locks.

    `on`: the day he left, when it is behind; today otherwise. His access is ended now in any case.
    """
    period = member.periods.current().get()
    today = on or timezone.localdate()
    period.ends_on = max(today, period.starts_on)
    period.end_reason, period.end_note = reason, note.strip()[:300]
    period.ended_by, period.ended_at = entry.user, timezone.now()
    period.save(update_fields=["ends_on", "end_reason", "end_note", "ended_by", "ended_at"])
    _close_plan(period)
    _end_roles(entry, member, period, today)
    held = member.habilitation.state
    habilitations.end_habilitation(member.habilitation, by=entry.user)
    if held in OPENING:
        trace_right(entry, member, said_of_state(held, Habilitation.State.NON))
    close_invitations(entry, member)
    next_version(member)
    record(entry, member, KIND.REMOVED, subject=period.get_end_reason_display(), after=period.end_note)
    presence.tell_left(member)
    return period


@transaction.atomic
def undo_removal(entry, member) -> Undone:
    """Undo the last removal, within 30 days: same period, the access as it was, what he held and what was planned.

    A role somebody else took meanwhile is not given back: the history says it, and `Undone.lost`.
    Raises GrantNotAllowed, NothingToUndo, RemovalTooOld, MemberUnknown, and the errors of `reopen_habilitation`.
    """
    lock_circle(entry)
    member = locked_member(entry, member, present=False)
    require_right_to_remove(entry, member)
    period = member.periods.order_by("-starts_on", "-id").first()
    if member.periods.current().exists() or period is None:
        raise NothingToUndo
    if (timezone.localdate() - timezone.localdate(period.ended_at)).days > UNDONE_WITHIN:
        raise RemovalTooOld
    left_on = period.ends_on
    if period.given_role_id:
        _take_back_role(entry, period)
    period.ends_on = period.ended_by = period.ended_at = None
    period.end_reason = period.end_note = ""
    period.given_role = None
    period.save(update_fields=["ends_on", "end_reason", "end_note", "ended_by", "ended_at", "given_role"])
    overtake_arrivals(member, until=_plan_again(period))
    account = account_of(member.professional) if member.professional_id else None
    habilitations.reopen_habilitation(member.habilitation, by=entry.user, access=entry.access, user=account)
    member.habilitation.refresh_from_db()
    if member.habilitation.state in OPENING:
        trace_right(entry, member, said_of_state(Habilitation.State.NON, member.habilitation.state))
    next_version(member)
    record(entry, member, KIND.RESTORED)
    presence.tell_returned(member)
    return Undone(member, _give_back_roles(entry, member, period, left_on))


def require_right_to_remove(entry, member: Member) -> None:
    """Let through who may grant to this member (bounded to the own structure for some). Raises GrantNotAllowed."""
    if not entry.access.may(Action.GRANT, structure_id=member.own_structure_id):
        raise GrantNotAllowed(
            "Seul un coordinateur, un médecin ou l’encadrement de sa structure peut retirer un membre."
        )


def _close_plan(period: Period) -> None:
    plan = PlannedStay.objects.waiting().filter(dossier_id=period.dossier_id, period=period).first()
    if plan is not None:
        plan.outcome = Outcome.DONE if plan.ends_on <= period.ends_on else Outcome.OVERTAKEN
        plan.closed_at = timezone.now()
        plan.save(update_fields=["outcome", "closed_at"])


def _plan_again(period: Period) -> dt.date | None:
    """Give back the departure that the removal came before; return its day."""
    later = {"outcome": Outcome.OVERTAKEN, "ends_on__gt": timezone.localdate()}
    plan = period.plans.filter(**later).order_by("-closed_at").first()
    if plan is None:
        return None
    plan.closed_at, plan.outcome = None, ""
    plan.save(update_fields=["closed_at", "outcome"])
    return plan.ends_on


def _take_back_role(entry, period: Period) -> None:
    """End what `join_doubles` gave the entry that stayed, so that the double finds its role as it was."""
    given = RoleHolding.objects.select_related("member").get(dossier_id=entry.dossier.pk, pk=period.given_role_id)
    if given.ends_on is not None:
        # He was given another one since: that one is somebody's decision.
        return
    given.ends_on = given.starts_on
    given.save(update_fields=["ends_on"])
    record(entry, given.member, KIND.ROLE, before=label_of(given.member, given.role))


def _end_roles(entry, member: Member, period: Period, today: dt.date) -> None:
    board = RoleHolding.objects.board(entry.dossier.pk)
    before = board.copy()
    board.clear(member.pk, today)
    cuts = board.cuts_since(before)
    write_board(entry, before, board, but=member.pk)
    RoleCut.objects.bulk_create(
        RoleCut(
            dossier_id=entry.dossier.pk,
            period=period,
            holding_id=cut.key,
            starts_on=cut.starts_on,
            ends_on=cut.ends_on,
            cut_starts_on=cut.cut_starts_on,
            cut_ends_on=cut.cut_ends_on,
        )
        for cut in cuts
    )


def _give_back_roles(entry, member: Member, period: Period, left_on: dt.date) -> tuple[str, ...]:
    """Give back what the removal took, with its lines of history; return the sentences of what could not be."""
    board = RoleHolding.objects.board(entry.dossier.pk)
    before = board.copy()
    cuts = [
        Cut(cut.holding_id, cut.starts_on, cut.ends_on, cut.cut_starts_on, cut.cut_ends_on)
        for cut in period.cuts.all()
    ]
    usual = roles.usual(member.kind, *member.profession_codes)
    own = [held for held in (board.find(cut.key) for cut in cuts) if held.member == member.pk]
    unique = uniqueness(usual, *(held.role for held in own))
    for held in own:
        # An administrator may have changed the list while he was away.
        held.exclusive = unique[held.role]
    restored = board.restore(member.pk, cuts, Part(usual, unique.get(usual, False)), left_on=left_on)
    write_board(entry, before, board, but=member.pk)
    period.cuts.all().delete()
    _tell_given_back(entry, before, board, cuts)
    if restored.usual_from and restored.usual_from > board.today:
        _tell_until(entry, member, board, restored.usual_from)
    return tuple(_tell_lost(entry, member, held, left_on) for held in restored.lost)


def _tell_until(entry, member: Member, board: Board, day: dt.date) -> None:
    """Tell a role given back only until the day somebody else is to take it."""
    until, then = board.on(member.pk, day - dt.timedelta(days=1)), board.on(member.pk, day)
    if until and then:
        labels = {"before": label_of(member, until.role), "after": label_of(member, then.role)}
        record(entry, member, KIND.ROLE, subject=from_day(day), **labels)


def _tell_given_back(entry, before: Board, after: Board, cuts: Iterable[Cut]) -> None:
    """Tell the plans given back, as they were told when they were made."""
    for cut in cuts:
        held = after.find(cut.key)
        if not after.is_plan(held) or not held.lasts or before.find(cut.key).lasts:
            continue
        member, former = member_of(entry, held), after.former(held)
        previous = next((h for h in after.held if h.member == held.member and h.ends_on == held.starts_on), None)
        record(
            entry,
            member,
            KIND.HANDOVER if former else KIND.ROLE,
            subject=from_day(held.starts_on),
            before=label_of(member, previous.role) if previous else "",
            after=label_of(member, held.role),
            other=member_of(entry, former) if former else None,
        )


def _tell_lost(entry, member: Member, held: Held, left_on: dt.date) -> str:
    planned = held.starts_on > left_on
    line = record(
        entry,
        member,
        KIND.ROLE,
        subject=PLAN_LOST if planned else TAKEN_MEANWHILE,
        before=label_of(member, held.role),
        after=date_fr(held.starts_on) if planned else "",
    )
    return sentence(told_of(line))
