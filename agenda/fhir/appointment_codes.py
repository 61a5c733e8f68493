"""The words of an appointment, ours and FHIR’s: states, kinds, types, reasons of a cancellation. Pure.

Source: R4 appointmentstatus and appointment-cancellation-reason, agenda.md §5.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.conf import settings

from agenda import service_types
from agenda.models import Appointment
from coordination.fhir import french
from coordination.fhir.numbers import is_number

Resource = dict[str, Any]
STATUS, KIND, REASON = Appointment.Status, Appointment.Kind, Appointment.CancelReason
PROFILE: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-appointment"
HL7_REASONS: Final = "http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason"
STATUSES: Final = "http://hl7.org/fhir/appointmentstatus"
# What FHIR says more finely than the screens.
FINER: Final = {"arrived": STATUS.BOOKED, "checked-in": STATUS.BOOKED, "waitlist": STATUS.PROPOSED}
_NEAREST: Final = {
    REASON.PERSON: "pat", REASON.PROFESSIONAL: "prov", REASON.HOSPITAL: "other", REASON.REFUSED: "prov",
    REASON.ORGANISER: "other", REASON.OTHER: "other",
}  # fmt: skip
_BY_BEGINNING: Final = (("pat", REASON.PERSON), ("prov", REASON.PROFESSIONAL))


def state_said(code: str) -> tuple[str, str]:
    """Return (our state, what FHIR says more finely or "") of a FHIR status."""
    return (FINER[code], code) if code in FINER else (code, "")


def state_of(status: str, finer: str) -> str:
    """Return the FHIR status of a row: the finer one while it says the same."""
    return finer if FINER.get(finer) == status else status


def reason_said(resource: Resource) -> tuple[str, str]:
    """Return (our reason, what it adds in words) of cancelationReason; OTHER when nothing tells more."""
    concept = resource.get("cancelationReason") or {}
    text = str(concept.get("text", ""))
    for system, code in french.codes([concept]):
        if system == settings.FHIR_SYSTEM_CANCEL_REASONS and code in REASON.values:
            return code, "" if text == REASON(code).label else text
    for system, code in french.codes([concept]):
        if system in ("", HL7_REASONS):
            found = next((ours for begins, ours in _BY_BEGINNING if code.startswith(begins)), REASON.OTHER)
            return found, text
    return REASON.OTHER, text


def reason_of(reason: str, note: str) -> Resource:
    """Return cancelationReason of one of our reasons, HL7’s nearest code beside it."""
    label = REASON(reason).label
    coding = [
        french.coding(settings.FHIR_SYSTEM_CANCEL_REASONS, reason, label),
        french.coding(HL7_REASONS, _NEAREST[REASON(reason)]),
    ]
    return {"coding": coding, "text": note or label}


def kind_said(resource: Resource) -> str:
    """Return the kind of event that serviceCategory names among ours; a plain appointment otherwise."""
    for system, code in french.codes(resource.get("serviceCategory", [])):
        if system == settings.FHIR_SYSTEM_EVENT_KINDS and code in KIND.values:
            return code
    return KIND.APPOINTMENT


def kind_of(kind: str) -> list[Resource]:
    """Return serviceCategory of one of our kinds of event."""
    return [french.concept(settings.FHIR_SYSTEM_EVENT_KINDS, kind, KIND(kind).label)]


def type_said(resource: Resource) -> str:
    """Return our code of the type of appointment, "" for those of other software, which are kept."""
    for system, code in french.codes(resource.get("serviceType", [])):
        if system == settings.FHIR_SYSTEM_SERVICE_TYPES and code in service_types.every():
            return code
    return ""


def type_of(code: str) -> list[Resource]:
    """Return serviceType of one of our types of appointment, nothing for none."""
    if not code:
        return []
    return [french.concept(settings.FHIR_SYSTEM_SERVICE_TYPES, code, service_types.label_of(code))]


def identifier_said(resource: Resource) -> tuple[str, str]:
    """Return the (system, value) by which an appointment is known: the first that has both, else the first value.

    Ours is no name that another software gives, and the INS of a person is none of an event.
    """
    named = (one for one in resource.get("identifier", []) if not is_number(one))
    said = [(one.get("system", ""), one.get("value", "")) for one in named]
    theirs = [pair for pair in said if pair[0] != settings.FHIR_IDENTIFIER_SYSTEM_APPOINTMENT and pair[1]]
    return next((pair for pair in theirs if pair[0]), theirs[0] if theirs else ("", ""))


def words(concepts: Iterable[Resource]) -> str:
    """Return what a concept says in words: its text, else the display of its first coding."""
    for one in concepts:
        if one.get("text"):
            return str(one["text"])
        for coding in one.get("coding", []):
            if coding.get("display"):
                return str(coding["display"])
    return ""
