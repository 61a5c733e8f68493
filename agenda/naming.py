"""What those who attend are called, for one reader: no more than the circle tells him (rule 7)."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from agenda.models import Participation
from circle.models import Member
from coordination.common.french import plural

PERSON, YOU = "La personne accompagnée", "Vous"


def names_of(entry, participations: Iterable[Participation]) -> dict[UUID, str]:
    """Return {participation: name}, without those this reader may not know. One SQL statement."""
    shown = {row.id: row.name for row in Member.objects.rows(entry)}
    found = {}
    for one in participations:
        name = _name(entry, one, shown)
        if name:
            found[one.pk] = name
    return found


def _name(entry, one: Participation, shown: dict[UUID, str]) -> str:
    if one.is_the_person:
        return PERSON
    if one.user_id == entry.user.pk:
        return YOU
    if one.room_id:
        return one.room.name
    if one.label and not one.member_id:
        # Outside the circle, as the software that sent the event calls him.
        return one.label if entry.access.sees_whole_circle else ""
    return shown.get(one.member_id, "")


def in_words(participations: Iterable[Participation], names: dict[UUID, str]) -> str:
    """Return "Vous, SPÉCIMEN Inès et 1 autre participant"; the person is not named: it is her agenda."""
    others = [one for one in participations if not one.is_the_person and not one.room_id]
    said = [names[one.pk] for one in others if one.pk in names]
    said.sort(key=lambda name: (name != YOU, name))
    hidden = len(others) - len(said)
    if hidden and not said:
        return plural(hidden, "participant")
    words = ", ".join(said)
    return f"{words} et {plural(hidden, 'autre participant', 'autres participants')}" if hidden else words
