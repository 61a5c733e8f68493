"""An account that the directory comes to know: all its time goes under the key of its professional, at once.

Called by the directory, in its transaction (coordination/directory/attaching.py). Until then its key was the account
(agenda/keys.py), and what others asked of the professional was under another one.
"""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from agenda.actions.horizon import rewrite_all
from agenda.actions.taking import let_go_of
from agenda.models import (
    Answer,
    AppointmentChange,
    CalendarInvitation,
    Occupation,
    OpenTime,
    Participation,
    Schedule,
    ScheduleActor,
)
from coordination.accounts.models import User
from coordination.directory.models import Professional

ANSWER = Participation.Status


def follow_account(user: User, professional: Professional) -> None:
    """Put the agenda, the events and the busy time of an account under the key of its professional."""
    move_key(user, user.pk, professional.pk)


@transaction.atomic
def move_key(user: User, old: UUID, new: UUID) -> None:
    """Put what is kept under one key under another one: nothing is lost, and nothing is refused.

    Where both keys had something at one time, both stay and no longer refuse each other: they were booked in good
    faith. Who was invited twice to one event stays once, with what he answered; what he was invited to before he had
    an account is his.
    """
    if old == new:
        return
    # The agenda first, as whoever changes it: the daily task waits.
    schedule = Schedule.objects.select_for_update(of=("self",)).filter(user=user).first()
    _move_time(old, new)
    _move_declared(old, new)
    _move_invitations(user, old, new)
    if schedule is not None and schedule.key != new:
        schedule.key = new
        schedule.save(update_fields=["key", "changed_at"])
        rewrite_all(schedule)


def _move_time(old: UUID, new: UUID) -> None:
    rows = Occupation.objects.filter(key=old)
    # The same source under both keys says the same thing.
    same = Occupation.objects.filter(key=new, source=OuterRef("source"), recurrence_id=OuterRef("recurrence_id"))
    rows.filter(Exists(same)).delete()
    meets = Occupation.objects.filter(
        key=new, exclusive=True, starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at")
    )
    rows.filter(Exists(meets), exclusive=True).update(exclusive=False)
    rows.update(key=new)


def _move_declared(old: UUID, new: UUID) -> None:
    """The agendas that software declared of him go with what opens them; what closes them went with his time."""
    named = Exists(ScheduleActor.objects.filter(schedule=OuterRef("pk"), key=old))
    rows = Schedule.objects.filter(Q(key=old) | named, user=None).order_by("pk")
    ids = list(rows.select_for_update(of=("self",)).values_list("pk", flat=True))
    if not ids:
        return
    ScheduleActor.objects.filter(schedule__in=ids, key=old).update(key=new)
    OpenTime.objects.filter(opening__schedule__in=ids, key=old).update(key=new)
    Schedule.objects.filter(pk__in=ids, key=old).update(key=new)


def _move_invitations(user: User, old: UUID, new: UUID) -> None:
    rows = Participation.objects.filter(user=user, key=old)
    twice = Participation.objects.filter(key=new, appointment__in=rows.values("appointment"))
    there = {one.appointment_id: one for one in twice}
    for own in rows.filter(appointment__in=there):
        _join(own, there[own.appointment_id])
    rows.update(key=new)
    # Invited before he had an account: his page answers from now on, and the link that was mailed does no longer.
    before = Participation.objects.filter(key=new, user=None, member__isnull=False)
    before.update(user=user, email=user.email)


def _join(own: Participation, kept: Participation) -> None:
    """Put what an account answered, voted and proposed on the row that stays; of two answers, the last one."""
    if _answered(own) > _answered(kept):
        kept.status, kept.answered_at, kept.comment = own.status, own.answered_at, own.comment
    kept.need = min(own.need, kept.need, key=_NEEDS.index)
    kept.save(update_fields=["status", "answered_at", "comment", "need"])
    said = {answer.proposal_id: answer for answer in kept.answers.all()}
    for answer in own.answers.all():
        other = said.get(answer.proposal_id)
        if other is not None and other.at >= answer.at:
            continue
        if other is not None:
            other.delete()
        Answer.objects.filter(pk=answer.pk).update(participation=kept)
    own.proposals.update(proposed_by=kept)
    for model in (AppointmentChange, CalendarInvitation):
        model.objects.filter(participation=own).update(participation=kept)
    own.delete()
    if kept.status == ANSWER.DECLINED:
        let_go_of(kept.key, [kept.appointment_id])


_NEEDS = Participation.Need.values
_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)


def _answered(one: Participation) -> tuple[bool, dt.datetime]:
    return one.status != ANSWER.NEEDS_ACTION, one.answered_at or _NEVER
