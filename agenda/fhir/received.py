"""Appointment without a person of ours: time that a software says taken of a professional’s (GAP-72).

It is of no dossier: only who sent it reads it. Whose time it may take: the professional who acts, and those of the
structure of the software.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone

from agenda.actions import received as actions
from agenda.actions.attending import ANSWER, NEED
from agenda.fhir import appointment_codes as codes
from agenda.fhir import appointment_people as people
from agenda.fhir import appointment_reading as reading
from agenda.models import Appointment, ReceivedTime
from coordination.common.prepared import among
from coordination.fhir import keeping
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content, stamped
from coordination.fhir.outcomes import ERROR, Invalid, Issue, VersionConflict
from coordination.fhir.registry import CREATE, NEVER, READ, SEARCH, UPDATE, DateParam, Provider, Resource, TokenParam
from coordination.fhir.search.values import uuid_of

_R4: Final = "http://hl7.org/fhir/SearchParameter"
_GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/SearchParameter"
NOBODY: Final = Q(pk__in=[])
STATUS = Appointment.Status


class ReceivedTimes(Provider):
    key: ClassVar[str] = "agenda.received_time"
    type: ClassVar[str] = "Appointment"
    profile: ClassVar[str] = codes.PROFILE
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE})
    conditional_update = True
    sorts: ClassVar[dict[str, str]] = {"date": "starts_at", "start": "starts_at", "_lastUpdated": "changed_at"}
    params = {
        "identifier": TokenParam(f"{_R4}/Appointment-identifier", build=lambda s, c: _identified(s, c), missing=NEVER),
        "status": TokenParam(f"{_R4}/Appointment-status", build=lambda s, c: _in_state(s, c), missing=NEVER),
        "date": DateParam(f"{_R4}/Appointment-date", low="starts_at", high="starts_at", is_day=False,
                          missing=Q(starts_at=None)),
        "start": DateParam(f"{_GAP}/GAP-Appointment-earliestStart", low="starts_at", high="starts_at", is_day=False,
                           missing=Q(starts_at=None)),
        "_lastUpdated": DateParam(f"{_R4}/Resource-lastUpdated", low="changed_at", high="changed_at", is_day=False,
                                  missing=NEVER),
    }  # fmt: skip

    def rows(self, caller: Caller) -> QuerySet[Any]:
        return ReceivedTime.objects.filter(sender=caller.owner)

    def has(self, caller: Caller, id: UUID) -> bool:
        return self.rows(caller).filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        rows = list(self.rows(caller).filter(pk__in=among(ids)))
        sent = keeping.kept(self.type, [row.pk for row in rows], caller.owner)
        return {row.pk: _finished(row, sent[row.pk].content) for row in rows if row.pk in sent}

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        wanted = _wanted(caller, resource)
        made = actions.receive_time(
            by=caller.user, sender=caller.owner, received_from=caller.name[:200], creation_key=key, wanted=wanted,
            via=caller.via,
        )  # fmt: skip
        keeping.keep(self.type, made.pk, resource, owner=caller.owner)
        return made.pk

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        row = actions.locked_time(caller.owner, id)
        current = self.load(caller, [id])[id]
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        if same_content(current, resource):
            return
        actions.change_time(row, wanted=_wanted(caller, resource), by=caller.user, via=caller.via)
        keeping.keep(self.type, id, resource, owner=caller.owner)


def _wanted(caller: Caller, resource: Resource) -> actions.Time:
    named = people.named(caller, resource)
    attending = people.found(caller, None, named).people
    mine = people.takable(caller, named)
    takes = [
        one.key
        for one in attending
        if one.key in mine and one.status != ANSWER.DECLINED and one.need != NEED.INFORMATION
    ]
    if not takes:
        what = "Nommez une personne accompagnée de ce serveur, ou un professionnel de votre structure."
        raise Invalid(Issue(ERROR, "business-rule", what, "Appointment.participant"))
    starts_at, ends_at = reading.times(resource, now=timezone.now(), minutes=30)
    system, value = codes.identifier_said(resource)
    if max(len(system), len(value)) > 200:
        raise Invalid(Issue(ERROR, "too-long", "200 caractères au plus.", "Appointment.identifier"))
    return actions.Time(resource["status"], starts_at, ends_at, (system, value), tuple(dict.fromkeys(takes)))


def _finished(row: ReceivedTime, content: Resource) -> Resource:
    ours = {"system": settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT, "value": str(row.pk)}
    whole = {"resourceType": "Appointment", "id": str(row.pk)} | {
        name: value for name, value in content.items() if name != "meta"
    }
    if not row.identifier_value:
        whole["identifier"] = [ours, *whole.get("identifier", [])]
    return stamped(whole, content, profiles=[codes.PROFILE], at=[row.changed_at])


def _identified(system: str | None, code: str) -> Q:
    said = Q(identifier_value=code) if code else ~Q(identifier_value="")
    if system is not None:
        said &= Q(identifier_system=system)
    if system not in (None, settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT):
        return said
    id = uuid_of(code)
    own = Q(identifier_value="")
    return said | (own & Q(pk=id) if id else own if not code else NOBODY)


def _in_state(system: str | None, code: str) -> Q:
    if system not in (None, codes.STATUSES):
        return NOBODY
    return Q(status=code) if code else Q()
