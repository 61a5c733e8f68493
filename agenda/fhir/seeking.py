"""Search parameters of agendas."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from agenda.models import ScheduleActor, ServiceType
from coordination.common.prepared import among
from coordination.fhir.registry import TokenParam
from coordination.fhir.search import sent
from coordination.fhir.search.values import uuid_of

_R4: Final = "http://hl7.org/fhir/SearchParameter"


def identified(system: str | None, code: str) -> Q:
    """By an identifier that was sent, else by ours."""
    found = sent.of_token("Schedule", "identifier", system, code)
    if code and system in (None, settings.FHIR_IDENTIFIER_SYSTEM_AGENDA) and (id := uuid_of(code)):
        found |= Q(pk=id)
    return found


def coded(element: str, definition: str) -> TokenParam:
    """Return the parameter of concepts that are kept as they were sent."""
    build = partial(sent.of_token, "Schedule", element)
    return TokenParam(f"{_R4}/{definition}", build=build, missing=partial(sent.without, "Schedule", element))


def active(system: str | None, code: str) -> Q:
    """Return the condition, on agendas, of being in use or not."""
    return {"true": Q(active=True), "false": Q(active=False)}.get(code, Q(pk__in=[]))


def services_named(system: str | None, code: str) -> Q:
    """Return the condition, on kinds of appointments, of a token."""
    if system is None:
        return Q(code=code)
    said = "" if system == settings.FHIR_SYSTEM_SERVICE_TYPES else system or "?"
    return Q(system=said, code=code) if code else Q(system=said)


def offering(system: str | None, code: str) -> Q:
    """Return the condition, on agendas, of offering a kind of appointment."""
    if not code and not system:
        return Q(pk__in=[])
    return Q(Exists(ServiceType.objects.filter(services_named(system, code), schedule=OuterRef("pk"))))


def offering_nothing() -> Q:
    """Return the condition, on agendas, of offering no kind of appointment in particular."""
    return ~Q(Exists(ServiceType.objects.filter(schedule=OuterRef("pk"))))


def keys_of(ids: Iterable[UUID]) -> dict[UUID, set[UUID]]:
    """Return {agenda: the keys of those whose time it takes besides its own}. One SQL statement."""
    found: dict[UUID, set[UUID]] = {}
    for schedule, key in ScheduleActor.objects.filter(schedule__in=among(ids)).values_list("schedule", "key"):
        found.setdefault(schedule, set()).add(key)
    return found
