"""The rooms of a structure: declared, renamed, withdrawn by the person named to look after it."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from agenda.errors import RoomExists, RoomNameMissing, RoomUnknown
from agenda.models import Appointment, Room
from coordination.accounts.models import User
from coordination.common.text import seen, squeeze
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import access
from habilitations.traces import NOWHERE, Via, record_account


@transaction.atomic
def add_room(structure_id: UUID, *, by: User, name: str, address: str = "", via: Via = NOWHERE) -> Room:
    """Declare a room of a structure. Raises NotOfYourStructure, RoomNameMissing, RoomExists."""
    access.require_looks_after(by, structure_id)
    room = Room(structure_id=structure_id)
    _write(room, name, address)
    _trace(room, by, via)
    return room


@transaction.atomic
def change_room(
    room_id: UUID, *, by: User, name: str, address: str = "", version: int | None = None, via: Via = NOWHERE
) -> Room:
    """Change the name or the address of a room: the events that have it show the new ones.

    Raises RoomUnknown (withdrawn, or of a structure he does not look after), ChangedMeanwhile, RoomNameMissing,
    RoomExists.
    """
    room = _locked(room_id, by)
    if version is not None and version != room.version:
        raise ChangedMeanwhile
    room.version += 1
    _write(room, name, address)
    _trace(room, by, via)
    return room


@transaction.atomic
def withdraw_room(room_id: UUID, *, by: User, via: Via = NOWHERE) -> int:
    """Offer a room no longer; return how many events to come have it: they keep it. Raises RoomUnknown."""
    room = _locked(room_id, by)
    room.retired_at = timezone.now()
    room.save(update_fields=["retired_at"])
    _trace(room, by, via)
    return Appointment.objects.filter(room=room).upcoming().count()


def _locked(room_id: UUID, by: User) -> Room:
    rooms = Room.objects.select_for_update(of=("self",)).filter(retired_at=None)
    room = rooms.filter(pk=room_id, structure__in=access.administered_structures(by)).first()
    if room is None:
        raise RoomUnknown
    return room


def _write(room: Room, name: str, address: str) -> None:
    room.name, room.address = seen(name)[:120], squeeze(address)[:300]
    if not room.name:
        raise RoomNameMissing
    try:
        with transaction.atomic():
            room.save()
    except IntegrityError as broken:
        if "room_once_per_structure" in str(broken):
            raise RoomExists from None
        raise


def _trace(room: Room, by: User, via: Via) -> None:
    record_account(user=by, action="écriture", object_kind="salle", object_id=room.pk, via=via)
