"""Giving roles: one at a time to a member, some to one member at a time, hand-overs to come included."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone

from circle import roles
from circle.actions.common import KIND, lock_circle, locked_member, name_for, record
from circle.errors import DateNotPossible, RoleAlreadyHeld, RoleHeldTwice, RoleNotPossible, RoleUnknown
from circle.models import Member, RoleHolding, RoleSetting
from coordination.common.french import date_fr
from coordination.directory.search.results import profession_label
from coordination.dossiers.models import Dossier
from habilitations.access import may_administer
from habilitations.errors import NotAllowed

# First half of the advisory lock of a role; a number of our own.
ROLE_LOCK = 0x20
# Beyond, it is a slip of the keyboard, which would leave the role without a holder for years.
LATEST = dt.timedelta(days=731)


@transaction.atomic
def change_role(entry, member, *, role: str, handover: dict | None = None, starts_on: dt.date | None = None) -> Member:
    """Give a member another role from a day (today by default); "" leaves him without a role.

    `handover` = {"starts_on": date, "new_role": code or ""} when the role is unique and held: the holder
    keeps his place and his access, and takes the other role that day. Raises LevelMissing,
    DossierIsReadOnly, MemberUnknown, NotPresent, RoleUnknown, RoleNotPossible, RoleAlreadyHeld.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    give_role(entry, member, role, starts_on=starts_on, handover=handover)
    return member


def hand_over_role(entry, *, role: str, from_member, to_member, starts_on: dt.date, new_role: str = "") -> Member:
    """Pass a unique role from its holder to another member on a day; raises as `change_role`."""
    if from_member.pk == to_member.pk:
        raise RoleNotPossible("La passation se fait vers un autre membre.")
    return change_role(entry, to_member, role=role, handover={"starts_on": starts_on, "new_role": new_role})


def give_role(entry, member: Member, role: str, *, starts_on=None, handover=None) -> None:
    """Do what `change_role` says, inside its transaction and under its locks. Nothing when he already has it."""
    code = roles.canonical(role)
    day = (handover or {}).get("starts_on") or starts_on or timezone.localdate()
    if day > timezone.localdate() + LATEST:
        raise DateNotPossible("Cette date est trop lointaine : une passation se prévoit deux ans à l'avance au plus.")
    stay = member.periods.current().first()
    if stay and day < stay.starts_on:
        raise DateNotPossible(f"{member.display_name} est dans le cercle depuis le {date_fr(stay.starts_on)}.")
    current = member.roles.on_day(day).first()
    if (current.role if current else "") == code:
        return
    if not code:
        end_roles(member, day)
        record(entry, member, KIND.ROLE, before=label_of(member, current.role))
        return
    _check(member, code)
    successor_role = roles.canonical((handover or {}).get("new_role") or "")
    unique = _uniqueness(code, successor_role)
    former = _make_room(entry, member, code, day, handover) if unique[code] else None
    _place(entry, member, code, day, exclusive=unique[code])
    record(
        entry,
        member,
        KIND.HANDOVER if former else KIND.ROLE,
        subject=_from(day),
        before=label_of(member, current.role) if current else "",
        after=label_of(member, code),
        other=former,
    )
    if former:
        _succeed(entry, former, code, successor_role, day, unique)


def holder_of(dossier_id, code: str, day: dt.date, *, besides: Member | None = None) -> RoleHolding | None:
    """Return the first holding of a role that lasts beyond a day, held by somebody else than `besides`."""
    found = RoleHolding.objects.from_day(day).filter(dossier_id=dossier_id, role=code).order_by("starts_on")
    if besides is not None:
        found = found.exclude(member=besides)
    return found.select_related("member__professional", "member__structure", "member__activity").first()


def end_roles(member: Member, day: dt.date) -> None:
    """End what a member holds from a day on; a hand-over to him that had not begun is called off."""
    for holding in member.roles.from_day(day):
        if holding.exclusive and holding.starts_on > day:
            _call_off(holding)
        else:
            # One that had not begun keeps an empty range: nothing is erased, nothing is held.
            _shorten(holding, day)


@transaction.atomic
def set_unique_role(role: str, unique: bool, *, by) -> RoleSetting:
    """Say whether one member at a time may hold a role, in every dossier. Administrators only.

    Raises NotAllowed, RoleUnknown, RoleHeldTwice with the number of dossiers where two members hold it now
    or will (and those of them the administrator may open as a member).
    """
    if not may_administer(by):
        raise NotAllowed
    code = roles.canonical(role)
    if roles.get(code) is None:
        raise RoleUnknown
    _lock_roles([code], shared=False)
    if unique:
        _refuse_doubles(code, by)
    setting, _ = RoleSetting.objects.update_or_create(role=code, defaults={"unique": unique, "changed_by": by})
    RoleHolding.objects.from_day(timezone.localdate()).filter(role=code).update(exclusive=unique)
    return setting


def label_of(member: Member, code: str) -> str:
    """Return the role in the words of the list: a professional of care is shown by the profession."""
    profession, fonction = member.profession_codes
    shown = profession_label(profession, feminine=member.is_feminine, fonction=fonction)
    return roles.label(code, feminine=member.is_feminine, profession=shown)


def _check(member: Member, code: str) -> None:
    if roles.get(code) is None:
        raise RoleUnknown
    sentence = roles.why_not(code, member.kind, member.profession_codes[0])
    if sentence:
        raise RoleNotPossible(sentence)


def _uniqueness(*codes: str) -> dict[str, bool]:
    """Return {code: unique}, which an administrator cannot change before the end of the transaction."""
    wanted = sorted(set(filter(None, codes)))
    _lock_roles(wanted, shared=True)
    settings = dict(RoleSetting.objects.filter(role__in=wanted).values_list("role", "unique"))
    return {code: roles.is_unique(code, settings) for code in wanted}


def _lock_roles(codes: Iterable[str], *, shared: bool) -> None:
    lock = "SELECT pg_advisory_xact_lock_shared(%s, %s)" if shared else "SELECT pg_advisory_xact_lock(%s, %s)"
    with connection.cursor() as cursor:
        for code in codes:
            # Signed 32 bits, as PostgreSQL wants.
            cursor.execute(lock, [ROLE_LOCK, zlib.crc32(code.encode()) - 2**31])


def _make_room(entry, member: Member, code: str, day: dt.date, handover: dict | None) -> Member | None:
    """End the holder's role on the day of the hand-over; return him. Raises RoleAlreadyHeld without one."""
    held = holder_of(entry.dossier.pk, code, day, besides=member)
    if held is None:
        return None
    if handover is None or held.starts_on > day:
        raise _already_held(entry, held)
    later = RoleHolding.objects.from_day(day).filter(dossier_id=entry.dossier.pk, role=code, starts_on__gt=day)
    # Somebody else is already to take over later: one plan at a time.
    planned = later.exclude(member=member).select_related("member__professional", "member__structure").first()
    if planned:
        raise _already_held(entry, planned)
    _shorten(held, day)
    return held.member


def _already_held(entry, held: RoleHolding) -> RoleAlreadyHeld:
    name = name_for(entry, held.member)
    return RoleAlreadyHeld(
        role=label_of(held.member, held.role),
        holder=name,
        since=date_fr(held.starts_on),
        holder_id=held.member_id if name else None,
        to_come=held.starts_on > timezone.localdate(),
    )


def _succeed(entry, former: Member, code: str, successor_role: str, day: dt.date, unique: dict[str, bool]) -> None:
    """Give the former holder the role agreed on, or the one of his profession."""
    new = successor_role or roles.usual(former.kind, *former.profession_codes)
    if new == code:
        new = ""
    if new:
        _check(former, new)
        if unique.get(new):
            held = holder_of(entry.dossier.pk, new, day, besides=former)
            if held:
                raise _already_held(entry, held)
        _place(entry, former, new, day, exclusive=unique.get(new, False))
    record(entry, former, KIND.ROLE, subject=_from(day), before=label_of(former, code), after=label_of(former, new))


def _place(entry, member: Member, code: str, day: dt.date, *, exclusive: bool) -> None:
    end_roles(member, day)
    RoleHolding.objects.create(
        dossier_id=entry.dossier.pk, member=member, role=code, exclusive=exclusive, starts_on=day, given_by=entry.user
    )


def _call_off(planned: RoleHolding) -> None:
    """Give the role back to who was to hand it over, if he is still there, until the hand-over that follows."""
    day, until = planned.starts_on, planned.ends_on
    before = (
        RoleHolding.objects.filter(dossier_id=planned.dossier_id, role=planned.role, ends_on=day)
        .exclude(member_id=planned.member_id)
        .exclude(starts_on=day)
        .select_related("member")
        .first()
    )
    _shorten(planned, day)
    if before is None or not before.member.periods.current().exists():
        return
    for replaced in before.member.roles.from_day(day).filter(starts_on__gte=day):
        _put_off(replaced, until)
    before.ends_on = until
    before.save(update_fields=["ends_on"])


def _put_off(holding: RoleHolding, day: dt.date | None) -> None:
    """Make a role to come begin on that day; one that would be over by then, or without a day, never takes effect."""
    if day is None or (holding.ends_on is not None and holding.ends_on <= day):
        _shorten(holding, holding.starts_on)
    elif holding.starts_on < day:
        holding.starts_on = day
        holding.save(update_fields=["starts_on"])


def _shorten(holding: RoleHolding, day: dt.date) -> None:
    holding.ends_on = max(holding.starts_on, day)
    holding.save(update_fields=["ends_on"])


_DOUBLES = """
SELECT DISTINCT one.dossier_id FROM circle_roleholding one
JOIN circle_roleholding two ON two.dossier_id = one.dossier_id AND two.role = one.role AND two.id > one.id
    AND daterange(two.starts_on, two.ends_on) && daterange(one.starts_on, one.ends_on)
WHERE one.role = %s AND (one.ends_on IS NULL OR one.ends_on > %s) AND (two.ends_on IS NULL OR two.ends_on > %s)
"""


def _refuse_doubles(code: str, by) -> None:
    today = timezone.localdate()
    with connection.cursor() as cursor:
        cursor.execute(_DOUBLES, [code, today, today])
        dossiers = [line[0] for line in cursor.fetchall()]
    if dossiers:
        own = Dossier.objects.visible_to(by).filter(pk__in=dossiers).values_list("pk", flat=True)
        raise RoleHeldTwice(role=roles.label(code), count=len(dossiers), dossier_ids=own)


def _from(day: dt.date) -> str:
    """Return the day in words when it is not today's, for the history."""
    return f"à partir du {date_fr(day)}" if day > timezone.localdate() else ""
