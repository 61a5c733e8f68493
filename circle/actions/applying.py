"""Making a circle what was asked, member by member: who leaves, who comes in, which roles they hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils import timezone

from circle import roles
from circle.actions.adding import come_back, create_house, create_member, open_row
from circle.actions.assigning import from_day, uniqueness
from circle.actions.common import KIND, account_of, entry_kept, line_of, record, record_many
from circle.actions.foreseeing import call_off, move_arrival, plan_arrival, set_planned_end
from circle.actions.leaving import end_stay, require_right_to_remove
from circle.actions.planning import label_of, write_board
from circle.actions.together import come_in, plain_arrivals
from circle.actions.wanted import Change, Target, about
from circle.errors import NotPresent, RoleAlreadyHeld
from circle.models import Change as Line
from circle.models import Member, Period, PlannedStay, RoleHolding
from circle.participants import NotKept, Stay, is_under_way
from circle.plans import Blocked, Board, Part
from coordination.common.french import date_fr
from habilitations import actions as habilitations
from habilitations.keepers import require_another_keeper
from habilitations.rubriques import Action

FIN = Period.EndReason.FIN


def leave(entry, changes: Sequence[Change], gone: Sequence[Member]) -> None:
    for member in gone:
        _leave_out(entry, member)
    for change in changes:
        with about(change.rank):
            for stay in change.difference.called_off:
                call_off(entry, change.there, _plan(change.there, stay))
            for stands, wanted in change.difference.moved:
                _move(entry, change, stands, wanted)
            if change.difference.leaves_on:
                _end(entry, change.there, change.difference.leaves_on)


def replan(entry, changes: Sequence[Change]) -> None:
    """Plan, move or call off the departures of members who are there."""
    for change in changes:
        if not change.difference.replans:
            continue
        with about(change.rank):
            if change.difference.until:
                require_right_to_remove(entry, change.there)
                set_planned_end(entry, change.there, change.difference.until, reason=FIN)
            else:
                plan = PlannedStay.objects.waiting().departures().get(member=change.there)
                call_off(entry, change.there, plan)


def _plan(member: Member, stay: Stay) -> PlannedStay:
    return (
        PlannedStay.objects.waiting()
        .arrivals()
        .get(dossier_id=member.dossier_id, member=member, starts_on=stay[0], hindrance="")
    )


def _leave_out(entry, member: Member) -> None:
    """Make a member whom nobody named leave today; his coming is called off."""
    for plan in PlannedStay.objects.waiting().arrivals().filter(dossier_id=entry.dossier.pk, member=member):
        call_off(entry, member, plan)
    if member.periods.current().exists():
        _end(entry, member, timezone.localdate())


def _end(entry, member: Member, day: dt.date) -> None:
    require_right_to_remove(entry, member)
    require_another_keeper(member.habilitation)
    if not member.periods.current().exists():
        # He is to come in today.
        raise NotPresent(name=member.display_name)
    end_stay(entry, member, reason=FIN, on=day)


def _move(entry, change: Change, stands: Stay, wanted: Stay) -> None:
    """Write a stay again from other days: the roles that began or ended with it follow, and its planned end."""
    entry.access.require(Action.ADD_MEMBER)
    _check_birth(entry, wanted[0])
    member = change.there
    if stands[0] > timezone.localdate():
        plan = _plan(member, stands)
        move_arrival(entry, plan, starts_on=wanted[0], ends_on=wanted[1], role=_role_of(change, wanted) or plan.role)
        return
    stay = {"dossier_id": entry.dossier.pk, "member": member, "starts_on": stands[0], "ends_on": stands[1]}
    Period.objects.filter(**stay).update(starts_on=wanted[0], ends_on=wanted[1])
    if stands[1] is None:
        PlannedStay.objects.waiting().departures().filter(member=member).update(starts_on=wanted[0])
    held = RoleHolding.objects.filter(dossier_id=entry.dossier.pk, member=member, starts_on__gte=stands[0])
    for one in held.order_by("starts_on") if stands[1] is None else held.filter(starts_on__lt=stands[1]):
        starts_on, ends_on = _moved((one.starts_on, one.ends_on), stands, wanted)
        if (starts_on, ends_on) != (one.starts_on, one.ends_on):
            RoleHolding.objects.filter(dossier_id=entry.dossier.pk, pk=one.pk).update(
                starts_on=starts_on, ends_on=ends_on
            )
    said = [f"du {date_fr(first)} au {date_fr(last)}" if last else f"depuis le {date_fr(first)}" for first, last in (
        stands, wanted
    )]  # fmt: skip
    record(entry, member, KIND.EDITED, subject="présence", before=said[0], after=said[1])


def _moved(role: Stay, stands: Stay, wanted: Stay) -> Stay:
    starts_on = wanted[0] if role[0] == stands[0] else max(role[0], wanted[0])
    ends_on = role[1]
    if wanted[1] is not None and (ends_on is None or ends_on == stands[1] or ends_on > wanted[1]):
        ends_on = wanted[1]
    # What no day is left of never took effect.
    return (starts_on, ends_on) if ends_on is None or starts_on <= ends_on else (role[0], role[0])


def arrive(entry, changes: Sequence[Change]) -> None:
    entering = [change for change in changes if change.difference.enters]
    plain = plain_arrivals(entry, entering)
    together = {change.rank for change in plain}
    for change in entering:
        with about(change.rank):
            entry.access.require(Action.ADD_MEMBER)
            # First what is over, then the stay under way, then those to come.
            for stay in sorted(change.difference.enters):
                _check_birth(entry, stay[0])
                if change.rank not in together:
                    _add_stay(entry, change, stay)
    come_in(entry, plain)


def _add_stay(entry, change: Change, stay: Stay) -> None:
    today = timezone.localdate()
    if is_under_way(stay, today):
        change.member = _enter(entry, change, stay[0])
    elif stay[0] > today:
        change.member = change.member or _without_access(entry, change.target)
        plan_arrival(entry, change.member, starts_on=stay[0], ends_on=stay[1], role=_role_of(change, stay) or "")
    else:
        assert stay[1] is not None
        if change.member is None:
            change.member = _without_access(entry, change.target)
            record(entry, change.member, KIND.ADDED)
        _add_past(entry, change, stay[0], stay[1])


def _role_of(change: Change, stay: Stay) -> str | None:
    return next((piece.role for piece in change.pieces if piece.starts_on == stay[0]), None)


def _enter(entry, change: Change, day: dt.date) -> Member:
    target = change.target
    details = {"activity": target.activity} if target.activity else {}
    account = account_of(target.professional) if target.professional else None
    if change.member:
        come_back(entry, change.member, details, account=account, starts_on=day)
        return change.member
    if target.kind == roles.STRUCTURE:
        return create_house(entry, entry_kept(target.structure), {}, day)
    opened = open_row(entry, user=account, professional=target.professional)
    return create_member(entry, target.kind, opened, details | {"professional": target.professional}, day)


def _without_access(entry, target: Target) -> Member:
    """Make a member who is there no more, or not yet: his row is opened and ended, he never had an access."""
    house = entry_kept(target.structure) if target.structure else None
    opened = habilitations.open_habilitation(
        entry.dossier.pk, by=entry.user, professional=target.professional, structure=house
    )
    member = Member.objects.create(
        dossier_id=entry.dossier.pk, kind=target.kind, habilitation=opened, created_by=entry.user,
        professional=target.professional, activity=target.activity, structure=house,
    )  # fmt: skip
    habilitations.end_habilitation(opened, by=entry.user)
    member.habilitation.refresh_from_db()
    return member


def _add_past(entry, change: Change, starts_on: dt.date, ends_on: dt.date) -> None:
    Period.objects.create(
        dossier_id=entry.dossier.pk, member=change.there, starts_on=starts_on, ends_on=ends_on, end_reason=FIN,
        started_by=entry.user, ended_by=entry.user, ended_at=timezone.now(),
    )  # fmt: skip
    within = [piece for piece in change.pieces if piece.role and starts_on <= piece.starts_on < ends_on]
    unique = uniqueness(*(piece.role for piece in within if piece.role))
    board = RoleHolding.objects.board(entry.dossier.pk)
    for piece in within:
        assert piece.role is not None
        taken = [h for h in board.others(piece.role, change.there.pk, piece.starts_on) if unique[piece.role]]
        last = piece.ends_on or dt.date.max
        if any(other.starts_on < last for other in taken):
            raise NotKept("Ce rôle était tenu par un autre membre à ces dates.", "role")
        RoleHolding.objects.create(
            dossier_id=entry.dossier.pk, member=change.there, role=piece.role, exclusive=unique[piece.role],
            starts_on=piece.starts_on, ends_on=piece.ends_on, given_by=entry.user,
        )  # fmt: skip


def _check_birth(entry, day: dt.date) -> None:
    if day < entry.dossier.birth_date:
        raise NotKept("Cette date précède la naissance de la personne.", "period.start")


# ---- Roles ---------------------------------------------------------------------------------------------------------


def give_roles(entry, changes: Sequence[Change]) -> None:
    changed = [change for change in changes if change.difference.roles]
    if not changed:
        return
    unique = uniqueness(*(code for change in changed for _, code in change.difference.roles))
    board = RoleHolding.objects.board(entry.dossier.pk)
    before = board.copy()
    # What is left first: two members may exchange what only one of them can hold.
    for change in changed:
        board.clear(change.there.pk, change.difference.roles[0][0])
    for change in changed:
        with about(change.rank):
            _give(board, change, unique)
    write_board(entry, before, board)
    members = Member.objects.with_names().select_related("activity").in_bulk([change.there.pk for change in changed])
    record_many(line for change in changed for line in _told(entry, members[change.there.pk], change, before))


def _give(board: Board, change: Change, unique: dict[str, bool]) -> None:
    for day, code in change.difference.roles:
        if not code:
            board.clear(change.there.pk, day)
            continue
        try:
            board.give(change.there.pk, Part(code, unique[code]), day)
        except Blocked:
            raise RoleAlreadyHeld(role=roles.label(code)) from None


def _told(entry, member: Member, change: Change, before: Board) -> Iterator[Line]:
    for day, code in change.difference.roles:
        former = before.on(member.pk, day)
        if (former.role if former else "") != code:
            yield line_of(
                entry,
                member,
                KIND.ROLE,
                subject=from_day(day),
                before=label_of(member, former.role) if former else "",
                after=label_of(member, code) if code else "",
            )
