"""Search parameters of Appointment (agenda.md §3.5): never answered by what the caller may not see."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.registry import DateParam, Param, ReferenceParam, StringParam, TokenParam
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
        "identifier": TokenParam(f"{_R4}/Appointment-identifier", build=_identified),
        "status": TokenParam(f"{_R4}/Appointment-status", build=_in_state),
        "date": DateParam(f"{_R4}/Appointment-date", low="starts_at", high="starts_at", is_day=False,
                          missing=Q(starts_at=None)),
        "start": DateParam(f"{_GAP}/GAP-Appointment-earliestStart", low="starts_at", high="starts_at", is_day=False,
                           missing=Q(starts_at=None)),
        "created": DateParam(f"{_GAP}/GAP-Appointment-created", low="made_at", high="made_at", is_day=False),
        "_lastUpdated": DateParam(f"{_R4}/Resource-lastUpdated", low="changed_at", high="changed_at", is_day=False),
        "service-type": TokenParam(f"{_R4}/Appointment-service-type", build=_of_type),
        "service-category": TokenParam(f"{_R4}/Appointment-service-category", build=_of_kind),
        "specialty": TokenParam(f"{_R4}/Appointment-specialty", build=lambda s, c: _sent_concept("specialty", s, c)),
        "appointment-type": TokenParam(
            f"{_R4}/Appointment-appointment-type", build=lambda s, c: _sent_one("appointmentType", s, c)
        ),
        "priority": TokenParam(f"{_GAP}/GAP-Appointment-priority", build=_of_priority),
        "description": StringParam(f"{_GAP}/GAP-Appointment-description", build=_described,
                                   missing=Q(title="", comment="")),
        "part-status": TokenParam(f"{_R4}/Appointment-part-status", build=lambda s, c: _answered(known, c)),
        "supporting-info": ReferenceParam(
            f"{_R4}/Appointment-supporting-info", path="supportingInformation", targets={},
            literal=lambda said: _sent(supportingInformation=[{"reference": said}]),
        ),
        "slot": ReferenceParam(
            f"{_R4}/Appointment-slot", path="slot", targets={},
            literal=lambda said: (
                _sent(slot=[{"reference": said if "/" in said else f"Slot/{said}"}]) & _all_known(known)
            ),
        ),
        "patient": _reference("patient", {"Patient": _PERSON}),
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
        }),
    }  # fmt: skip


def _reference(name: str, targets: Mapping[str, Mapping[str, Callable[[Any], Q]]]) -> ReferenceParam:
    return ReferenceParam(f"{_R4}/Appointment-{name}", path="participant.actor", targets=targets)


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
    beside = Q(identifier_value="") & _sent(identifier=[{"system": system, "value": value}])
    return under | beside if system else under


def _identified(system: str | None, code: str) -> Q:
    said = Q(identifier_value=code) if code else ~Q(identifier_value="")
    if system is not None:
        said &= Q(identifier_system=system)
    found = said
    if wanted := {name: value for name, value in (("system", system), ("value", code)) if value}:
        # One that was sent beside the first.
        found |= _sent(identifier=[wanted])
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
    found = _sent_concept("serviceType", system, code)
    if system in (None, settings.FHIR_SYSTEM_SERVICE_TYPES):
        found |= Q(service_type=code) if code else ~Q(service_type="")
    return found


def _of_kind(system: str | None, code: str) -> Q:
    found = _sent_concept("serviceCategory", system, code)
    if system in (None, settings.FHIR_SYSTEM_EVENT_KINDS):
        found |= Q(kind=code) if code else Q()
    return found


def _of_priority(system: str | None, code: str) -> Q:
    return _sent(priority=int(code)) if code.isascii() and code.isdigit() and len(code) < 10 else NOBODY


def _described(text: str, how: str) -> Q:
    return words_in(("title", "comment"), text, how)


def _sent_concept(element: str, system: str | None, code: str) -> Q:
    coding = {name: value for name, value in (("system", system), ("code", code)) if value}
    return _sent(**{element: [{"coding": [coding]}]}) if coding else NOBODY


def _sent_one(element: str, system: str | None, code: str) -> Q:
    coding = {name: value for name, value in (("system", system), ("code", code)) if value}
    return _sent(**{element: {"coding": [coding]}}) if coding else NOBODY


def _sent(**content: Any) -> Q:
    """Those of which this was sent, whichever of its readers asks: it is given back to each who may read it."""
    kept = Kept.objects.filter(resource_type="Appointment", owner=EVERYBODY, content__contains=content)
    return Q(pk__in=kept.values("resource_id"))
