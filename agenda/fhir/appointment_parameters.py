"""Search parameters of Appointment (agenda.md §3.5): never answered by what the caller may not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from agenda.fhir import appointment_codes as codes
from agenda.fhir.appointment_entries import NOBODY, attending
from agenda.models import Participation
from circle.fhir.seeking import words_in
from coordination.directory.models import Activity
from coordination.fhir.callers import Caller
from coordination.fhir.registry import NEVER, DateParam, Param, ReferenceParam, StringParam, TokenParam
from coordination.fhir.search import sent
from coordination.fhir.search.values import uuid_of

_R4 = "http://hl7.org/fhir/SearchParameter"
_GAP = "https://interop.esante.gouv.fr/ig/fhir/gap/SearchParameter"
Who = Callable[[], Q]


def with_moments(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return appointments with the moment since which each is taken, as `created` says it."""
    return rows.alias(made_at=Coalesce("declared_at", "created_at"))


def of_appointment(caller: Caller | None) -> Mapping[str, Param]:
    """Return the parameters as a caller may use them; without one, as they are declared."""
    known: Who = (lambda: attending(caller)) if caller else Q
    return {
        "identifier": TokenParam(f"{_R4}/Appointment-identifier", build=_identified, missing=NEVER),
        "status": TokenParam(f"{_R4}/Appointment-status", build=_in_state, missing=NEVER),
        "date": DateParam(f"{_R4}/Appointment-date", low="starts_at", high="starts_at", is_day=False,
                          missing=Q(starts_at=None)),
        "start": DateParam(f"{_GAP}/GAP-Appointment-earliestStart", low="starts_at", high="starts_at", is_day=False,
                           missing=Q(starts_at=None)),
        "created": DateParam(f"{_GAP}/GAP-Appointment-created", low="made_at", high="made_at", is_day=False,
                             missing=NEVER),
        "_lastUpdated": DateParam(f"{_R4}/Resource-lastUpdated", low="changed_at", high="changed_at", is_day=False,
                                  missing=NEVER),
        "service-type": TokenParam(f"{_R4}/Appointment-service-type", build=_of_type,
                                   missing=lambda: Q(service_type="") & _unsent("serviceType")()),
        "service-category": TokenParam(f"{_R4}/Appointment-service-category", build=_of_kind, missing=NEVER),
        "specialty": _coded("specialty", "Appointment-specialty"),
        "appointment-type": _coded("appointmentType", "Appointment-appointment-type"),
        "priority": TokenParam(f"{_GAP}/GAP-Appointment-priority", build=_of_priority,
                               missing=_unsent("priority")),
        "description": StringParam(f"{_GAP}/GAP-Appointment-description", build=_described,
                                   missing=Q(title="", comment="")),
        "part-status": TokenParam(f"{_R4}/Appointment-part-status", build=lambda s, c: _answered(known, c),
                                  missing=NEVER),
        "supporting-info": ReferenceParam(
            f"{_R4}/Appointment-supporting-info", path="supportingInformation", targets={},
            literal=lambda said: sent.holding("Appointment", {"supportingInformation": [{"reference": said}]}),
            missing=_unsent("supportingInformation"),
        ),
        "slot": ReferenceParam(
            f"{_R4}/Appointment-slot", path="slot", targets={},
            literal=lambda said: (
                sent.holding("Appointment", {"slot": [{"reference": said if "/" in said else f"Slot/{said}"}]})
                & _all_known(known)
            ),
        ),
        "patient": _reference("patient", {"Patient": _PERSON}, missing=NEVER),
        "practitioner": _reference("practitioner", {"Practitioner": _practitioner(known)}),
        "location": _reference("location", {"Location": _things(known, "directory.place")}),
        "actor": _reference("actor", {
            "Patient": _PERSON,
            "Practitioner": _practitioner(known),
            "PractitionerRole": _role(known),
            "RelatedPerson": {"circle.relative": lambda ids: _attended(known, Q(member__in=ids))},
            "Location": _things(known, "directory.place"),
            "HealthcareService": _things(known, "directory.service"),
            "Device": _things(known, "directory.equipment"),
        }, missing=NEVER),
    }  # fmt: skip


def _reference(
    name: str, targets: Mapping[str, Mapping[str, Callable[[Any], Q]]], *, missing: Q | None = None
) -> ReferenceParam:
    definition = f"{_R4}/Appointment-{name}"
    return ReferenceParam(definition, path="participant.actor", targets=targets, missing=missing)


_PERSON: Mapping[str, Callable[[Any], Q]] = {"dossiers.dossier": lambda ids: Q(dossier__in=ids)}


def _attended(known: Who, who: Q) -> Q:
    return Q(Exists(Participation.objects.filter(known(), who, appointment_id=OuterRef("pk"))))


def _all_known(known: Who) -> Q:
    """That nobody attends who is hidden from the caller: what may name him is not told then (`building.WITHHELD`)."""
    told = known() | Q(room__isnull=False) | Q(key=F("dossier_id"))
    return ~Q(Exists(Participation.objects.filter(~told, appointment_id=OuterRef("pk"))))


def _answered(known: Who, code: str) -> Q:
    return _attended(known, Q(status=code)) if code else Q()


def _practitioner(known: Who) -> Mapping[str, Callable[[Any], Q]]:
    return {
        "directory.professional": lambda ids: _attended(known, Q(key__in=ids) | Q(member__professional__in=ids)),
        "circle.manual_professional": lambda ids: _attended(known, Q(member__in=ids, member__professional=None)),
    }


def _role(known: Who) -> Mapping[str, Callable[[Any], Q]]:
    def works(ids: Any) -> Q:
        people = Activity.objects.filter(pk__in=ids).values("professional_id")
        return _attended(known, Q(member__activity__in=ids) | Q(member__activity=None, key__in=people))

    return {
        "directory.activity": works,
        "directory.professional_role": lambda ids: _attended(known, Q(member__activity=None, key__in=ids)),
        "circle.manual_role": lambda ids: _attended(known, Q(member__in=ids, member__professional=None)),
    }


def _things(known: Who, *keys: str) -> Mapping[str, Callable[[Any], Q]]:
    return dict.fromkeys(keys, lambda ids: _attended(known, Q(key__in=ids)))


def named(system: str, value: str) -> Q:
    """Return the condition of having been sent under this identifier, "" for no system."""
    under = Q(identifier_system=system, identifier_value=value)
    beside = Q(identifier_value="") & sent.of_token("Appointment", "identifier", system, value)
    return under | beside if system else under


def _identified(system: str | None, code: str) -> Q:
    said = Q(identifier_value=code) if code else ~Q(identifier_value="")
    if system is not None:
        said &= Q(identifier_system=system)
    # One that was sent beside the first.
    found = said | sent.of_token("Appointment", "identifier", system, code)
    if system not in (None, settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT):
        return found
    own = Q(identifier_value="")
    if code:
        id: UUID | None = uuid_of(code)
        own = own & Q(pk=id) if id else NOBODY
    return found | own


def _in_state(system: str | None, code: str) -> Q:
    if system not in (None, codes.STATUSES):
        return NOBODY
    if not code:
        return Q()
    if code in codes.FINER:
        return Q(status=codes.FINER[code], finer_status=code)
    finer = [one for one, ours in codes.FINER.items() if ours == code]
    return Q(status=code) & ~Q(finer_status__in=finer) if finer else Q(status=code)


def _of_type(system: str | None, code: str) -> Q:
    found = sent.of_token("Appointment", "serviceType", system, code)
    if system in (None, settings.FHIR_SYSTEM_SERVICE_TYPES):
        found |= Q(service_type=code) if code else ~Q(service_type="")
    return found


def _of_kind(system: str | None, code: str) -> Q:
    found = sent.of_token("Appointment", "serviceCategory", system, code)
    if system in (None, settings.FHIR_SYSTEM_EVENT_KINDS):
        found |= Q(kind=code) if code else Q()
    return found


def _of_priority(system: str | None, code: str) -> Q:
    if not (code.isascii() and code.isdigit() and len(code) < 10):
        return NOBODY
    return sent.holding("Appointment", {"priority": int(code)})


def _described(text: str, how: str) -> Q:
    return words_in(("title", "comment"), text, how)


def _coded(element: str, definition: str) -> TokenParam:
    """By a concept that was sent, whichever of its readers asks: it is given back to each who may read it."""
    build = partial(sent.of_token, "Appointment", element)
    return TokenParam(f"{_R4}/{definition}", build=build, missing=_unsent(element))


def _unsent(element: str) -> Callable[[], Q]:
    return partial(sent.without, "Appointment", element)
