"""Agendas as a software declares them, and what the software of an account changes in the agenda of its page.

GAP flows 2 and 3 (agenda.md §3.2, §3.3). The rows are those of the screens: what is declared of a professional is
read by who looks for a common time (AGD-18), and an agenda made on a page is changed here by the same rules.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from agenda.actions.horizon import rewrite, rewrite_all
from agenda.actions.schedules import touch
from agenda.actions.taking import let_go, let_go_of
from agenda.errors import NotInYourAgenda, OpeningTooLong, RangeRefused
from agenda.models import (
    Absence,
    Appointment,
    LeftOutside,
    Occupation,
    Opening,
    OpenTime,
    Schedule,
    ScheduleActor,
    ServiceType,
)
from agenda.recurrence import RecurrenceRefused, check
from agenda.rule_formats import LONGEST_TEXT, rule_to_text
from agenda.rules import Rule
from agenda.zones import wall_text
from coordination.accounts.models import User
from coordination.directory.models import Attachment
from habilitations.traces import NOWHERE, Via

DAY = dt.timedelta(days=1)
Range = Opening | Absence


@dataclass(frozen=True)
class ActorSaid:
    """One of those whose agenda it is: the resource that names him, and whose time it takes."""

    type: str
    target: UUID
    key: UUID


@dataclass(frozen=True)
class ServiceSaid:
    """A kind of appointment, by a code of a table (`system` blank: ours), and how long it lasts."""

    system: str
    code: str
    minutes: int
    sent: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class RangeSaid:
    """A time when one may be asked (`is_open`) or may not, on the clock of `zone`.

    `id`: the range of this agenda that it is, None for another. `number`: its place in what was sent, for refusals.
    """

    id: UUID | None
    number: int
    is_open: bool
    starts: dt.datetime
    ends: dt.datetime
    zone: str
    rule: Rule | None = None
    priority: int = 0
    sent: Mapping[str, Any] | None = None

    @property
    def columns(self) -> dict[str, Any]:
        rule = rule_to_text(self.rule) if self.rule else ""
        return {
            "starts": wall_text(self.starts), "ends": wall_text(self.ends), "zone": self.zone, "rule": rule,
            "priority": self.priority,
        }  # fmt: skip


@dataclass(frozen=True)
class ScheduleSaid:
    """A whole agenda. `key`: whose time it is, None for the agenda's own. `person`: the dossier it is around."""

    key: UUID | None
    zone: str
    name: str = ""
    active: bool = True
    valid_from: dt.datetime | None = None
    valid_until: dt.datetime | None = None
    person: UUID | None = None
    actors: Sequence[ActorSaid] = ()
    services: Sequence[ServiceSaid] = ()
    ranges: Sequence[RangeSaid] = field(default_factory=tuple)

    @property
    def columns(self) -> dict[str, Any]:
        return {
            name: getattr(self, name) for name in ("zone", "name", "active", "valid_from", "valid_until", "person")
        }


@transaction.atomic
def declare_schedule(said: ScheduleSaid, *, by: User, owner: str, id: UUID, via: Via = NOWHERE) -> Schedule:
    """Make the agenda that a software declares; `id` names the call: the same twice makes one (REL-7).

    `owner`: the caller, who alone changes it. Raises RangeRefused, with the place of the range that is refused.
    Source: agenda.md §3.2, GAP-20, GAP-24.
    """
    if made := Schedule.objects.filter(pk=id, owner=owner).first():
        return made
    made = Schedule.objects.create(pk=id, key=said.key or id, owner=owner, **said.columns)
    _replace_actors(made, said.actors)
    _replace_services(made, said.services)
    _replace_ranges(made, said.ranges, by)
    touch(made, by=by, via=via)
    return made


@transaction.atomic
def change_declared(schedule: Schedule, said: ScheduleSaid, *, by: User, owner: str, via: Via = NOWHERE) -> bool:
    """Replace what an agenda says; return whether anything changed. What is the same is left as it stands (GAP-41).

    Of the agenda of an account, its own software alone; its actors do not change. An availability withdrawn leaves
    what is booked under it, and a person is told (GAP-40). Raises NotInYourAgenda, RangeRefused.
    Source: agenda.md §3.2, §3.3, GAP-26, GAP-31 to GAP-33.
    """
    found = locked_declared(schedule.pk, by=by, owner=owner)
    covered = _covered(found)
    columns = said.columns | ({} if found.user_id else {"key": said.key or found.pk})
    if found.user_id:
        del columns["person"]
    changed = [name for name, value in columns.items() if getattr(found, name) != value]
    before = found.key
    for name in changed:
        setattr(found, name, columns[name])
    if changed:
        found.save(update_fields=changed)
    if "key" in changed:
        let_go_of(before, found.absences.values_list("pk", flat=True))
    others = [] if found.user_id else [_replace_actors(found, said.actors)]
    others += [_replace_services(found, said.services), _replace_ranges(found, said.ranges, by)]
    if {"key", "active", "valid_from", "valid_until"}.intersection(changed):
        rewrite_all(found)
    if not (changed or any(others)):
        return False
    _tell(found, covered)
    touch(found, by=by, via=via)
    return True


@transaction.atomic
def delete_declared(schedule: Schedule, *, by: User, owner: str, via: Via = NOWHERE) -> None:
    """Take away an agenda that this software declared, with its ranges; what is booked stays booked (GAP-27, GAP-40).

    Raises NotInYourAgenda: another's, or that of an account, which its page alone changes.
    """
    found = locked_declared(schedule.pk, by=by, owner=owner)
    if found.user_id:
        raise NotInYourAgenda
    covered = _covered(found)
    let_go(*found.absences.values_list("pk", flat=True))
    touch(found, by=by, via=via)
    tell = _left(found, covered) if covered else []
    found.delete()
    _write_told(tell)


@transaction.atomic
def leave_declared(schedule: Schedule, gone: tuple[str, UUID], *, by: User, owner: str, via: Via = NOWHERE) -> bool:
    """Take an actor who is no more, told by (type, id), out of an agenda; return whether the agenda goes with him.

    It goes when he was its only one; else it stays with the others (GAP-12, GAP-13). Raises NotInYourAgenda.
    Source: agenda.md §3.1.
    """
    found = locked_declared(schedule.pk, by=by, owner=owner)
    others = found.actors.exclude(type=gone[0], target=gone[1])
    if not others.exists():
        delete_declared(found, by=by, owner=owner, via=via)
        return True
    found.actors.filter(type=gone[0], target=gone[1]).delete()
    keys = set(others.values_list("key", flat=True))
    key = keys.pop() if len(keys) == 1 else found.pk
    if key != found.key:
        let_go_of(found.key, found.absences.values_list("pk", flat=True))
        found.key = key
        found.save(update_fields=["key"])
        rewrite_all(found)
    touch(found, by=by, via=via)
    return False


def locked_declared(pk: UUID, *, by: User, owner: str) -> Schedule:
    """Return an agenda that this caller may change, as stored now, locked. Raises NotInYourAgenda."""
    own = Q(user=by) | (Q(user=None) & Q(owner=owner) & ~Q(owner=""))
    found = Schedule.objects.select_for_update(of=("self",)).filter(own, pk=pk).first()
    if found is None:
        raise NotInYourAgenda
    return found


def keys_of(schedule: Schedule) -> set[UUID]:
    """Return the keys of all whose time this agenda takes, its own included."""
    return {schedule.key, *schedule.actors.values_list("key", flat=True)}


# ---- What an agenda holds ----------------------------------------------------------------------------------------


def _replace_actors(schedule: Schedule, said: Sequence[ActorSaid]) -> bool:
    before = list(schedule.actors.order_by("position").values_list("type", "target", "key"))
    if before == [(one.type, one.target, one.key) for one in said]:
        return False
    schedule.actors.all().delete()
    ScheduleActor.objects.bulk_create(
        ScheduleActor(schedule=schedule, type=one.type, target=one.target, key=one.key, position=place)
        for place, one in enumerate(said)
    )
    return True


def _replace_services(schedule: Schedule, said: Sequence[ServiceSaid]) -> bool:
    wanted = {(one.system, one.code): one for one in said}
    there = {(row.system, row.code): row for row in schedule.service_types.all()}
    gone = [row.pk for pair, row in there.items() if pair not in wanted]
    if gone:
        schedule.service_types.filter(pk__in=gone).delete()
    changed = bool(gone)
    for pair, one in wanted.items():
        row = there.get(pair) or ServiceType(schedule=schedule, system=one.system, code=one.code)
        sent = dict(one.sent) if one.sent else None
        if row._state.adding or (row.minutes, row.sent) != (one.minutes, sent):
            row.minutes, row.sent, changed = one.minutes, sent, True
            row.save()
    return changed


def _replace_ranges(schedule: Schedule, said: Sequence[RangeSaid], by: User) -> bool:
    there: dict[UUID, Range] = {}
    there.update((row.pk, row) for row in schedule.openings.all())
    there.update((row.pk, row) for row in schedule.absences.all())
    changed = False
    for one in said:
        row = there.pop(one.id, None) if one.id else None
        if row is not None and isinstance(row, Opening) != one.is_open:
            # Open where it was closed: another range.
            _remove(row)
            row = None
        try:
            changed |= _write(schedule, row, one, by)
        except RecurrenceRefused as refusal:
            raise RangeRefused(refusal.message, number=one.number) from None
    for row in there.values():
        _remove(row)
    return changed or bool(there)


def _write(schedule: Schedule, row: Range | None, said: RangeSaid, by: User) -> bool:
    columns, sent = said.columns, dict(said.sent) if said.sent else None
    if row is not None and row.sent == sent and all(getattr(row, name) == value for name, value in columns.items()):
        return False
    check(said.starts, ZoneInfo(said.zone), said.ends - said.starts, said.rule)
    if said.is_open and said.ends - said.starts > DAY:
        raise RangeRefused(OpeningTooLong.message, number=said.number)
    if len(columns["rule"]) > LONGEST_TEXT:
        raise RangeRefused(number=said.number)
    if row is None:
        model: type[Range] = Opening if said.is_open else Absence
        row = model(schedule=schedule, created_by=by)
    else:
        row.version += 1
    for name, value in (columns | {"sent": sent}).items():
        setattr(row, name, value)
    row.save()
    rewrite(schedule, row)
    return True


def _remove(row: Range) -> None:
    if isinstance(row, Absence):
        let_go(row.pk)
    row.delete()


# ---- What is booked and stays so ---------------------------------------------------------------------------------


def _booked(schedule: Schedule) -> QuerySet[Occupation]:
    kinds = (Occupation.Kind.APPOINTMENT, Occupation.Kind.RECEIVED)
    return Occupation.objects.filter(key__in=keys_of(schedule), kind__in=kinds, ends_at__gt=timezone.now())


def _around(**of: Any) -> Exists:
    return Exists(
        OpenTime.objects.filter(starts_at__lte=OuterRef("starts_at"), ends_at__gte=OuterRef("ends_at"), **of)
    )


def _covered(schedule: Schedule) -> list[UUID]:
    """Return what is booked within the openings of this agenda."""
    return list(_booked(schedule).filter(_around(opening__schedule=schedule)).values_list("pk", flat=True))


def _tell(schedule: Schedule, covered: Sequence[UUID]) -> None:
    """Tell somebody of what was covered by this agenda, and is covered by nothing any more."""
    if not covered:
        return
    still = _around(key=OuterRef("key")) | _around(opening__schedule=schedule)
    left = Occupation.objects.filter(~still, pk__in=covered)
    _write_told(_told_of(left))


def _left(schedule: Schedule, covered: Sequence[UUID]) -> list[LeftOutside]:
    """Return what is to be told of an agenda about to go."""
    others = OpenTime.objects.exclude(opening__schedule=schedule).filter(
        key=OuterRef("key"), starts_at__lte=OuterRef("starts_at"), ends_at__gte=OuterRef("ends_at")
    )
    return _told_of(Occupation.objects.filter(~Exists(others), pk__in=covered))


def _told_of(left: Iterable[Occupation]) -> list[LeftOutside]:
    """Of each, whom to tell: who has an account for this time, else who organised the appointment."""
    left = list(left)
    keys = {one.key for one in left}
    accounts = dict(User.objects.filter(pk__in=keys, is_active=True).values_list("pk", "pk"))
    listed = Attachment.objects.filter(professional__in=keys, user__is_active=True)
    accounts |= dict(listed.values_list("professional_id", "user_id"))
    without = [one.source for one in left if one.key not in accounts]
    organisers = dict(Appointment.objects.filter(pk__in=without).values_list("pk", "organizer_id")) if without else {}
    told = ((one, accounts.get(one.key) or organisers.get(one.source)) for one in left)
    return [LeftOutside(key=one.key, source=one.source, told_id=user) for one, user in told if user]


def _write_told(rows: Sequence[LeftOutside]) -> None:
    LeftOutside.objects.bulk_create(rows, ignore_conflicts=True)
