"""CareTeam: one circle per person, read from its versions, written by the act of the screens' own rules."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Q, QuerySet

from circle import actions
from circle.circles import Circle, CircleVersion
from circle.errors import ParticipantRefused
from circle.fhir import asking, looking_up, parameters, reading
from circle.fhir.building import PROFILE
from circle.fhir.entries import circles_of, enter, enter_to_write
from circle.fhir.versions import CURRENT, HEAD, NAMED, Head, current, is_old_copy, shown
from coordination.dossiers import door
from coordination.dossiers.door import Entry
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content
from coordination.fhir.numbers import without_numbers
from coordination.fhir.outcomes import ERROR, Invalid, Issue, Unknown, VersionConflict
from coordination.fhir.registry import (
    CREATE,
    HISTORY,
    HISTORY_OF_TYPE,
    READ,
    SEARCH,
    UPDATE,
    VREAD,
    Param,
    Provider,
    Resource,
)
from coordination.fhir.search.values import uuid_of


class CareTeamProvider(Provider):
    key: ClassVar[str] = "circle.circle"
    type: ClassVar[str] = "CareTeam"
    profile: ClassVar[str] = PROFILE
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, VREAD, HISTORY, HISTORY_OF_TYPE})
    documentation = "Un cercle de soins par personne (CDS-36)."
    sorts: ClassVar[dict[str, str]] = {"_lastUpdated": "changed_at", "start": "begins_on"}
    params = parameters.of_careteam(None)
    beside = door.beside_who_calls(NAMED, CURRENT)

    # ---- Reading ---------------------------------------------------------------------------------------------------

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return parameters.with_days(Circle.objects.filter(circles_of(caller)), caller)

    def params_of(self, caller: Caller) -> Mapping[str, Param]:
        return parameters.of_careteam(caller)

    def looked_up(self, caller: Caller, criteria: Sequence[Any], *, most: int) -> list[UUID] | None:
        return looking_up.circles(caller, criteria, most=most)

    def has(self, caller: Caller, id: UUID) -> bool:
        return Circle.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        return {head.circle_id: resource for head, resource in shown(caller, current(ids))}

    def read(self, caller: Caller, id: UUID) -> Resource:
        lines = caller.memo.pop(("beside", id), ())
        heads = [Head(*lines[0][: len(HEAD)])] if lines and lines[0][0] else current([id])
        if not heads:
            raise Unknown
        enter(caller, heads[0].dossier_id, beside=[line[len(HEAD) :] for line in lines])
        return shown(caller, heads)[0][1]

    # ---- Writing ---------------------------------------------------------------------------------------------------

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        dossier_id = _subject_of(resource)
        try:
            entry = enter_to_write(caller, dossier_id)
        except Unknown:
            raise Invalid(Issue(ERROR, "not-found", "Ce patient n’existe pas.", "CareTeam.subject")) from None
        return _written(entry, resource, None, creation_key=key).pk

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        entry = enter_to_write(caller, _dossier_of(id))
        if _subject_of(resource) != entry.dossier.pk:
            raise Invalid("Un cercle de soins ne change pas de personne.", expression="CareTeam.subject")
        current = self.load(caller, [id])[id]
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        if same_content(without_numbers(resource), current):
            # What was read is sent back: nothing to write, not even a version.
            return
        number = int(current["meta"]["versionId"])
        if expected is None and is_old_copy(resource, id, number):
            # Who came meanwhile is not in it, and would leave.
            raise VersionConflict("Cette copie vient d’une version dépassée du cercle : relisez-le, puis recommencez.")
        try:
            _written(entry, resource, current, expected=number)
        except ChangedMeanwhile:
            raise VersionConflict from None

    # ---- Versions --------------------------------------------------------------------------------------------------

    def version(self, caller: Caller, id: UUID, number: str) -> Resource:
        enter(caller, _dossier_of(id))
        if not (number.isascii() and number.isdigit() and len(number) < 10):
            raise Unknown
        found = CircleVersion.objects.filter(circle_id=id, number=int(number)).values_list(*HEAD)
        read = shown(caller, [Head(*line) for line in found])
        if not read:
            raise Unknown
        return read[0][1]

    def history(
        self, caller: Caller, id: UUID | None, *, since: dt.datetime | None, before: tuple[Any, ...] | None, count: int
    ) -> list[tuple[tuple[Any, ...], str, Resource]]:
        versions = CircleVersion.objects.all()
        if id is None:
            versions = versions.filter(circle__in=self.rows(caller).values("pk"))
        else:
            enter(caller, _dossier_of(id))
            versions = versions.filter(circle_id=id)
        if since is not None:
            versions = versions.filter(at__gte=since)
        if before is not None:
            versions = versions.filter(_older_than(before))
        found = versions.order_by("-at", "-circle_id", "-number").values_list(*HEAD)[:count]
        return [
            ((head.at.isoformat(), str(head.circle_id), head.number), _method(head), resource)
            for head, resource in shown(caller, [Head(*line) for line in found])
        ]


def _subject_of(resource: Resource) -> UUID:
    type_name, _, id = reading.local(resource.get("subject", {}).get("reference", "")).partition("/")
    found = uuid_of(id) if type_name == "Patient" else None
    if found is None:
        raise Invalid(Issue(ERROR, "not-found", "Ce patient n’existe pas.", "CareTeam.subject"))
    return found


def _written(entry: Entry, resource: Resource, current: Resource | None, **how: Any) -> Circle:
    said, asked = asking.asked_of(entry, without_numbers(resource), current)
    try:
        return actions.write_circle(entry, said, asked, **how)
    except ParticipantRefused as refusal:
        at = f"CareTeam.participant[{refusal.rank}].{refusal.element}"
        raise Invalid(Issue(ERROR, refusal.issue, refusal.message, at)) from None


def _method(head: Head) -> str:
    return "POST" if head.number == 1 else "PUT"


def _older_than(place: tuple[Any, ...]) -> Q:
    at, circle_id, number = dt.datetime.fromisoformat(place[0]), UUID(place[1]), place[2]
    same = Q(at=at) & (Q(circle_id__lt=circle_id) | Q(circle_id=circle_id, number__lt=number))
    return Q(at__lt=at) | same


def _dossier_of(id: UUID) -> UUID:
    found = Circle.objects.filter(pk=id).values_list("dossier_id", flat=True).first()
    if found is None:
        raise Unknown
    return found
