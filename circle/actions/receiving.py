"""A relative whom a software sends before any circle names him, and what it sends of him later (flux 1a and 4a)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction

from circle import duplicates, roles
from circle import fields as sheet
from circle.actions.adding import enter_to_add
from circle.actions.assigning import give_role
from circle.actions.common import next_version
from circle.actions.editing import update_member
from circle.actions.resending import made_by
from circle.errors import LooksLikeMember
from circle.models import Member, Period
from habilitations.actions import sets


@transaction.atomic
def receive_persons(
    entry, sent: Sequence[tuple[UUID, dict[str, Any]]], *, duplicate_reason: str = ""
) -> list[Member]:  # fmt: skip
    """Keep relatives who are not in the circle yet: no stay, no role, until a CareTeam names them.

    Each is sent as (creation key, fields), fields of `fields.WRITABLE["aidant"]`; his row of habilitation is opened
    and ended. A key already used gives back the member it made, if it says the same. Returns them in order, by as many
    statements for several as for one. Raises as `add_person`, for whichever; two who have one name are doubles.
    """
    enter_to_add(entry)
    tidied = [(key, sheet.clean(roles.PERSON, fields)) for key, fields in sent]
    found = _made_before(entry, tidied)
    new = [(key, tidy) for key, tidy in tidied if key not in found]
    for _, tidy in new:
        sheet.require_complete(roles.PERSON, tidy)
    reason = duplicate_reason.strip()
    if new and not reason:
        _refuse_doubles(entry, [tidy for _, tidy in new])
    rows = sets.open_ended(entry.dossier.pk, len(new), by=entry.user)
    made = Member.objects.bulk_create(
        Member(
            dossier_id=entry.dossier.pk, kind=roles.PERSON, habilitation=row, created_by=entry.user,
            creation_key=key, duplicate_reason=reason, **tidy,
        )
        for (key, tidy), row in zip(new, rows, strict=True)
    )  # fmt: skip
    found |= {member.creation_key: member for member in made}
    return [found[key] for key, _ in tidied]


def _made_before(entry, tidied: Sequence[tuple[UUID, dict[str, Any]]]) -> dict[UUID, Member]:
    """Return {key: the member it made}. One SQL statement for new keys."""
    keys = [key for key, _ in tidied]
    if not Member.objects.filter(dossier_id=entry.dossier.pk, creation_key__in=keys).exists():
        return {}
    made = {key: made_by(entry, key, tidy | {"kind": roles.PERSON}) for key, tidy in tidied}
    return {key: member for key, member in made.items() if member}


def _refuse_doubles(entry, people: Sequence[dict[str, Any]]) -> None:
    """Raise LooksLikeMember for one who may be in the circle, gone from it, sent before, or among the others."""
    # Of a person just created there is nobody to compare with: the rows of lists are the dearest of these reads.
    has_had_members = Period.objects.filter(dossier_id=entry.dossier.pk).exists()
    circle = [*Member.objects.rows(entry), *Member.objects.rows(entry, past=True)] if has_had_members else []
    awaited = duplicates.awaited(entry)
    for tidy in people:
        name = tidy["family_name"], tidy.get("given_name", "")
        if alike := duplicates.named_alike(circle, *name):
            raise LooksLikeMember(alike)
        if duplicates.is_among(awaited, *name):
            raise LooksLikeMember([])
        awaited.append(Member(family_name=name[0], given_name=name[1]))


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
