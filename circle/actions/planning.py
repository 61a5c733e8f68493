"""The board of a circle's roles written back, with a line of history for each plan that changed."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F

from circle import roles
from circle.actions.common import KIND, record
from circle.models import Member, RoleHolding
from circle.plans import Board, Held
from coordination.common.french import date_fr
from coordination.directory.search.results import profession_label


def write_board(entry, before: Board, after: Board, *, but: UUID | None = None) -> set[UUID]:
    """Store what changed between the two, and tell each plan moved or called off; return whose roles changed.

    The sheet of each is of another version, which who has its form open is told; that of `but` is left to the caller.
    What gets shorter is stored before what gets longer: the constraints are checked at each statement.
    """
    old = {held.key: held for held in before.held}
    changed = [held for held in after.held if held.key and _said(held) != _said(old[held.key])]
    for held in sorted(changed, key=lambda held: not _is_within(held, old[held.key])):
        RoleHolding.objects.filter(dossier_id=entry.dossier.pk, pk=held.key).update(
            starts_on=held.starts_on, ends_on=held.ends_on, exclusive=held.exclusive
        )
    touched = {held.member for held in changed} | _store_new(entry, [held for held in after.held if held.key is None])
    for held in changed:
        was = old[held.key]
        if before.is_plan(was) and was.lasts:
            _tell(entry, before, was, after, held)
    if others := touched - {but}:
        Member.objects.filter(dossier_id=entry.dossier.pk, pk__in=others).update(version=F("version") + 1)
    return touched


def _store_new(entry, new: Sequence[Held]) -> set[UUID]:
    """Store the roles just given; return who holds them. One SQL statement, none for no role."""
    rows = [
        RoleHolding(
            dossier_id=entry.dossier.pk, member_id=held.member, role=held.role, exclusive=held.exclusive,
            starts_on=held.starts_on, ends_on=held.ends_on, given_by=entry.user,
        )
        for held in new
    ]  # fmt: skip
    for held, row in zip(new, RoleHolding.objects.bulk_create(rows), strict=True):
        held.key = row.pk
    return {held.member for held in new}


def member_of(entry, held: Held) -> Member:
    """Return who holds a role, with what his names and his role are told with."""
    return Member.objects.with_names().select_related("activity").get(dossier_id=entry.dossier.pk, pk=held.member)


def label_of(member: Member, code: str) -> str:
    """Return the role in the words of the list: a professional of care is shown by the profession."""
    profession, fonction = member.profession_codes
    speciality = member.activity.speciality if member.activity else ""
    shown = profession_label(profession, speciality, feminine=member.is_feminine, fonction=fonction)
    return roles.label(code, feminine=member.is_feminine, profession=shown)


def _tell(entry, before: Board, was: Held, after: Board, now: Held) -> None:
    if now.lasts and now.starts_on == was.starts_on:
        return
    member, former = member_of(entry, was), before.former(was)
    giver = member_of(entry, former) if former else None
    if now.lasts:
        days = {"before": date_fr(was.starts_on), "after": date_fr(now.starts_on)}
        record(entry, member, KIND.MOVED, subject=label_of(member, was.role), other=giver, **days)
        return
    stays = after.on(was.member, was.starts_on)
    record(
        entry,
        member,
        KIND.CALLED_OFF,
        subject=date_fr(was.starts_on),
        before=label_of(member, was.role),
        after=label_of(member, stays.role) if stays else "",
        other=giver,
    )


def _said(held: Held) -> tuple:
    return held.starts_on, held.ends_on, held.exclusive


def _is_within(held: Held, old: Held) -> bool:
    if not held.lasts:
        return True
    ends_sooner = old.ends_on is None or (held.ends_on is not None and held.ends_on <= old.ends_on)
    return old.lasts and held.starts_on >= old.starts_on and ends_sooner
