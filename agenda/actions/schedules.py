"""The agenda of one account: made when first needed, its clock, what kinds of appointments it offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from agenda.actions.horizon import rewrite_all
from agenda.actions.rekeying import move_key
from agenda.errors import NotInYourAgenda, ZoneUnknown
from agenda.keys import key_of_user
from agenda.models import Schedule, ServiceType
from agenda.zones import TERRITORIES
from coordination.accounts.models import User
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.traces import NOWHERE, Via, record_account


def schedule_of(user: User) -> Schedule:
    """Return the agenda of this account, made when it has none, on the clock of the installation.

    An account that the directory came to know since takes the key of its professional, with what it holds.
    """
    schedule, made = Schedule.objects.get_or_create(
        user=user, defaults={"key": key_of_user(user), "zone": settings.TIME_ZONE}
    )
    key = schedule.key if made else key_of_user(user)
    if schedule.key != key:
        # Attached before this was kept, or by hand.
        move_key(user, schedule.key, key)
        schedule.refresh_from_db()
    return schedule


def shown_schedule(user: User) -> Schedule:
    """Return the agenda of this account for a page that reads; not saved when there is none yet. One SQL statement."""
    found = Schedule.objects.filter(user=user).first()
    return found or Schedule(user=user, key=key_of_user(user), zone=settings.TIME_ZONE)


def locked_schedule(schedule: Schedule, *, by: User, version: int | None = None) -> Schedule:
    """Return one's own agenda, as stored now, locked: what changes it waits, the daily task included.

    Raises NotInYourAgenda, ChangedMeanwhile.
    """
    found = Schedule.objects.select_for_update(of=("self",)).filter(pk=schedule.pk, user=by).first()
    if found is None:
        raise NotInYourAgenda
    if version is not None and version != found.version:
        raise ChangedMeanwhile(who="Une autre session")
    return found


# What is done of each change, by who registered it: (agenda, who changed it).
_followers: list[Callable[[Schedule, User], None]] = []


def follow(told: Callable[[Schedule, User], None]) -> None:
    """Have each change of an agenda told, in its transaction; called from a `ready`."""
    if told not in _followers:
        _followers.append(told)


def touch(schedule: Schedule, *, by: User, via: Via = NOWHERE) -> None:
    """Say that an agenda has changed, to who reads it from elsewhere and to the journal."""
    for told in _followers:
        told(schedule, by)
    Schedule.objects.filter(pk=schedule.pk).update(changed_at=timezone.now())
    record_account(user=by, action="écriture", object_kind="agenda", object_id=schedule.pk, via=via)


@transaction.atomic
def change_settings(
    schedule: Schedule,
    *,
    by: User,
    zone: str,
    minutes: Mapping[str, int],
    mails_invitations: bool,
    version: int | None = None,
    via: Via = NOWHERE,
) -> Schedule:
    """Set the clock of an agenda, how long each kind of appointment it offers lasts ({code: minutes}), and whether
    appointments also come by mail, for one’s own calendar program.

    Openings and absences keep the time their clock shows, in the new place. Raises NotInYourAgenda, ChangedMeanwhile,
    ZoneUnknown.
    """
    found = locked_schedule(schedule, by=by, version=version)
    if zone not in TERRITORIES and zone != found.zone:
        raise ZoneUnknown
    moved = found.zone != zone
    found.zone = zone
    found.mails_invitations = mails_invitations
    found.version += 1
    found.save(update_fields=["zone", "mails_invitations", "version", "changed_at"])
    found.service_types.filter(system="").exclude(code__in=minutes).delete()
    ServiceType.objects.bulk_create(
        [ServiceType(schedule=found, code=code, minutes=length) for code, length in minutes.items()],
        update_conflicts=True,
        unique_fields=["schedule", "system", "code"],
        update_fields=["minutes"],
    )
    if moved:
        found.openings.update(zone=zone)
        found.absences.update(zone=zone)
        rewrite_all(found)
        # Whole days, and hours without a zone, are read on this clock: all of it is asked again.
        found.own_calendars.update(etag="", next_refresh_at=timezone.now())
    touch(found, by=by, via=via)
    return found
