"""What the national guide asks of each type, one pure module per profile.

`check` is for a resource that base FHIR accepts (`validation.check`). The profile of its type applies to every
resource, declared or not; those it declares in `meta.profile` besides, with or without a version (CDS-74).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from coordination.fhir.outcomes import WARNING, Issue
from coordination.fhir.profiles import (
    appointment,
    bundles,
    careteam,
    organization,
    patient,
    places,
    practitioner,
    related_person,
    schedule,
)
from coordination.fhir.profiles.kit import ANNUAIRE, FR_CORE, wrong

Check = Callable[[dict[str, Any], str], Iterator[Issue]]

BY_TYPE: dict[str, str] = {
    "Appointment": appointment.CANONICAL,
    "CareTeam": careteam.CANONICAL,
    "Patient": patient.CANONICAL,
    "RelatedPerson": related_person.CANONICAL,
    "Organization": organization.CANONICAL,
    "Practitioner": practitioner.CANONICAL,
    "PractitionerRole": practitioner.ROLE_CANONICAL,
    "Schedule": schedule.CANONICAL,
    "Slot": schedule.SLOT_CANONICAL,
    "Location": places.LOCATION,
    "HealthcareService": places.SERVICE,
}
PROFILES: dict[str, tuple[str, Check]] = {
    appointment.CANONICAL: ("Appointment", appointment.check),
    appointment.ANSWER: ("Bundle", appointment.check_answer),
    appointment.SLOTS: ("Bundle", appointment.check_slots),
    careteam.CANONICAL: ("CareTeam", careteam.check),
    patient.CANONICAL: ("Patient", patient.check),
    patient.INS_CANONICAL: ("Patient", patient.check_ins),
    related_person.CANONICAL: ("RelatedPerson", related_person.check),
    organization.CANONICAL: ("Organization", organization.check),
    practitioner.CANONICAL: ("Practitioner", practitioner.check),
    practitioner.ROLE_CANONICAL: ("PractitionerRole", practitioner.check_role),
    schedule.CANONICAL: ("Schedule", schedule.check),
    schedule.SLOT_CANONICAL: ("Slot", schedule.check_slot),
    places.LOCATION: ("Location", places.check_location),
    places.SERVICE: ("HealthcareService", places.check_service),
    bundles.CREATION: ("Bundle", bundles.check_creation),
    bundles.UPDATE: ("Bundle", bundles.check_transaction),
    bundles.ANSWER: ("Bundle", bundles.check_answer),
}
# Parents of the above: who conforms to the child conforms to them.
PARENTS: dict[str, str] = {
    f"{FR_CORE}fr-core-appointment": "Appointment",
    f"{FR_CORE}fr-core-related-person": "RelatedPerson",
    f"{FR_CORE}fr-core-organization": "Organization",
    f"{ANNUAIRE}as-organization": "Organization",
    f"{FR_CORE}fr-core-practitioner": "Practitioner",
    f"{FR_CORE}fr-core-practitioner-role": "PractitionerRole",
    f"{FR_CORE}fr-core-schedule": "Schedule",
    f"{FR_CORE}fr-core-slot": "Slot",
}


def check(resource: dict[str, Any]) -> list[Issue]:
    """Return what the profiles of a resource refuse (errors) or doubt (warnings), each pointing to its element."""
    name = resource["resourceType"]
    found: list[Issue] = []
    applied = [BY_TYPE[name]] if name in BY_TYPE else []
    for place, canonical in enumerate(declared(resource)):
        kind = PROFILES[canonical][0] if canonical in PROFILES else PARENTS.get(canonical)
        where = f"{name}.meta.profile[{place}]"
        if kind is None:
            found.append(Issue(WARNING, "not-supported", f"Ce profil n’est pas vérifié ici : {canonical}.", where))
        elif kind != name:
            found.append(wrong("value", f"Ce profil est celui d’un {kind}.", where))
        elif canonical in PROFILES and canonical not in applied:
            applied.append(canonical)
    if name == "Bundle" and resource.get("type") == "transaction" and not applied:
        applied.append(bundles.UPDATE)
    for canonical in applied:
        found += [issue for issue in PROFILES[canonical][1](resource, name) if issue not in found]
    return found


def declared(resource: dict[str, Any]) -> list[str]:
    """The canonicals that a resource declares, without their versions."""
    return [str(one).partition("|")[0] for one in resource.get("meta", {}).get("profile", [])]
