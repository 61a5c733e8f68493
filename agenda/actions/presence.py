"""What a departure from the circle gives back of somebody's time, and what his return takes again.

Called by the circle, in its transaction and under the lock of the dossier (circle/presence.py).
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from agenda.actions.attending import ANSWER, NEED, TIME, is_exclusive
from agenda.actions.taking import Taken, clashes, let_go_of, take_again_where_free
from agenda.models import Appointment, Participation, Proposal
from circle.models import Member


def give_time_back(member: Member) -> None:
    """Give back the time that events to come of this dossier take or hold of a member who leaves its circle.

    He stays written among those invited: he is told and asked nothing more, and comes back with his return.
    """
    for key, appointments in _to_come(member).items():
        held = Proposal.objects.filter(appointment__in=appointments, withdrawn_at=None)
        let_go_of(key, [*appointments, *held.values_list("pk", flat=True)])


def take_time_again(*members: Member) -> None:
    """Take again, where each is still free, the time of who is back: elsewhere he is told nothing, and not taken."""
    rows = (
        Participation.objects.select_related("appointment", "member")
        .filter(
            member__in=members, appointment__status__in=Appointment.TAKING, appointment__ends_at__gt=timezone.now()
        )
        .exclude(Q(status=ANSWER.DECLINED) | Q(need=NEED.INFORMATION) | Q(appointment__merged_into__isnull=False))
    )
    for one in rows.order_by("appointment__starts_at", "pk"):
        event = one.appointment
        if event.starts_at is None or event.ends_at is None:
            continue
        # What is only proposed gives way, and what is taken elsewhere meets whatever is there (agenda.md, GAP-71).
        busy = clashes([one.key], event.starts_at, event.ends_at, but=event.pk).filter(exclusive=True)
        if event.only_warns or not busy.exclude(kind=TIME.HOLD).exists():
            who = Taken(one.key, is_exclusive(one) and not event.only_warns)
            kind = TIME.RECEIVED if event.only_warns else TIME.APPOINTMENT
            take_again_where_free(event.pk, who, event.starts_at, event.ends_at, kind=kind)


def _to_come(member: Member) -> dict[UUID, list[UUID]]:
    """Return {key: events not over in which this member takes part}."""
    found: dict[UUID, list[UUID]] = {}
    rows = Participation.objects.filter(member=member, appointment__status__in=Appointment.LIVE)
    rows = rows.filter(Q(appointment__ends_at__gt=timezone.now()) | Q(appointment__ends_at=None))
    for key, appointment_id in rows.values_list("key", "appointment_id"):
        found.setdefault(key, []).append(appointment_id)
    return found
