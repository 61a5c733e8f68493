"""A relative whom a software sends before any circle names him, and what it sends of him later (flux 1a and 4a)."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from circle import duplicates, roles
from circle import fields as sheet
from circle.actions.adding import enter_to_add, open_row, typed
from circle.actions.assigning import give_role
from circle.actions.common import next_version
from circle.actions.editing import update_member
from circle.actions.resending import made_by
from circle.errors import LooksLikeMember
from circle.models import Member
from habilitations import actions as habilitations


@transaction.atomic
def receive_person(entry, *, fields: dict, duplicate_reason: str = "", creation_key: UUID) -> Member:
    """Keep a relative who is not in the circle yet: no stay, no role, until a CareTeam names him.

    `fields` are those of `fields.WRITABLE["aidant"]`; his row of habilitation is opened and ended. A key already used
    gives back the member it made, if it says the same. Raises as `add_person`.
    """
    enter_to_add(entry)
    said = sheet.clean(roles.PERSON, fields) | {"kind": roles.PERSON}
    if made := made_by(entry, creation_key, said):
        return made
    tidy = typed(entry, roles.PERSON, fields, duplicate_reason)
    if not duplicate_reason.strip() and duplicates.waits(entry, tidy["family_name"], tidy.get("given_name", "")):
        raise LooksLikeMember([])
    opened = open_row(entry)
    member = Member.objects.create(
        dossier_id=entry.dossier.pk, kind=roles.PERSON, habilitation=opened, created_by=entry.user,
        creation_key=creation_key, duplicate_reason=duplicate_reason.strip(), **tidy,
    )  # fmt: skip
    habilitations.end_habilitation(opened, by=entry.user)
    return member


@transaction.atomic
def update_received(entry, member: Member, *, version: int, fields: dict, role: str | None = None) -> Member:
    """Change the sheet of a member entered by hand as a software says it, and his `role` today when it names another.

    One who has left is not changed any more; one who never came is. Raises as `update_member` and `change_role`.
    """
    is_awaited = not member.periods.exists()
    updated = update_member(entry, member, version=version, fields=fields, is_awaited=is_awaited)
    if role is not None and not is_awaited:
        give_role(entry, updated, role)
    if updated.version == version:
        # What is beside the sheet has changed: whoever has it open is told.
        next_version(updated)
    return updated
