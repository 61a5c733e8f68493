"""What every act on an appointment begins and ends with."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from agenda.errors import AlreadyOver, AppointmentUnknown
from agenda.models import Appointment, AppointmentChange, Reader
from coordination.dossiers.errors import ChangedMeanwhile, DossierIsReadOnly
from coordination.dossiers.models import Dossier
from habilitations import access as habilitations
from habilitations.rubriques import Niveau, Rubrique

KIND = AppointmentChange.Kind
# First half of the advisory lock of a creation; a number of our own.
CREATION_LOCK = 0x31
# Under which an entry says by which software its author writes (`Entry.read`): what this one sent is its own.
SENDER = "agenda.sender"


def rubric_of(kind: str) -> Rubrique:
    """Return the rubric whose level decides of this kind of event (peers-and-default-matrix.md §2)."""
    return Rubrique.REUNIONS if kind == Appointment.Kind.MEETING else Rubrique.AGENDA


def lock_agenda(entry, rubrique: Rubrique, *, level: Niveau = Niveau.ECRITURE) -> None:
    """Require the level and an open dossier, and hold it so until the end of the transaction.

    Raises LevelMissing, DossierIsReadOnly.
    """
    habilitations.require(entry.access, rubrique, level)
    require_open(entry)


def require_open(entry) -> None:
    """Require a dossier that may be written, until the end of the transaction. Raises DossierIsReadOnly."""
    require_open_dossier(entry.dossier.pk)


def require_open_dossier(dossier_id) -> None:
    """The same, for who comes by a personal link."""
    # Shared: it stops neither readers nor other appointments, and a change of state waits.
    dossier = Dossier.objects.raw("SELECT id, status FROM dossiers_dossier WHERE id = %s FOR SHARE", [dossier_id])[0]
    if dossier.cap < Niveau.ECRITURE:
        raise DossierIsReadOnly(state=dossier.get_status_display().lower())


def made_by(entry, creation_key: UUID) -> Appointment | None:
    """Return the event of this dossier that a first sending made, None for the first one; two SQL statements.

    Sent twice at the same moment, the second waits for the first, whose dossier they share (REL-7).
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CREATION_LOCK, creation_key.int % 2**32 - 2**31])
    return Appointment.objects.filter(dossier_id=entry.dossier.pk, creation_key=creation_key).first()


def read_as(appointment: Appointment) -> str:
    """Return the mark of when and where an event is, which who answers sends back: another one once it moved.

    Not its SEQUENCE, which a confirmation raises too: the yes of one would make the next one read again what he read.
    """
    where = (appointment.zone, appointment.modality, appointment.place, appointment.video_url)
    said = [str(at.timestamp()) if at else "" for at in (appointment.starts_at, appointment.ends_at)] + list(where)
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def locked_appointment(
    entry, appointment_id, *, version: int | None = None, seen: str | None = None, live: bool = True
) -> Appointment:  # fmt: skip
    """Return an appointment this reader sees, as stored now, locked.

    `seen`: what was read of it, as `read_as` marks it. Raises AppointmentUnknown, AlreadyOver (`live` and it is
    cancelled, done or merged), ChangedMeanwhile.
    """
    shown = Appointment.objects.seen_in([Reader.of(entry)], sender=entry.read.get(SENDER, ""))
    found = shown.select_for_update(of=("self",)).filter(pk=appointment_id).first()
    if found is None:
        raise AppointmentUnknown
    if live and (found.status not in Appointment.LIVE or found.merged_into_id):
        raise AlreadyOver(state=found.get_status_display().lower())
    if version is not None and version != found.version or seen is not None and seen != read_as(found):
        raise ChangedMeanwhile
    return found


# What is done of each change, by who registered it: (entry or None by a personal link, appointment).
_followers: list[Callable[[Any, Appointment], None]] = []


def follow(told: Callable[[Any, Appointment], None]) -> None:
    """Have each act on an appointment told, in its transaction; called from a `ready`."""
    if told not in _followers:
        _followers.append(told)


def tell_followers(entry, *appointments: Appointment) -> None:
    """Tell of events that an act wrote without a line of history of their own. `entry` None: by nobody, or a link."""
    for told in _followers:
        for appointment in appointments:
            told(entry, appointment)


def record(
    entry, appointment: Appointment, kind: str, *, before="", after="", participation=None
) -> AppointmentChange:
    """Write one line of the history of an appointment. `entry` None: by a personal link."""
    behalf = entry.access.on_behalf_of if entry else None
    tell_followers(entry, appointment)
    return AppointmentChange.objects.create(
        dossier_id=appointment.dossier_id,
        appointment=appointment,
        by=entry.user if entry else None,
        on_behalf_of_id=behalf.id if behalf else None,
        kind=kind,
        participation=participation,
        before=str(before)[:500],
        after=str(after)[:500],
    )


def next_version(appointment: Appointment, *fields: str, moved: bool = False) -> None:
    """Save these fields and the next version; `moved` when those who keep it in their calendar must see it."""
    appointment.version += 1
    if moved:
        appointment.sequence += 1
    appointment.save(update_fields=[*fields, "version", "sequence", "changed_at"])


def touch(appointment: Appointment) -> None:
    """Say that something of an event changed, for who asks what changed since (`_lastUpdated`)."""
    appointment.changed_at = timezone.now()
    Appointment.objects.filter(pk=appointment.pk).update(changed_at=appointment.changed_at)
