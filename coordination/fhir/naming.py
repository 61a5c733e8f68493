"""What still names a resource in what clients sent: nothing that is named is taken away (issue 5 §3)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q

from coordination.fhir import registry
from coordination.fhir.formats.elements import elements
from coordination.fhir.models import Kept
from coordination.fhir.registry import Computed, ReferenceParam


def is_named(type_name: str, id: UUID) -> bool:
    """Say whether what is kept of another resource refers to this one, by an element that is searched.

    By the index of what is kept. One SQL statement, none when no type may name it.
    """
    asked = Q(pk__in=[])
    for source, path in _paths(type_name):
        said = _shape(source, path.split("."), {"reference": f"{type_name}/{id}"})
        asked |= Q(resource_type=source, content__contains=said)
    return Kept.objects.filter(asked).exists()


def _paths(type_name: str) -> set[tuple[str, str]]:
    """Return the (type, path) of the references that may name a type."""
    return {
        (source, param.path)
        for source in registry.types()
        for provider in registry.for_type(source)
        if not isinstance(provider, Computed)
        for param in provider.params.values()
        if isinstance(param, ReferenceParam) and type_name in param.targets
    }


def _shape(holder: str, path: list[str], value: Any) -> dict[str, Any]:
    """Return what a resource holds when this value is at a path: lists where FHIR has lists."""
    name, *rest = path
    element = elements(holder)[name]
    inside = _shape(element.type, rest, value) if rest else value
    return {name: [inside] if element.many else inside}
