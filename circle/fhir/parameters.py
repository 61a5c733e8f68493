"""Search parameters of CareTeam (CDS-53 to 57): what the guide asks, never answered by what the caller may not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, F, Min, OuterRef, Q, QuerySet, When
from django.db.models.functions import Coalesce

from circle import roles
from circle.circles import Circle
from circle.fhir.entries import known_members, shown_to, told_all, whole_circles
from circle.models import Period, PlannedStay, RoleHolding
from coordination.fhir.callers import Caller
from coordination.fhir.registry import NEVER, DateParam, Param, ReferenceParam, TokenParam
from coordination.fhir.search.values import uuid_of

_R4 = "http://hl7.org/fhir/SearchParameter"
_CDS = "https://interop.esante.gouv.fr/ig/fhir/cds/SearchParameter"
STATUSES = "http://hl7.org/fhir/care-team-status"
NOBODY = Q(pk__in=[])
Members = Callable[[], QuerySet[Any]]
_STOPPED = Q(dossier__status__in=("pause", "clos"))


def with_days(rows: QuerySet[Any], caller: Caller) -> QuerySet[Any]:
    """Return circles with the days of CareTeam.period, as `building.period` says them to this caller."""
    seen = Period.objects.filter(shown_to(caller, "member__discreet"), dossier=OuterRef("dossier"))
    first = seen.order_by().values("dossier").annotate(first=Min("starts_on"))
    # Annotated, for an order reads it; it is in no statement that neither asks it nor sorts by it.
    return rows.annotate(
        begins_on=Coalesce("starts_on", first.values("first")),
        over_on=Coalesce("ends_on", Case(When(dossier__status="clos", then=F("dossier__status_on")))),
    )


def of_careteam(caller: Caller | None) -> Mapping[str, Param]:
    """Return the parameters as a caller may use them; without one, as they are declared."""
    # Building it costs more than the search: only what names a participant needs it.
    members = cache(lambda: known_members(caller)) if caller else None
    return {
        "identifier": TokenParam(f"{_R4}/clinical-identifier", build=_identified, missing=NEVER),
        "status": TokenParam(f"{_R4}/CareTeam-status", build=_in_state, missing=NEVER),
        "category": _category(caller),
        "_lastUpdated": DateParam(
            f"{_R4}/Resource-lastUpdated", low="changed_at", high="changed_at", is_day=False, missing=NEVER
        ),
        "date": DateParam(f"{_R4}/clinical-date", low="begins_on", high="over_on", missing=NEVER),
        "start": DateParam(
            f"{_CDS}/cds-careteam-start", low="begins_on", high="begins_on", missing=Q(begins_on__isnull=True)
        ),
        "end": DateParam(
            f"{_CDS}/cds-careteam-end", low="over_on", high="over_on", missing=Q(over_on__isnull=True)
        ),
        "participant-start": _of_participants(f"{_CDS}/cds-careteam-participant-start", "starts_on", members),
        "participant-end": _of_participants(f"{_CDS}/cds-careteam-participant-end", "ends_on", members),
        "participant": _participant(members),
        "patient": _patient(f"{_R4}/clinical-patient"),
        "subject": _patient(f"{_R4}/CareTeam-subject"),
        "managingOrganization": ReferenceParam(
            f"{_CDS}/cds-careteam-managing-organization",
            targets={"Organization": {"directory.structure": lambda ids: _managed_by(caller, ids)}},
            path="managingOrganization",
            missing=lambda: ~(Q(dossier__referent_structure__isnull=False) | _named_managing(caller, ~Q(managing=[]))),
        ),
    }  # fmt: skip


def _identified(system: str | None, code: str) -> Q:
    said = Q(identifier_value=code) if code else ~Q(identifier_value="")
    if system is not None:
        said &= Q(identifier_system=system)
    if system not in (None, settings.FHIR_IDENTIFIER_SYSTEM_CIRCLE):
        return said
    own = Q(identifier_value="")
    if code:
        id = uuid_of(code)
        own = own & Q(pk=id) if id else NOBODY
    return said | own


def _in_state(system: str | None, code: str) -> Q:
    """The state shown: the strongest of the circle's and of the dossier's (`building.status`)."""
    if system not in (None, STATUSES):
        return NOBODY
    if not code:
        return Q()
    own = Q(status=code)
    if code == Circle.Status.ENTERED_IN_ERROR:
        return own
    if code == Circle.Status.INACTIVE:
        return own | (Q(dossier__status="clos") & ~Q(status=Circle.Status.ENTERED_IN_ERROR))
    if code == Circle.Status.SUSPENDED:
        weaker = Q(status__in=(Circle.Status.ACTIVE, Circle.Status.PROPOSED, Circle.Status.SUSPENDED))
        return (own & ~_STOPPED) | (weaker & Q(dossier__status="pause"))
    return own & ~_STOPPED


def _category(caller: Caller | None) -> TokenParam:
    """Among the words withheld from who does not see every member (`building.WITHHELD`)."""
    told = cache(lambda: told_all(caller) if caller else Q())

    def build(system: str | None, code: str) -> Q:
        said = {name: value for name, value in (("system", system), ("code", code)) if value}
        return told() & Q(content__sent__category__contains=[{"coding": [said]}]) if said else NOBODY

    def missing() -> Q:
        return ~(told() & Q(content__sent__category__isnull=False))

    return TokenParam(f"{_R4}/CareTeam-category", build=build, missing=missing)


def _of_participants(definition: str, column: str, members: Members | None) -> DateParam:
    """A participant begins and ends with a stay, or with a role held in it (`participants.pieces_of`)."""

    def inside(condition: Q) -> Q:
        assert members is not None
        known = members().filter(dossier=OuterRef("dossier")).values("pk")
        stays = Period.objects.filter(condition, dossier=OuterRef("dossier"), member__in=known)
        lasting = Q(ends_on=None) | Q(ends_on__gt=F("starts_on"))
        held = RoleHolding.objects.filter(condition, lasting, dossier=OuterRef("dossier"), member__in=known)
        planned = PlannedStay.objects.told().filter(condition, dossier=OuterRef("dossier"), member__in=known)
        return Exists(stays) | Q(Exists(held)) | Q(Exists(planned))

    missing = (lambda: ~inside(Q(**{f"{column}__isnull": False}))) if members is not None else None
    return DateParam(definition, low=column, high=column, inside=inside, missing=missing)


def _participant(members: Members | None) -> ReferenceParam:
    def found(**by: Any) -> Q:
        assert members is not None
        return Q(Exists(members().filter(dossier=OuterRef("dossier"), **by)))

    return ReferenceParam(
        f"{_R4}/CareTeam-participant",
        path="participant.member",
        targets={
            "PractitionerRole": {
                "directory.activity": lambda ids: found(activity__in=ids),
                "directory.professional_role": lambda ids: found(professional__in=ids, activity=None),
                "circle.manual_role": lambda ids: found(pk__in=ids, kind=roles.MANUAL),
            },
            "RelatedPerson": {"circle.relative": lambda ids: found(pk__in=ids, kind=roles.PERSON)},
            "Organization": {"directory.structure": lambda ids: found(structure__in=ids)},
        },
        missing=(lambda: ~found()) if members is not None else None,
    )


def _patient(definition: str) -> ReferenceParam:
    return ReferenceParam(
        definition,
        path="subject",
        targets={"Patient": {"dossiers.dossier": lambda ids: Q(dossier__in=ids)}},
        missing=NEVER,
    )


def _managed_by(caller: Caller | None, ids: Any) -> Q:
    named: list[UUID] | ArraySubquery = ArraySubquery(ids) if isinstance(ids, QuerySet) else list(ids)
    return Q(dossier__referent_structure__in=ids) | _named_managing(caller, Q(managing__overlap=named))


def _named_managing(caller: Caller | None, named: Q) -> Q:
    """Of what a client named as responsible, the reduced circle tells nothing."""
    return named & whole_circles(caller) if caller else named
