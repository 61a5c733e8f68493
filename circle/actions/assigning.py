"""Giving roles: one at a time to a member, some to one member at a time, hand-overs to come included."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from circle import roles
from circle.actions.common import KIND, lock_circle, locked_member, name_for, next_version, record
from circle.actions.planning import label_of, member_of, write_board
from circle.errors import (
    DateNotPossible,
    HandoverInThePast,
    NothingPlanned,
    RoleAlreadyHeld,
    RoleHeldThen,
    RoleHeldTwice,
    RoleNotPossible,
    RolePlanned,
    RoleUnknown,
)
from circle.models import Member, RoleHolding, RoleSetting
from circle.plans import Blocked, Board, Given, Held, Part
from coordination.common.french import date_fr
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.access import may_administer
from habilitations.errors import NotAllowed
from habilitations.traces import NOWHERE, Via, record_account

# First half of the advisory lock of a role; a number of our own.
ROLE_LOCK = 0x20
# Beyond, it is a slip of the keyboard, which would leave the role without a holder for years.
LATEST = dt.timedelta(days=731)


@transaction.atomic
def change_role(
    entry, member, *, role: str, handover: dict | None = None, starts_on: dt.date | None = None,
    version: int | None = None,
) -> Member:  # fmt: skip
    """Give a member another role from a day (today by default); "" leaves him without a role.

    `handover` = {"starts_on": date, "new_role": code or "", "from_member": id of the holder it was agreed with, or
    none} when the role is unique and held: the holder keeps his place and his access, and takes the other role that
    day, today at the soonest. A hand-over already planned is moved, with the role first agreed unless another is
    given; plans this contradicts are called off and told. `version`: that of the sheet that was read.

    Raises LevelMissing, DossierIsReadOnly, MemberUnknown, NotPresent, ChangedMeanwhile, RoleUnknown, RoleNotPossible,
    DateNotPossible, HandoverInThePast, RoleAlreadyHeld (with RoleHeldThen and RolePlanned).
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    if version is not None and member.version != version:
        raise ChangedMeanwhile
    if give_role(entry, member, role, starts_on=starts_on, handover=handover):
        next_version(member)
    return member


@transaction.atomic
def call_off_plan(entry, member, *, day: dt.date) -> Member:
    """Call off the hand-over, or the change of role, planned for a member on that day: everybody keeps his role.

    It may be planned to him or from him. Raises LevelMissing, DossierIsReadOnly, MemberUnknown, NotPresent,
    NothingPlanned (moved or called off meanwhile).
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    board = RoleHolding.objects.board(entry.dossier.pk)
    before = board.copy()
    planned = board.plan_on(member.pk, day)
    if planned is None:
        raise NothingPlanned
    board.call_off(planned)
    if member.pk in write_board(entry, before, board, but=member.pk):
        next_version(member)
    return member


def hand_over_role(entry, *, role: str, from_member, to_member, starts_on: dt.date, new_role: str = "") -> Member:
    """Pass a unique role from its holder to another member on a day; raises as `change_role`."""
    if from_member.pk == to_member.pk:
        raise RoleNotPossible("La passation se fait vers un autre membre.")
    agreed = {"starts_on": starts_on, "new_role": new_role, "from_member": from_member.pk}
    return change_role(entry, to_member, role=role, handover=agreed)


def give_role(entry, member: Member, role: str, *, starts_on=None, handover=None) -> bool:
    """Do what `change_role` says, inside its transaction and under its locks; say whether his roles changed.

    The role is his from that day on: a plan of the same role is moved to that day, any other plan of his that
    begins later is called off, and told. Nothing when he already has it for good.
    """
    code = roles.canonical(role)
    day = (handover or {}).get("starts_on") or starts_on or timezone.localdate()
    _check_day(member, day)
    board = RoleHolding.objects.board(entry.dossier.pk)
    before = board.copy()
    current = before.on(member.pk, day)
    if not code:
        board.clear(member.pk, day)
        touched = write_board(entry, before, board, but=member.pk)
        if current:
            record(entry, member, KIND.ROLE, subject=from_day(day), before=label_of(member, current.role))
        return member.pk in touched
    if current is None or current.role != code:
        _check(member, code)
    try:
        given = _give(entry, board, member, code, day, handover)
    except Blocked as blocked:
        raise _refusal(entry, blocked.held) from None
    touched = write_board(entry, before, board, but=member.pk)
    _tell_given(entry, member, given, current)
    return member.pk in touched


def give_first_role(member: Member, role: str, *, by) -> None:
    """Give the first member of a new dossier his role, today. Raises RoleUnknown, RoleNotPossible."""
    code = roles.canonical(role)
    _check(member, code)
    RoleHolding.objects.create(
        dossier_id=member.dossier_id,
        member=member,
        role=code,
        exclusive=uniqueness(code)[code],
        starts_on=timezone.localdate(),
        given_by=by,
    )


@transaction.atomic
def set_unique_role(role: str, unique: bool, *, by, via: Via = NOWHERE) -> RoleSetting:
    """Say whether one member at a time may hold a role, in every dossier. Administrators only.

    Raises NotAllowed, RoleUnknown, RoleHeldTwice with the dossiers where two members hold it now or will: their
    ids, which open nothing to an administrator (rule 10).
    """
    if not may_administer(by):
        raise NotAllowed
    code = roles.canonical(role)
    if roles.get(code) is None:
        raise RoleUnknown
    _lock_roles([code], shared=False)
    if unique:
        _refuse_doubles(code)
    setting, _ = RoleSetting.objects.update_or_create(role=code, defaults={"unique": unique, "changed_by": by})
    RoleHolding.objects.from_day(timezone.localdate()).filter(role=code).update(exclusive=unique)
    said = "rôle unique" if unique else "fin de rôle unique"
    record_account(user=by, action=said, object_kind=f"rôle {code}", via=via)
    return setting


def uniqueness(*codes: str) -> dict[str, bool]:
    """Return {code: unique}, which an administrator cannot change before the end of the transaction."""
    wanted = sorted(set(filter(None, codes)))
    _lock_roles(wanted, shared=True)
    settings = dict(RoleSetting.objects.filter(role__in=wanted).values_list("role", "unique"))
    return {code: roles.is_unique(code, settings) for code in wanted}


def _check_day(member: Member, day: dt.date) -> None:
    if day > timezone.localdate() + LATEST:
        raise DateNotPossible("Cette date est trop lointaine : une passation se prévoit deux ans à l’avance au plus.")
    stay = member.periods.current().first()
    if stay and day < stay.starts_on:
        raise DateNotPossible(f"{member.display_name} est dans le cercle depuis le {date_fr(stay.starts_on)}.")


def _check(member: Member, code: str) -> None:
    if roles.get(code) is None:
        raise RoleUnknown
    sentence = roles.why_not(code, member.kind, member.profession_codes[0])
    if sentence:
        raise RoleNotPossible(sentence)


def _lock_roles(codes: Iterable[str], *, shared: bool) -> None:
    lock = "SELECT pg_advisory_xact_lock_shared(%s, %s)" if shared else "SELECT pg_advisory_xact_lock(%s, %s)"
    with connection.cursor() as cursor:
        for code in codes:
            # Signed 32 bits, as PostgreSQL wants.
            cursor.execute(lock, [ROLE_LOCK, zlib.crc32(code.encode()) - 2**31])


def _give(entry, board: Board, member: Member, code: str, day: dt.date, handover: dict | None) -> Given:
    part = Part(code, uniqueness(code)[code])
    if handover is None or not part.exclusive:
        return board.give(member.pk, part, day)
    planned = board.planned(member.pk, code, day)
    moved_from = board.former(planned) if planned else None
    holder = moved_from or next(iter(board.others(code, member.pk, day)), None)
    agreed_with = handover.get("from_member")
    if holder and agreed_with and holder.member != agreed_with:
        # Somebody else holds it by now: what was agreed was agreed with another.
        raise Blocked(holder)
    if holder and day < board.today and holder.beyond(board.today):
        raise HandoverInThePast
    new = _next_role(entry, holder, handover, is_moved=moved_from is not None) if holder else ""
    successor = None if moved_from and not new else Part(new, uniqueness(new).get(new, False))
    return board.give(member.pk, part, day, successor=successor)


def _next_role(entry, holder: Held, handover: dict, *, is_moved: bool) -> str:
    """Return what the holder becomes: what was agreed, else what his profession says; "" for none.

    A hand-over that is only moved says nothing new of it. Raises RoleUnknown, RoleNotPossible.
    """
    former = member_of(entry, holder)
    new = roles.canonical(handover.get("new_role") or "")
    if not new and not is_moved:
        new = roles.usual(former.kind, *former.profession_codes)
    new = "" if new == holder.role else new
    if new:
        _check(former, new)
    return new


def _tell_given(entry, member: Member, given: Given, current: Held | None) -> None:
    former = member_of(entry, given.former) if given.former else None
    if given.placed:
        record(
            entry,
            member,
            KIND.HANDOVER if former else KIND.ROLE,
            subject=from_day(given.placed.starts_on),
            before=label_of(member, current.role) if current else "",
            after=label_of(member, given.placed.role),
            other=former,
        )
    if former:
        ends_on, new = given.former.ends_on, given.successor
        record(
            entry,
            former,
            KIND.ROLE,
            subject=from_day(ends_on),
            before=label_of(former, given.former.role),
            after=label_of(former, new.role) if new else "",
        )


def _refusal(entry, held: Held) -> RoleAlreadyHeld:
    """Return the sentence that fits: somebody holds the role, has held it since that day, or is to take it."""
    today, member = timezone.localdate(), member_of(entry, held)
    name = name_for(entry, member)
    said = {
        "role": label_of(member, held.role),
        "holder": name,
        "since": date_fr(held.starts_on),
        "holder_id": member.pk if name else None,
    }
    if held.starts_on > today:
        return RolePlanned(**said)
    if held.ends_on is not None and held.ends_on <= today:
        return RoleHeldThen(until=date_fr(held.ends_on), **said)
    return RoleAlreadyHeld(**said)


_DOUBLES = """
SELECT DISTINCT one.dossier_id FROM circle_roleholding one
JOIN circle_roleholding two ON two.dossier_id = one.dossier_id AND two.role = one.role AND two.id > one.id
    AND daterange(two.starts_on, two.ends_on) && daterange(one.starts_on, one.ends_on)
WHERE one.role = %s AND (one.ends_on IS NULL OR one.ends_on > %s) AND (two.ends_on IS NULL OR two.ends_on > %s)
ORDER BY one.dossier_id
"""


def _refuse_doubles(code: str) -> None:
    today = timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute(_DOUBLES, [code, today, today])
        dossiers = [line[0] for line in cursor.fetchall()]
    if dossiers:
        raise RoleHeldTwice(role=roles.label(code), dossier_ids=dossiers)


def from_day(day: dt.date) -> str:
    """Return the day in words when it is not today's, for the history."""
    return f"à partir du {date_fr(day)}" if day > timezone.localdate() else ""
