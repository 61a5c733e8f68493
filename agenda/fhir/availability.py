"""An availability of the guide (fr-core-schedule-availability-time), and what an agenda keeps of it.

What is sent is an instant with its offset; an agenda keeps what the clock on the wall says, so that ten o’clock stays
ten o’clock when clocks change (agenda.md §6.1, §9 g). The clock is the one named by `tz-code`, an extension of FHIR R4
on the start, else that of the agenda.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings

from agenda.models import Absence, Opening
from agenda.recurrence import instant
from agenda.rule_formats import RuleNotExpressible, rule_from_fhir, rule_from_text, rule_to_fhir, rule_to_text
from agenda.rules import Rule, RuleMalformed
from agenda.zones import TERRITORIES, wall, wall_text
from coordination.fhir import french
from coordination.fhir.outcomes import Invalid

Resource = dict[str, Any]
AVAILABILITY: Final = f"{french.CORE}/StructureDefinition/fr-core-schedule-availability-time"
TYPES: Final = f"{french.CORE}/CodeSystem/fr-core-cs-schedule-type"
FREE, UNAVAILABLE = "free", "busy-unavailable"
TZ_CODE: Final = "http://hl7.org/fhir/StructureDefinition/tz-code"
_LABELS = {FREE: "Disponibilité", UNAVAILABLE: "Indisponibilité"}
# What the columns of a range hold; the rest of what was sent is given back as it came.
_OURS = frozenset({"type", "start", "end", "rrule", "priority"})
_PRIVATE = "unavailabilityReason"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MINUTE, _WHOLE_DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@dataclass(frozen=True)
class Said:
    """An availability as it is read: local times of `zone`, without zone."""

    is_open: bool
    starts: dt.datetime
    ends: dt.datetime
    zone: str
    rule: Rule | None
    priority: int

    @property
    def words(self) -> tuple[Any, ...]:
        """What tells two availabilities apart: as the columns of a row."""
        rule = rule_to_text(self.rule) if self.rule else ""
        return self.is_open, wall_text(self.starts), wall_text(self.ends), self.zone, rule, self.priority


def read(extension: Resource, zone: str, at: str) -> Said:
    """Return what an availability says; `zone` is the clock of the agenda, `at` where it stands.

    For what the profile accepts (`profiles.schedule`). Raises Invalid: a time that is not told to the minute, that
    exists twice, a clock that does not exist, a rule that RFC 5545 forbids.
    """
    parts = {one["url"]: one for one in extension["extension"]}
    is_open = parts["type"]["valueCoding"].get("code") != UNAVAILABLE
    zone = zone_said(parts["start"]) or zone
    if zone not in available_timezones():
        raise Invalid("Ce fuseau horaire n’existe pas.", expression=at)
    starts = _local(parts["start"]["valueDateTime"], zone, at, later=is_open)
    ends = _local(parts["end"]["valueDateTime"], zone, at, later=not is_open, last=True)
    rule = None
    if "rrule" in parts:
        try:
            rule = rule_from_fhir(parts["rrule"])
        except RuleMalformed as refusal:
            raise Invalid(refusal.message, expression=at) from None
    return Said(is_open, starts, ends, zone, rule, int(parts.get("priority", {}).get("valueInteger", 0)))


def zone_of(extensions: Iterable[Resource], before: str) -> str:
    """Return the clock of an agenda from what its availabilities say; `before` is the one it has, or ours.

    The first that is named; else the one it has where it shows these hours; else the first French territory that does.
    """
    starts = [part for one in extensions for part in one.get("extension", []) if part.get("url") == "start"]
    named = next(filter(None, map(zone_said, starts)), "")
    if named:
        return named
    texts = [one.get("valueDateTime", "") for one in starts]
    aware = [moment for text in texts if "T" in text and not text.endswith("Z") and (moment := _aware(text))]
    for zone in (before, *TERRITORIES):
        if all(moment.utcoffset() == moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in aware):
            return zone
    return before


def zone_said(start: Resource) -> str:
    """Return the clock named on a start, "" when none is."""
    beside = start.get("_valueDateTime", {}).get("extension", [])
    return next((str(one.get("valueCode", "")) for one in beside if one.get("url") == TZ_CODE), "")


def identifiers(extension: Resource) -> list[tuple[str, str]]:
    """Return the (system, value) of the identifiers of an availability."""
    said = [one.get("valueIdentifier", {}) for one in extension["extension"] if one.get("url") == "identifier"]
    return [(one.get("system", ""), one.get("value", "")) for one in said]


def own_identifier(row: Opening | Absence) -> tuple[str, str]:
    """Return the (system, value) by which we name a range."""
    return settings.FHIR_IDENTIFIER_SYSTEM_RANGE, str(row.pk)


def identifiers_of(row: Opening | Absence) -> list[tuple[str, str]]:
    """Return by which (system, value) a range is known: those sent with it, and its own when it was made on screen."""
    return identifiers(row.sent) if row.sent else [own_identifier(row)]


def written(row: Opening | Absence, *, own: bool) -> Resource | None:
    """Return the availability of a range: as it was sent while it says the same.

    `own`: for whoever it is of, who alone reads why he is not there. None for a rule that the guide cannot say.
    """
    said = words_of(row)
    if row.sent and _same(row.sent, said):
        return dict(row.sent) if own else public(row.sent)
    try:
        parts = _parts(row)
    except RuleNotExpressible:
        return None
    kept = [one for one in (row.sent or {}).get("extension", []) if one.get("url") not in _OURS]
    if not row.sent:
        system, value = own_identifier(row)
        kept = [
            {"url": "identifier", "valueIdentifier": {"system": system, "value": value}},
            {"url": "created", "valueDateTime": row.created_at.astimezone(dt.UTC).isoformat(timespec="seconds")},
        ]
        if own and isinstance(row, Absence) and row.label:
            kept.append({"url": _PRIVATE, "valueCodeableConcept": {"text": row.label}})
    whole = {"extension": [*kept, *parts], "url": AVAILABILITY}
    return whole if own else public(whole)


def words_of(row: Opening | Absence) -> tuple[Any, ...]:
    """Return what a range says, as `Said.words`."""
    return isinstance(row, Opening), row.starts, row.ends, row.zone, row.rule, row.priority


def _same(sent: Mapping[str, Any], words: tuple[Any, ...]) -> bool:
    try:
        return read(dict(sent), words[3], "").words == words
    except Invalid:
        return False


def public(said: Mapping[str, Any]) -> Resource:
    """Return an availability without why somebody is away: that is for him alone."""
    return {**said, "extension": [one for one in said["extension"] if one.get("url") != _PRIVATE]}


def _parts(row: Opening | Absence) -> list[Resource]:
    code = FREE if isinstance(row, Opening) else UNAVAILABLE
    zone = ZoneInfo(row.zone)
    start: Resource = {"url": "start", "valueDateTime": _written(row.starts, zone)}
    if row.zone != settings.TIME_ZONE:
        start["_valueDateTime"] = {"extension": [{"url": TZ_CODE, "valueCode": row.zone}]}
    parts = [
        {"url": "type", "valueCoding": french.coding(TYPES, code, _LABELS[code])},
        start,
        {"url": "end", "valueDateTime": _written(row.ends, zone)},
    ]
    if row.priority:
        parts.append({"url": "priority", "valueInteger": row.priority})
    if row.rule:
        parts.append(rule_to_fhir(rule_from_text(row.rule), zone))
    return parts


def _written(local: str, zone: ZoneInfo) -> str:
    return instant(wall(local), zone).astimezone(zone).isoformat()


def _local(text: str, zone: str, at: str, *, later: bool, last: bool = False) -> dt.datetime:
    """Return what the clock shows. `later`: of a minute begun, the next one; `last`: a day is over at its end."""
    if _DAY.fullmatch(text):
        day = dt.datetime.fromisoformat(text)
        return day + _WHOLE_DAY if last else day
    moment = _aware(text)
    if moment is None:
        raise Invalid("Une plage se dit à la minute, avec son décalage, ou par jours entiers.", expression=at)
    place = ZoneInfo(zone)
    whole = moment.replace(second=0, microsecond=0)
    if later and whole != moment:
        whole += _MINUTE
    local = whole.astimezone(place).replace(tzinfo=None)
    if instant(local, place) != whole:
        raise Invalid("Cette heure existe deux fois ce jour-là : dites-en une autre.", expression=at)
    return local


def _aware(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
        # Nothing may leave the calendar by changing of clock.
        return moment if moment.tzinfo is not None and 1900 <= moment.year < 2200 else None
    except ValueError:
        return None
