"""Schedule: agendas that software declares, and those of accounts (GAP-20 to GAP-42, GAP-95, GAP-98)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from agenda.actions.declared import (
    change_declared,
    declare_schedule,
    delete_declared,
)
from agenda.errors import NotInYourAgenda, RangeRefused
from agenda.fhir import actors, asking, seeking
from agenda.fhir.building import PROFILE, Holds, actors_said, finished
from agenda.fhir.entries import enter, enter_to_write, entered, persons_of
from agenda.models import Schedule, ScheduleActor
from circle.fhir.entries import shown_members
from circle.models import Member
from coordination.common.prepared import among
from coordination.directory.models import Professional
from coordination.fhir import keeping
from coordination.fhir.callers import Caller
from coordination.fhir.finishing import same_content
from coordination.fhir.outcomes import ERROR, Forbidden, Invalid, Issue, Unknown, VersionConflict
from coordination.fhir.registry import (
    CREATE,
    DELETE,
    NEVER,
    PATCH,
    READ,
    SEARCH,
    UPDATE,
    DateParam,
    Provider,
    Resource,
    TokenParam,
)
from habilitations.traces import NOWHERE

_R4: Final = "http://hl7.org/fhir/SearchParameter"


class Schedules(Provider):
    key = "agenda.schedule"
    type = "Schedule"
    profile = PROFILE
    interactions = frozenset({READ, SEARCH, CREATE, UPDATE, PATCH, DELETE})
    counted = False
    documentation = (
        "Agendas des comptes et agendas déclarés par un logiciel, qui seul les modifie. Les plages suivent l’horloge "
        "du lieu : celle que nomme l’extension tz-code du début, sinon celle de l’agenda. PATCH : JSON Patch."
    )
    params = {
        "identifier": TokenParam(f"{_R4}/Schedule-identifier", build=seeking.identified, missing=NEVER),
        "actor": actors.ACTOR,
        "active": TokenParam(f"{_R4}/Schedule-active", build=seeking.active, missing=NEVER),
        "specialty": seeking.coded("specialty", "Schedule-specialty"),
        "service-category": seeking.coded("serviceCategory", "Schedule-service-category"),
        "service-type": TokenParam(
            f"{_R4}/Schedule-service-type", build=seeking.offering, missing=seeking.offering_nothing,
            documentation="Par les types de rendez-vous de l’extension service-type-duration.",
        ),
        "date": DateParam(f"{_R4}/Schedule-date", low="valid_from", high="valid_until", is_day=False,
                          missing=Q(valid_from=None, valid_until=None)),
        "_lastUpdated": DateParam(f"{_R4}/Resource-lastUpdated", low="changed_at", high="changed_at", is_day=False,
                                  missing=NEVER),
    }  # fmt: skip

    # ---- Reading -------------------------------------------------------------------------------------------------

    def rows(self, caller: Caller) -> QuerySet[Any]:
        """Return the agendas of professionals, places and things; of a person, where the caller reads hers.

        Of a person who is none of ours, to who declared it only.
        """
        listed = Professional.objects.filter(pk=OuterRef("key"))
        of_account = Q(user__is_active=True) & Q(Exists(listed))
        named = ScheduleActor.objects.filter(schedule=OuterRef("pk"), target__in=Member.objects.values("pk"))
        hidden = named.exclude(target__in=shown_members(caller).values("pk"))
        of_person = Q(person__isnull=False) & persons_of(caller) & ~Exists(hidden)
        known = (Q(person=None) | of_person) & (Q(owner=caller.owner) | ~actors.strangers())
        return Schedule.objects.filter(of_account | Q(user=None) & known)

    def has(self, caller: Caller, id: UUID) -> bool:
        return Schedule.objects.filter(pk=id).exists()

    def load(self, caller: Caller, ids: Sequence[UUID], *, included: bool = False) -> dict[UUID, Resource]:
        """Nine SQL statements at most, whatever their number; ten for persons."""
        rows = list(self.rows(caller).filter(pk__in=among(ids)))
        known = entered(caller, {row.person for row in rows if row.person})
        rows = [row for row in rows if row.person is None or row.person in known]
        if not rows:
            return {}
        here = [row.pk for row in rows]
        kept = keeping.kept(self.type, here)
        holds = Holds(here)
        of_accounts = actors.of_accounts(row.key for row in rows if row.user_id)
        return {
            row.pk: finished(row, holds, kept.get(row.pk), of_accounts.get(row.key, []), own=_is_own(caller, row))
            for row in rows
        }

    def read(self, caller: Caller, id: UUID) -> Resource:
        person = Schedule.objects.filter(pk=id).values_list("person", flat=True).first()
        if person:
            enter(caller, person)
        return super().read(caller, id)

    # ---- Writing -------------------------------------------------------------------------------------------------

    def create(self, caller: Caller, resource: Resource, *, key: UUID) -> UUID:
        said = asking.said(caller, resource, None)
        with _Placed(resource):
            made = declare_schedule(said, by=caller.user, owner=caller.owner, id=key, via=caller.via or NOWHERE)
        keeping.keep(self.type, made.pk, asking.to_keep(resource, made.pk))
        return made.pk

    def update(self, caller: Caller, id: UUID, resource: Resource, *, expected: str | None) -> None:
        schedule, current = self._to_write(caller, id, expected)
        if same_content(current, resource):
            return
        said = asking.said(caller, resource, schedule)
        if schedule.user_id and actors_said(resource) != actors_said(current):
            raise Invalid("L’agenda d’un compte reste celui de la même personne.", expression="Schedule.actor")
        with _Placed(resource):
            changed = change_declared(schedule, said, by=caller.user, owner=caller.owner, via=caller.via or NOWHERE)
        content = asking.to_keep(resource, id)
        before = keeping.kept(self.type, [id]).get(id)
        if changed or before is None or not same_content(before.content, content):
            keeping.keep(self.type, id, content)

    def delete(self, caller: Caller, id: UUID, *, expected: str | None) -> None:
        schedule, _ = self._to_write(caller, id, expected)
        if schedule.user_id:
            raise Forbidden("L’agenda d’un compte ne se supprime pas.")
        delete_declared(schedule, by=caller.user, owner=caller.owner, via=caller.via or NOWHERE)
        keeping.forget(self.type, [id])

    def _to_write(self, caller: Caller, id: UUID, expected: str | None) -> tuple[Schedule, Resource]:
        """Return an agenda this caller may change, locked, and what it says now. Raises as its reading, Forbidden."""
        person = Schedule.objects.filter(pk=id).values_list("person", flat=True).first()
        if person:
            enter_to_write(caller, person)
        rows = self.rows(caller).select_for_update(of=("self",), no_key=True)
        schedule = rows.filter(pk=id).first()
        current = self.load(caller, [id]).get(id) if schedule else None
        if schedule is None or current is None:
            raise Unknown
        if not _is_own(caller, schedule):
            raise Forbidden("Cet agenda est celui d’un autre logiciel ou d’une autre personne.")
        if expected is not None and expected != current["meta"]["versionId"]:
            raise VersionConflict
        return schedule, current


def _is_own(caller: Caller, row: Schedule) -> bool:
    return row.user_id == caller.user.pk if row.user_id else row.owner == caller.owner


class _Placed:
    """Tell a refusal of one range by the element that it speaks of; whose agenda it is not, as forbidden."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, refusal: Any, trace: Any) -> None:
        if isinstance(refusal, RangeRefused):
            at = f"Schedule.extension[{refusal.number}]"
            raise Invalid(Issue(ERROR, refusal.issue, refusal.message, at)) from None
        if isinstance(refusal, NotInYourAgenda):
            raise Forbidden("Cet agenda est celui d’un autre logiciel ou d’une autre personne.") from None
