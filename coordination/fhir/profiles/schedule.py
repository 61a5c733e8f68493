"""gap-fr-schedule and gap-fr-slot 3.0.0 (on FR Core 2.0.1): an agenda, its availabilities, what is cut from them."""

from __future__ import annotations

from collections.abc import Iterator

from coordination.common import nomenclatures
from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import FR_CORE, Value, between, codings, each, extensions, nos, wrong

GAP = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/"
CANONICAL = f"{GAP}gap-fr-schedule"
SLOT_CANONICAL = f"{GAP}gap-fr-slot"
AVAILABILITY = f"{FR_CORE}fr-core-schedule-availability-time"
DURATION = f"{FR_CORE}fr-core-service-type-duration"
SPECIALITIES = nos("TRE_R38-SpecialiteOrdinale")
KINDS = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type"
RULES = "https://www.ietf.org/rfc/rfc2445"
FREQUENCIES = frozenset({"SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
# Part of an extension: (its value, the least and the most of it).
_Parts = dict[str, tuple[str, int, int]]
MANY = 1000
_OF_AVAILABILITY: _Parts = {
    "type": ("valueCoding", 1, 1),
    "start": ("valueDateTime", 1, 1),
    "end": ("valueDateTime", 1, 1),
    "identifier": ("valueIdentifier", 1, MANY),
    "created": ("valueDateTime", 0, 1),
    "priority": ("valueInteger", 0, 1),
    "unavailabilityReason": ("valueCodeableConcept", 0, 1),
    "rrule": ("extension", 0, 1),
}
_OF_RULE: _Parts = {
    "freq": ("valueCoding", 1, 1),
    "until": ("valueDateTime", 0, 1),
    "count": ("valueInteger", 0, 1),
    "interval": ("valueInteger", 0, 1),
    "bySecond": ("valuePositiveInt", 0, MANY),
    "byMinute": ("valuePositiveInt", 0, MANY),
    "byHour": ("valuePositiveInt", 0, MANY),
    "byDay": ("valueString", 0, MANY),
    "byMonthDay": ("valueInteger", 0, MANY),
    "byYearDay": ("valueString", 0, MANY),
    "byWeekNo": ("valueInteger", 0, MANY),
    "byMonth": ("valuePositiveInt", 0, MANY),
    "wkst": ("valueCode", 0, MANY),
}
_OF_DURATION: _Parts = {"serviceType": ("valueCodeableConcept", 1, 1), "duration": ("valueDuration", 0, 1)}


def check(schedule: Value, path: str = "Schedule") -> Iterator[Issue]:
    """Yield what gap-fr-schedule refuses."""
    yield from between(schedule, "serviceType", path, 0, 0)
    yield from between(schedule, "serviceCategory", path, 0, 1)
    yield from specialities(schedule, path)
    for one, where in each(schedule, "extension", path):
        if one.get("url") == AVAILABILITY:
            yield from _availability(one, where)
    yield from durations(schedule, path)


def check_slot(slot: Value, path: str = "Slot") -> Iterator[Issue]:
    """Yield what gap-fr-slot refuses."""
    yield from between(slot, "serviceCategory", path, 0, 1)
    yield from specialities(slot, path)


def specialities(holder: Value, path: str) -> Iterator[Issue]:
    """Yield the specialities that are not of the table of the profile (required binding)."""
    for specialty, where in each(holder, "specialty", path):
        said = (nomenclatures.get("savoir_faire", one.get("code")) for one in codings(specialty, [SPECIALITIES]))
        # Our table of savoir-faire is made of several: « S » are the ordinal specialities.
        if not any(found and found.parent == "S" for found in said):
            yield wrong("code-invalid", "Une spécialité est de la table TRE_R38-SpecialiteOrdinale.", where)


def durations(holder: Value, path: str) -> Iterator[Issue]:
    """Yield what is wrong with the kinds of appointments and how long they last."""
    for one, where in each(holder, "extension", path):
        if one.get("url") == DURATION:
            yield from _parts(one, where, _OF_DURATION)


def _availability(said: Value, path: str) -> Iterator[Issue]:
    wrongs = list(_parts(said, path, _OF_AVAILABILITY))
    yield from wrongs
    if wrongs:
        return
    kind = _value(said, "type", "valueCoding")
    if kind.get("system", KINDS) != KINDS or kind.get("code") not in ("free", "busy-unavailable"):
        yield wrong("code-invalid", "Le type d’une plage est free ou busy-unavailable.", path)
    for rule, where in each(said, "extension", path):
        if rule.get("url") == "rrule":
            yield from _rule(rule, where)


def _rule(said: Value, path: str) -> Iterator[Issue]:
    wrongs = list(_parts(said, path, _OF_RULE))
    yield from wrongs
    if wrongs:
        return
    freq = _value(said, "freq", "valueCoding")
    if freq.get("system") != RULES or freq.get("code") not in FREQUENCIES:
        yield wrong("code-invalid", "La fréquence est une des sept d’iCalendar (rfc2445).", path)


def _value(said: Value, name: str, kind: str) -> Value:
    found: Value = extensions(said, name)[0][kind]
    return found


def _parts(said: Value, path: str, known: _Parts) -> Iterator[Issue]:
    """Yield what is missing, too many, of another type or unknown among the parts of an extension."""
    for one, where in each(said, "extension", path):
        name = str(one.get("url", ""))
        if name not in known:
            yield wrong("structure", f"L’extension {name[:60]} n’existe pas ici.", where)
        elif known[name][0] not in one:
            yield wrong("value", f"{name} se dit par {known[name][0]}.", where)
    for name, (_, low, high) in known.items():
        count = len(extensions(said, name))
        if count < low:
            yield wrong("required", f"{name} est obligatoire.", f"{path}.extension")
        elif count > high:
            yield wrong("structure", f"{name} est donné {count} fois ; {high} au plus.", f"{path}.extension")
