"""Invented events of a dossier, and who attends them. Rows, not acts: what the acts do is tested by themselves."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

from agenda import keys
from agenda.actions.taking import Taken, take_time
from agenda.models import Appointment, Participation
from circle.models import Member
from tests.circle import factories as circle

PARIS = ZoneInfo("Europe/Paris")
HOUR = dt.timedelta(hours=1)


def at(hour=10, minute=0, *, days=7, zone=PARIS) -> dt.datetime:
    """Return that hour on the clock of a territory, so many days from today."""
    day = timezone.localdate() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour, minute), zone)


def member(entry, user=None, *, wanted="oui", **details) -> Member:
    """Put an account of the directory in the circle, inside the dossier by default; a new nurse without one."""
    user = user or circle.account()
    return circle.add(entry, user.attachment.professional, wanted=wanted, **details)


def member_of(entry, user) -> Member:
    """Return the member of the circle that this account of the directory already is."""
    return Member.objects.get(dossier=entry.dossier, professional=user.attachment.professional)


def appointment(entry, *members, starts=None, minutes=60, with_person=False, taken=True, **fields) -> Appointment:
    """Return an event of this dossier, of the structure of who enters it, booked, with these members."""
    starts = starts or at()
    said = {
        "kind": Appointment.Kind.APPOINTMENT, "status": Appointment.Status.BOOKED, "zone": "Europe/Paris",
        "starts_at": starts, "ends_at": starts + dt.timedelta(minutes=minutes), "created_by": entry.user,
        "organizer": entry.user, "structure_id": entry.access.hat.structure_id, "title": "Point",
    }  # fmt: skip
    made = Appointment.objects.create(dossier=entry.dossier, **said | fields)
    people = [participation(made, one) for one in members]
    if with_person:
        people.append(participation(made))
    if taken and made.status in Appointment.TAKING:
        take_time(
            made.pk, [Taken(one.key, not is_free_to_overlap(one)) for one in people], made.starts_at, made.ends_at
        )
    return made


def participation(appointment, member=None, **fields) -> Participation:
    """Return the participation of a member; of the person herself without one."""
    if member is None:
        said = {"key": appointment.dossier_id, "status": Participation.Status.ACCEPTED}
    else:
        [who] = keys.attendees_of([member])
        said = {"key": who.key, "member": member, "user": who.user, "email": who.email}
    return Participation.objects.create(dossier_id=appointment.dossier_id, appointment=appointment, **said | fields)


def is_free_to_overlap(participation) -> bool:
    """True for the person and for a relative: two carers at once are normal."""
    return participation.is_the_person or bool(
        participation.member and participation.member.kind == Member.Kind.AIDANT
    )
