"""Leaving the circle: the period ends with a reason, nothing is erased, and it is undone within 30 days."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import timezone

from circle import roles
from circle.actions.assigning import end_roles, give_role, holder_of, label_of
from circle.actions.common import KIND, account_of, lock_circle, locked_member, next_version, record
from circle.errors import NothingToUndo, RemovalReasonMissing, RemovalTooOld
from circle.history import TAKEN_MEANWHILE
from circle.models import Member, Period, RoleHolding, RoleSetting
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import actions as habilitations
from habilitations.errors import GrantNotAllowed
from habilitations.rubriques import Action

UNDONE_WITHIN = dt.timedelta(days=30)


@transaction.atomic
def remove_member(entry, member, *, reason: str, note: str = "", version: int | None = None) -> Period:
    """End a member's period today, with his roles and his access. `reason` is a Period.EndReason.

    Needs the action right "habiliter" (bounded to the own structure for some). A standing refusal stays.
    Raises GrantNotAllowed, RemovalReasonMissing, ChangedMeanwhile, NotPresent, MemberUnknown.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    require_right_to_remove(entry, member)
    if reason not in Period.EndReason.values:
        raise RemovalReasonMissing
    if version is not None and member.version != version:
        raise ChangedMeanwhile
    return end_stay(entry, member, reason=reason, note=note)


def end_stay(entry, member: Member, *, reason: str, note: str = "") -> Period:
    """End the period of a member today, with his roles and his access, inside the caller's transaction and locks."""
    period = member.periods.current().get()
    today = timezone.localdate()
    period.ends_on = max(today, period.starts_on)
    period.end_reason, period.end_note = reason, note.strip()[:300]
    period.ended_by, period.ended_at = entry.user, timezone.now()
    period.save(update_fields=["ends_on", "end_reason", "end_note", "ended_by", "ended_at"])
    end_roles(member, today)
    habilitations.end_habilitation(member.habilitation, by=entry.user)
    next_version(member)
    record(entry, member, KIND.REMOVED, subject=period.get_end_reason_display(), after=period.end_note)
    return period


@transaction.atomic
def undo_removal(entry, member) -> Member:
    """Undo the last removal, within 30 days: same period, the access as it was, the role unless it was taken.

    Raises GrantNotAllowed, NothingToUndo, RemovalTooOld, MemberUnknown.
    """
    lock_circle(entry)
    member = locked_member(entry, member, present=False)
    require_right_to_remove(entry, member)
    period = member.periods.order_by("-starts_on", "-id").first()
    if member.periods.current().exists() or period is None:
        raise NothingToUndo
    if timezone.now() - period.ended_at > UNDONE_WITHIN:
        raise RemovalTooOld
    left_on = period.ends_on
    if period.end_reason == Period.EndReason.DOUBLON and member.structure_id:
        _take_back_role(member, period)
    period.ends_on = period.ended_by = period.ended_at = None
    period.end_reason = period.end_note = ""
    period.save(update_fields=["ends_on", "end_reason", "end_note", "ended_by", "ended_at"])
    account = account_of(member.professional) if member.professional_id else None
    habilitations.reopen_habilitation(member.habilitation, by=entry.user, user=account)
    member.habilitation.refresh_from_db()
    next_version(member)
    record(entry, member, KIND.RESTORED)
    _give_back_role(entry, member, left_on)
    return member


def require_right_to_remove(entry, member: Member) -> None:
    if not entry.access.may(Action.GRANT, structure_id=member.own_structure_id):
        raise GrantNotAllowed(
            "Seul un coordinateur, un médecin ou l'encadrement de sa structure peut retirer un membre."
        )


def _take_back_role(member: Member, period: Period) -> None:
    """End what `join_doubles` gave the entry that stayed, so that the double finds its role as it was."""
    role = member.roles.filter(ends_on=period.ends_on).values_list("role", flat=True).first()
    same = habilitations.same_structures(member.structure_id)
    for other in Member.objects.filter(dossier_id=member.dossier_id, structure__in=same).exclude(pk=member.pk):
        # Given by the act that ended the period, and by no other.
        given = other.roles.filter(role=role, starts_on=period.ends_on, given_at__gte=period.ended_at, ends_on=None)
        if given.exists():
            end_roles(other, period.ends_on)


def _give_back_role(entry, member: Member, left_on: dt.date) -> None:
    held: RoleHolding | None = member.roles.filter(ends_on=left_on).order_by("-starts_on", "-given_at").first()
    if held is None:
        return
    settings = dict(RoleSetting.objects.filter(role=held.role).values_list("role", "unique"))
    unique = roles.is_unique(held.role, settings)
    if unique and holder_of(entry.dossier.pk, held.role, left_on, besides=member):
        give_role(entry, member, roles.usual(member.kind, *member.profession_codes))
        record(entry, member, KIND.ROLE, subject=TAKEN_MEANWHILE, before=label_of(member, held.role))
        return
    held.ends_on, held.exclusive = None, unique
    held.save(update_fields=["ends_on", "exclusive"])
