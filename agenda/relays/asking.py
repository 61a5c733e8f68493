"""What is left in the queue of partners when an agenda changes here, and what is asked of them every so often.

A change that came from a partner is not sent back to it (GAP-96).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from agenda.actions.common import SENDER
from agenda.models import Appointment, Schedule
from agenda.relays import concerned, kinds
from agenda.relays.senders import senders_of
from circle.models import Member
from coordination.accounts.models import User
from coordination.directory.models import Attachment, Professional
from coordination.partners import known
from coordination.partners.actions import drop_settled, leave_relays
from coordination.partners.models import Partner

ASKED = (kinds.TAKEN_THERE, kinds.BUSY_THERE)
# How long what was asked, and answered, is seen among the exchanges.
KEPT_FOR = dt.timedelta(days=1)


def appointment_changed(entry: Any, appointment: Appointment) -> None:
    """Leave an event to be sent to the partners of the structures that it concerns (GAP-93, AGD-14).

    Two SQL statements when there is a partner, none otherwise.
    """
    if not known.any_active():
        return
    by = entry.user if entry else _author(appointment)
    sender = entry.read.get(SENDER, "") if entry else ""
    partners = [one for one in concerned.partners_of(appointment) if sender not in senders_of(one)]
    leave_relays(partners, kind=kinds.APPOINTMENT, object_id=appointment.pk, by=by)


def member_left(member: Member) -> None:
    """Have the events to come of one who left the circle called off at the partners that they concern no more.

    Called by the circle, in its transaction. One SQL statement, a few more for each event that a partner was told of.
    """
    if not known.any_active():
        return
    for one in concerned.sent_with(member):
        leave_relays(concerned.released_from(one), kind=kinds.APPOINTMENT, object_id=one.pk, by=_author(one))


def members_returned(*members: Member) -> None:
    """Have the events to come of each who is back sent again, as they are, to the partners of his structure."""
    for member in members:
        if member.activity is None or member.activity.structure_id is None or not known.any_active():
            continue
        partners = _partners([member.activity.structure_id], "")
        for one in concerned.sent_with(member) if partners else ():
            leave_relays(partners, kind=kinds.APPOINTMENT, object_id=one.pk, by=_author(one))


def _author(appointment: Appointment) -> User:
    return appointment.organizer or appointment.created_by


def schedule_changed(schedule: Schedule, by: User) -> None:
    """Leave an agenda to be sent to the partners of the structure of whose it is (GAP-92)."""
    if not known.any_active() or schedule.user_id is None:
        return
    houses = Attachment.objects.filter(user=schedule.user_id, structure__isnull=False)
    partners = _partners(set(houses.values_list("structure", flat=True)), schedule.owner)
    leave_relays(partners, kind=kinds.SCHEDULE, object_id=schedule.pk, by=by)


def _partners(houses: Iterable[UUID], sender: str) -> list[Partner]:
    """Return the partners of these structures, but the one that the change came from."""
    houses = set(houses)
    if not houses:
        return []
    found = Partner.objects.active().filter(structures__in=houses).distinct().order_by("pk")
    return [one for one in found if sender not in senders_of(one)]


def ask_all() -> int:
    """Ask each partner what it took of the time of those whose agendas are exchanged with it; return how many.

    Who has no national number is known nowhere else: nothing is asked of him. What was asked before and failed, or was
    done more than a day ago, gives way to this.
    """
    drop_settled(ASKED, before=timezone.now() - KEPT_FOR)
    numbered = Professional.objects.exclude(national_id="")
    asked = 0
    for partner in Partner.objects.active().filter(structures__isnull=False).distinct().order_by("pk"):
        houses = partner.structures.values("pk")
        users = Attachment.objects.filter(structure__in=houses, user__is_active=True).values("user")
        schedules = Schedule.objects.filter(user__in=users, key__in=numbered.values("pk"))
        for schedule in schedules.select_related("user").order_by("pk"):
            for kind in ASKED:
                asked += leave_relays([partner], kind=kind, object_id=schedule.pk, by=schedule.user)
    return asked
