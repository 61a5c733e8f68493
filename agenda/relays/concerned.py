"""Which partners an event concerns: those of the structures of who takes part in it, as they are today (GAP-93).

Asked when a change is left to be sent, and again when it leaves: a structure whose only member left the circle, or
declined, is told of the event no more. A partner that was told before is told that it is called off, and nothing else.
"""

from __future__ import annotations

from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from agenda.models import Appointment, Participation
from circle.models import Member, Period
from coordination.partners.models import Partner, RelayedId


def houses_of(appointment: Appointment) -> set[UUID]:
    """Return the structures that an event concerns: where it comes from, and of who is to take part in it.

    Who declined, or is in the circle no more, takes part no more. One SQL statement.
    """
    here = Period.objects.current().filter(member=OuterRef("member"))
    attending = Participation.objects.filter(
        Exists(here), appointment=appointment, member__activity__structure__isnull=False
    ).exclude(status=Participation.Status.DECLINED)
    houses = set(attending.values_list("member__activity__structure", flat=True))
    if appointment.structure_id:
        houses.add(appointment.structure_id)
    return houses


def partners_of(appointment: Appointment) -> QuerySet[Partner]:
    """Return the partners in service to be told of a change: concerned, or told before and no more so."""
    return Partner.objects.active().filter(_of(houses_of(appointment)) | _told(appointment)).order_by("pk")


def released_from(appointment: Appointment) -> QuerySet[Partner]:
    """Return the partners in service that were told of an event and that it concerns no more."""
    return Partner.objects.active().filter(_told(appointment)).exclude(_of(houses_of(appointment))).order_by("pk")


def is_concerned(partner: Partner, appointment: Appointment) -> bool:
    return Partner.objects.filter(_of(houses_of(appointment)), pk=partner.pk).exists()


def is_to_come(appointment: Appointment) -> bool:
    """Say whether an event is still to be expected, or was called off: what took place is not called off."""
    over = appointment.ends_at is not None and appointment.ends_at <= timezone.now()
    return appointment.status == Appointment.Status.CANCELLED or (appointment.status in Appointment.LIVE and not over)


def sent_with(member: Member) -> QuerySet[Appointment]:
    """Return the events to come in which a member takes part and that some partner was told of."""
    told = RelayedId.objects.filter(resource_type="Appointment", made=True, local_id=OuterRef("pk"))
    to_come = Q(ends_at__gt=timezone.now()) | Q(ends_at=None)
    found = Appointment.objects.filter(to_come, Exists(told), status__in=Appointment.LIVE, merged_into=None)
    return found.filter(Exists(Participation.objects.filter(appointment=OuterRef("pk"), member=member))).order_by("pk")


def _of(houses: set[UUID]) -> Exists:
    return Exists(Partner.structures.through.objects.filter(partner=OuterRef("pk"), structure__in=houses))


def _told(appointment: Appointment) -> Exists:
    """The condition that a partner made this event from what was sent to it; its own is not ours to call off."""
    return Exists(
        RelayedId.objects.filter(
            partner=OuterRef("pk"), resource_type="Appointment", local_id=appointment.pk, made=True
        )
    )
