"""Finding resources by what a client sent of them, where no column says it: by the index of what is kept."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import BooleanField, F, Func, JSONField, Q, QuerySet, Value

from coordination.fhir.formats.elements import elements
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.numbers import INS_SYSTEMS


def keys_holding(
    resource_type: str, content: dict[str, Any] | None = None, *, owner: str = EVERYBODY
) -> QuerySet[Any]:
    """Return the keys of the resources of which this was sent (anything at all for None), as JSON contains it."""
    kept = Kept.objects.filter(resource_type=resource_type, owner=owner)
    return (kept.filter(content__contains=content) if content else kept).values("resource_id")


def holding(resource_type: str, content: dict[str, Any] | None = None) -> Q:
    """Return the condition, on the rows of a type, that this was sent of them."""
    return Q(pk__in=keys_holding(resource_type, content))


def without(resource_type: str, element: str) -> Q:
    """Return the condition, on the rows of a type, that this element was not sent of them: for `:missing`."""
    kept = Kept.objects.filter(resource_type=resource_type, owner=EVERYBODY, content__has_key=element)
    return ~Q(pk__in=kept.values("resource_id"))


def keys_of_token(
    resource_type: str, element: str, system: str | None, code: str, *, owner: str = EVERYBODY
) -> QuerySet[Any]:
    """Return the keys of the resources of which this identifier, or this concept, was sent, as a token asks.

    `system` "": said without any (`|code`). No INS: what is kept says none (INS-4).
    """
    known = elements(resource_type)[element]
    is_identifier = known.type == "Identifier"
    name = "value" if is_identifier else "code"
    said = {key: value for key, value in (("system", system), (name, code)) if value}
    if not said or (is_identifier and system in INS_SYSTEMS):
        return Kept.objects.none().values("resource_id")
    one = said if is_identifier else {"coding": [said]}
    found = keys_holding(resource_type, {element: [one] if known.many else one}, owner=owner)
    if system == "":
        found = found.filter(_without_system(element if is_identifier else f"{element}[*].coding", name, code))
    return found


def said_by_token(element: str, system: str, code: str) -> str:
    """Return what `keys_saying` looks for, of an identifier in a list of them."""
    return json.dumps({element: [{"system": system, "value": code}]})


def keys_saying(resource_type: str, said: str) -> QuerySet[Any]:
    """Return the keys of the resources of which everybody is told this, in one value: for a statement written once."""
    content = Func(Value(said), template="%(expressions)s::jsonb", output_field=JSONField())
    kept = Kept.objects.filter(resource_type=resource_type, owner=EVERYBODY, content__contains=content)
    return kept.values("resource_id")


def of_token(resource_type: str, element: str, system: str | None, code: str) -> Q:
    """Return the condition, on the rows of a type, of `keys_of_token`."""
    return Q(pk__in=keys_of_token(resource_type, element, system, code))


def _without_system(place: str, name: str, code: str) -> Func:
    """Containment asks for what is there; that nothing is there is asked of the few rows that it found."""
    # Names of elements are FHIR's, and the code is a value.
    path = Func(
        Value(f"$.{place}[*] ? (@.{name} == $said && !exists(@.system))"), template="%(expressions)s::jsonpath"
    )
    said = Func(Value(json.dumps({"said": code})), template="%(expressions)s::jsonb")
    return Func(F("content"), path, said, function="jsonb_path_exists", output_field=BooleanField())
