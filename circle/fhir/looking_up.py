"""The circle of one person, by a number of hers: what a software asks all day long, in one statement written once.

Written by the ORM and planned each time, the conditions of a search (`parameters`) cost more than all that is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from circle.circles import Circle
from circle.fhir import entries
from coordination.accounts.models import User
from coordination.common.prepared import Prepared, one_of
from coordination.dossiers.fhir import entries as identities
from coordination.dossiers.fhir import finding
from coordination.fhir.callers import Caller
from coordination.fhir.search import values
from coordination.fhir.search.asking import LARGEST_COUNT, Asked
from habilitations import access

# One person: `patient` and `subject` are the same.
_PERSON = ("patient", "subject")


def circles(caller: Caller, criteria: Sequence[Asked], *, most: int) -> list[UUID] | None:
    """Return the circles that a caller may find by an identifier of the person, in order, `most` at most.

    The same as `parameters` say of `patient.identifier`: he reads the circle, and the identity of who it is around.
    None for what else is asked.
    """
    number = _number(criteria)
    if number is None or not caller.may("Patient", "s"):
        return None
    ways = (entries.way_found(caller), identities.way_found(caller))
    if None in ways:
        return []
    found = _circles.tuples(tuple(dict.fromkeys(ways)), user_id=caller.user.pk, **number)
    return [id for (id,) in found[:most]]


def _number(criteria: Sequence[Asked]) -> dict[str, str] | None:
    """Return the one number that is asked (`finding.numbered`), None for anything else."""
    if len(criteria) != 1:
        return None
    (asked,) = criteria
    if [*asked.chain, (asked.name, asked.modifier)] not in _WAYS_TO_ASK:
        return None
    said = values.alternatives(asked.value)
    if len(said) != 1:
        return None
    token = values.token(said[0])
    return finding.numbered(token.system, token.code)


# patient.identifier, patient:Patient.identifier, patient:identifier
_WAYS_TO_ASK = [[(name, only), ("identifier", "")] for name in _PERSON for only in ("", "Patient")]
_WAYS_TO_ASK += [[(name, "identifier")] for name in _PERSON]


def _circles_of(ways: Sequence[str], *, user_id: UUID, **number: str) -> QuerySet[Any]:
    found = Circle.objects.order_by("pk")
    for way in ways:
        those = one_of("dossier_id", finding.keys_numbered(**number))
        found = found.filter(dossier_id__in=access.dossier_ids(User(pk=user_id), through=way, among=those))
    return found.values_list("pk")[: LARGEST_COUNT + 1]


# Few persons have one number, whoever asks: the plan is the same for all.
_circles = Prepared(_circles_of, one_plan=True)
