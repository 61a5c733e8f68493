"""What the circle has of some persons, for `$everything` and exports: circles, members, and who they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from circle import roles
from circle.circles import Circle
from circle.fhir.entries import entered
from circle.models import Member
from coordination.common.prepared import among
from coordination.fhir.callers import Caller

# All that is told here is of one of these: for who may read none of them, no circle is entered.
TYPES: Final = ("CareTeam", "RelatedPerson", "Practitioner", "PractitionerRole", "Organization")
_WHO = ("kind", "pk", "activity", "professional", "structure", "activity__structure")


def of_persons(caller: Caller, patient_ids: Sequence[UUID]) -> Iterator[tuple[str, list[UUID]]]:
    """Yield (provider key, ids) of what the caller may know of the circles of these persons. Two SQL statements.

    Their circles are entered, each with its trace, unless they are already: what the caller may see is decided of each
    dossier. The condition of a search would be asked of all the dossiers of the caller again for each batch of an
    export.
    """
    if not any(caller.may(type_name, "r") for type_name in TYPES):
        return
    entries = entered(caller, patient_ids)
    circles = Circle.objects.filter(dossier_id__in=among(entries))
    lines = list(circles.values_list("pk", "dossier", "managing", "dossier__referent_structure").order_by("pk"))
    yield "circle.circle", [line[0] for line in lines]
    whole = {id for id, one in entries.items() if _shows_who(one)}
    rows = _members({id: entries[id].access.sees_discreet_members for id in whole})
    yield "circle.relative", [pk for kind, pk, *_ in rows if kind == roles.PERSON]
    by_hand = [pk for kind, pk, *_ in rows if kind == roles.MANUAL]
    yield "circle.manual_role", by_hand
    yield "circle.manual_professional", by_hand
    yield "directory.activity", _each(activity for _, _, activity, *_ in rows)
    yield "directory.professional_role", _each(person for _, _, activity, person, *_ in rows if not activity)
    yield "directory.professional", _each(person for _, _, _, person, *_ in rows)
    named = (one for _, id, managing, referent in lines for one in (*(managing if id in whole else ()), referent))
    # Where somebody practises is told with him, be it in the circle or not.
    of_members = (one for *_, structure, place in rows for one in (structure, place))
    yield "directory.structure", _each([*named, *of_members])


def _shows_who(entry: Any) -> bool:
    """Say whether the members are told by name: in the reduced circle, who hides behind a function is not."""
    return bool(entry.access.sees_whole_circle)


def _members(discreet_too: dict[UUID, bool]) -> list[tuple[Any, ...]]:
    """Return who is, was or is to be in the circles of some dossiers: {dossier: discreet members are shown too}."""
    members = Member.objects.known().filter(dossier_id__in=among(discreet_too)).order_by("pk")
    found = members.values_list("dossier_id", "discreet", *_WHO)
    return [who for dossier_id, discreet, *who in found if not discreet or discreet_too[dossier_id]]


def _each(ids: Any) -> list[UUID]:
    return list(dict.fromkeys(id for id in ids if id))
