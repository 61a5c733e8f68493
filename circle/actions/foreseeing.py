"""What is planned of a presence: noted, moved, called off, and carried out on its day by the acts of the screens.

A plan opens and closes nothing before its day. On the day it is done as its author would do it then, with the rights
he has then; what cannot be done says why, and is tried again until it can or until somebody calls it off. Of a
departure the access closes on its day whatever happens: it was given until then, and no longer.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from circle import roles
from circle.actions.adding import come_back
from circle.actions.assigning import LATEST, give_role, uniqueness
from circle.actions.common import (
    APPLICATION,
    KIND,
    RIGHT,
    account_of,
    lock_circle,
    locked_member,
    next_version,
    record,
    said_of_state,
)
from circle.actions.leaving import OPENING, end_stay, require_right_to_remove
from circle.errors import DateNotPossible, NotPresent, RemovalReasonMissing, RoleAlreadyHeld, StayNotPlanned
from circle.history import ARRIVAL, DAY_OF_DEPARTURE, DEPARTURE
from circle.models import Change, Member, Period, PlannedStay, RoleHolding
from circle.participants import FURTHEST
from coordination.common.constraints import sentence_of
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.dossiers import door
from coordination.dossiers.errors import ChangedMeanwhile, DossierIsReadOnly
from coordination.dossiers.models import Dossier
from habilitations.actions.sleeping import close_by_nobody
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.keepers import is_last_keeper, require_another_keeper
from habilitations.models import Habilitation
from habilitations.rubriques import Action, Niveau, Rubrique
from habilitations.sharing_errors import LastKeeper
from habilitations.traces import record_link

Outcome = PlannedStay.Outcome
RIGHT_LOST = "La personne qui l’avait prévu n’en a plus le droit."


@transaction.atomic
def plan_departure(
    entry, member, *, on: dt.date, reason: str, note: str = "", version: int | None = None
) -> PlannedStay:
    """Note the day a present member is to leave, or another day than the one noted. `reason`: a Period.EndReason.

    Nothing changes before that day: his place, his roles, his access. Needs what `remove_member` needs. Raises
    GrantNotAllowed, RemovalReasonMissing, ChangedMeanwhile, NotPresent, MemberUnknown, DateNotPossible.
    """
    lock_circle(entry)
    member = locked_member(entry, member)
    require_right_to_remove(entry, member)
    if reason not in Period.EndReason.values:
        raise RemovalReasonMissing
    if version is not None and member.version != version:
        raise ChangedMeanwhile
    return set_planned_end(entry, member, on, reason=reason, note=note)


def set_planned_end(entry, member: Member, on: dt.date, *, reason: str, note: str = "") -> PlannedStay:
    """Do what `plan_departure` says, inside its transaction and under its locks. Raises DateNotPossible."""
    today = timezone.localdate()
    if on <= today:
        raise DateNotPossible("Un départ se prévoit à partir de demain.", field="day")
    if on > today + FURTHEST:
        raise DateNotPossible(
            "Cette date est trop lointaine : un départ se prévoit dix ans à l’avance au plus.", field="day"
        )
    period = member.periods.current().first()
    if period is None:
        raise NotPresent(name=member.display_name)
    plan = PlannedStay.objects.waiting().filter(dossier_id=entry.dossier.pk, period=period).first()
    before = plan.ends_on if plan else None
    plan = plan or PlannedStay(dossier_id=entry.dossier.pk, member=member, period=period, planned_by=entry.user)
    said = reason, note.strip()[:300]
    if before == on and (plan.reason, plan.note) == said and not plan.hindrance:
        return plan
    # Who moves it answers for it on the day.
    plan.planned_by, plan.hindrance = entry.user, ""
    plan.starts_on, plan.ends_on = period.starts_on, on
    plan.reason, plan.note = said
    plan.save()
    next_version(member)
    # On the same day, why he leaves was said otherwise.
    record(entry, member, KIND.PLANNED, subject=DEPARTURE, before=_fr(before), after=date_fr(on))
    return plan


def plan_arrival(
    entry, member: Member, *, starts_on: dt.date, ends_on: dt.date | None = None, role: str = ""
) -> PlannedStay:
    """Note, inside the caller's transaction and locks, the day somebody who is not in the circle is to come in.

    He comes in then without any access, as whoever a software names does. Raises NotAllowed (ADD_MEMBER),
    DateNotPossible, RoleAlreadyHeld (nobody is to leave the role by then).
    """
    entry.access.require(Action.ADD_MEMBER)
    _check_arrival(starts_on)
    _check_role(entry, member, role, starts_on)
    plans = PlannedStay.objects.waiting().arrivals().filter(dossier_id=entry.dossier.pk, member=member)
    if hindered := plans.exclude(hindrance="").first():
        # Its day has gone by: this is the next one.
        move_arrival(entry, hindered, starts_on=starts_on, ends_on=ends_on, role=role)
        return hindered
    plan = PlannedStay.objects.create(
        dossier_id=entry.dossier.pk, member=member, starts_on=starts_on, ends_on=ends_on, role=role,
        planned_by=entry.user,
    )  # fmt: skip
    record(entry, member, KIND.PLANNED, subject=ARRIVAL, after=date_fr(starts_on))
    return plan


def move_arrival(
    entry, plan: PlannedStay, *, starts_on: dt.date, ends_on: dt.date | None, role: str
) -> None:  # fmt: skip
    """Change what was noted of an arrival, inside the caller's transaction and locks. Raises as `plan_arrival`."""
    entry.access.require(Action.ADD_MEMBER)
    _check_arrival(starts_on)
    if role != plan.role:
        _check_role(entry, plan.member, role, starts_on)
    before = plan.starts_on
    plan.starts_on, plan.ends_on, plan.role = starts_on, ends_on, role
    plan.planned_by, plan.hindrance = entry.user, ""
    plan.save()
    if before != starts_on:
        record(entry, plan.member, KIND.PLANNED, subject=ARRIVAL, before=date_fr(before), after=date_fr(starts_on))


@transaction.atomic
def call_off_stay(entry, plan_id: UUID) -> PlannedStay:
    """Call off a departure or an arrival that was planned: things stay as they are.

    Needs the right to remove for a departure, to add for an arrival. Raises GrantNotAllowed, NotAllowed,
    StayNotPlanned (done, or called off meanwhile).
    """
    lock_circle(entry)
    # Of a member he may not see, unknown and hidden are told alike.
    shown = Member.objects.shown_to(entry.access).filter(dossier_id=entry.dossier.pk).values("pk")
    plans = PlannedStay.objects.waiting().filter(dossier_id=entry.dossier.pk, member__in=shown)
    plan = plans.select_for_update(of=("self",)).filter(pk=plan_id).first()
    if plan is None:
        raise StayNotPlanned
    member = locked_member(entry, plan.member, present=plan.period_id is not None)
    call_off(entry, member, plan)
    return plan


def call_off(entry, member: Member, plan: PlannedStay) -> None:
    """Do what `call_off_stay` says, inside its transaction and under its locks."""
    leaves = plan.period_id is not None
    if leaves:
        require_right_to_remove(entry, member)
    else:
        entry.access.require(Action.ADD_MEMBER)
    _close(plan, Outcome.CALLED_OFF)
    next_version(member)
    record(entry, member, KIND.PLANNED, subject=DEPARTURE if leaves else ARRIVAL, before=date_fr(plan.day))


def _check_arrival(day: dt.date) -> None:
    today = timezone.localdate()
    if not today < day <= today + LATEST:
        raise DateNotPossible("Une arrivée se prévoit à partir de demain, et deux ans à l’avance au plus.")


def _check_role(entry, member: Member, role: str, day: dt.date) -> None:
    """Refuse a unique role that somebody holds and is not to leave by that day."""
    if not role or not uniqueness(role)[role]:
        return
    others = RoleHolding.objects.board(entry.dossier.pk).others(role, member.pk, day)
    leaving = PlannedStay.objects.waiting().departures().filter(dossier_id=entry.dossier.pk, ends_on__lte=day)
    if {held.member for held in others} - set(leaving.values_list("member_id", flat=True)):
        raise RoleAlreadyHeld(role=roles.label(role))


def _close(plan: PlannedStay, outcome: str) -> None:
    plan.closed_at, plan.outcome = timezone.now(), outcome
    plan.save(update_fields=["closed_at", "outcome"])


def _fr(day: dt.date | None) -> str:
    return date_fr(day) if day else ""


# ---- On the day ----------------------------------------------------------------------------------------------------


def carry_out_plans() -> int:
    """Do what was planned for today or before. Returns how much was done.

    Each plan in a transaction of its own, once: the task may be killed and run again at any moment.
    """
    due = PlannedStay.objects.due(timezone.localdate()).values_list("pk", "dossier_id")
    return sum(_carry_out(plan_id, dossier_id) for plan_id, dossier_id in list(due))


def _carry_out(plan_id: UUID, dossier_id: UUID) -> bool:
    try:
        return _do(plan_id, dossier_id)
    except RoleAlreadyHeld as refusal:
        # Who holds it may be somebody that not everybody sees (rule 7).
        why = RoleAlreadyHeld(role=refusal.role).message
    except LastKeeper as refusal:
        why = refusal.message
    except (NotAllowed, LevelMissing):
        why = RIGHT_LOST
    except DomainError as refusal:
        why = refusal.message
    except IntegrityError as broken:
        why = sentence_of(broken) or ""
        if not why:
            raise
    _tell_hindered(plan_id, dossier_id, why)
    return False


@transaction.atomic
def _do(plan_id: UUID, dossier_id: UUID) -> bool:
    plan = PlannedStay.objects.waiting().select_related("planned_by").filter(pk=plan_id).first()
    if plan is None:
        return False
    # Asked of several, it leaves no trace of a refusal: its author is not the one who tries.
    entry = door.look_many(plan.planned_by, [dossier_id]).get(dossier_id) if plan.planned_by.is_active else None
    if entry is None:
        raise NotAllowed
    if entry.dossier.cap < Niveau.ECRITURE:
        raise DossierIsReadOnly(state=entry.dossier.get_status_display().lower())
    lock_circle(entry)
    # What somebody closed to him meanwhile is closed (SECT-7).
    entry = door.look_many(plan.planned_by, [dossier_id]).get(dossier_id)
    if entry is None:
        raise NotAllowed
    today = timezone.localdate()
    plan = PlannedStay.objects.due(today).select_for_update(of=("self",)).filter(pk=plan_id).first()
    if plan is None:
        return False
    entry.trace(door.WRITE, rubrique=Rubrique.CERCLE, object_kind="member", object_id=plan.member_id)
    if plan.period_id is None:
        _arrive(entry, plan, today)
    else:
        _leave(entry, plan, plan.reason, plan.note)
    return True


def _leave(entry, plan: PlannedStay, reason: str, note: str) -> None:
    member = locked_member(entry, plan.member)
    require_right_to_remove(entry, member)
    require_another_keeper(member.habilitation)
    end_stay(entry, member, reason=reason, note=note, on=plan.ends_on)


def _arrive(entry, plan: PlannedStay, today: dt.date) -> None:
    entry.access.require(Action.ADD_MEMBER)
    member = locked_member(entry, plan.member, present=False)
    account = account_of(member.professional) if member.professional_id else None
    _close(plan, Outcome.DONE)
    come_back(entry, member, {}, account=account, starts_on=plan.starts_on)
    if plan.role:
        give_role(entry, member, plan.role, starts_on=plan.starts_on)
    if plan.ends_on is None:
        return
    if plan.ends_on > today:
        set_planned_end(entry, member, plan.ends_on, reason=Period.EndReason.FIN)
    else:
        end_stay(entry, member, reason=Period.EndReason.FIN, on=plan.ends_on)


@transaction.atomic
def _tell_hindered(plan_id: UUID, dossier_id: UUID, why: str) -> None:
    # The row of the dossier first, as every writer of a circle.
    Dossier.objects.select_for_update(of=("self",), no_key=True).only("id").get(pk=dossier_id)
    plan = PlannedStay.objects.waiting().select_for_update(of=("self",)).filter(pk=plan_id).first()
    why = why[:300]
    if plan is None or plan.hindrance == why:
        return
    plan.hindrance = why
    plan.save(update_fields=["hindrance"])
    if plan.period_id is not None:
        _close_access(plan)
    Change.objects.create(
        dossier_id=plan.dossier_id, member_id=plan.member_id, by=None, kind=KIND.HINDERED,
        subject=ARRIVAL if plan.period_id is None else DEPARTURE, before=date_fr(plan.day), after=why,
    )  # fmt: skip


def _close_access(plan: PlannedStay) -> None:
    """Close the access of who was to leave, by nobody, whatever keeps him in the list, be the dossier in pause.

    But that of the last one left who may open again a dossier closed to everybody (SEC-5): it would be lost.
    """
    row = Habilitation.objects.select_for_update(of=("self",)).get(members=plan.member_id)
    if row.ended_at or row.state not in OPENING or is_last_keeper(row):
        return
    before = row.state
    close_by_nobody(row)
    Change.objects.create(
        dossier_id=plan.dossier_id, member_id=plan.member_id, by=None, kind=KIND.STATE, subject=DAY_OF_DEPARTURE,
        before=before, after=row.state,
    )  # fmt: skip
    record_link(
        user=None, dossier_id=plan.dossier_id, habilitation_id=None, action=RIGHT, object_kind="member",
        object_id=plan.member_id, name=APPLICATION, reason=f"{said_of_state(before, row.state)}, départ prévu",
    )  # fmt: skip
