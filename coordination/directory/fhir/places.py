"""What places, services and equipment are searched by: columns, what is kept of what was sent, distances."""

from __future__ import annotations

import math
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db.models import (
    BooleanField,
    Exists,
    F,
    FloatField,
    Func,
    JSONField,
    OuterRef,
    Q,
    TextField,
    Value,
)
from django.db.models.functions import Cast, Concat
from django.db.models.lookups import LessThanOrEqual

from coordination.common.text import fold
from coordination.directory.models import Place
from coordination.fhir.models import EVERYBODY, Kept
from coordination.fhir.outcomes import Unreadable
from coordination.fhir.registry import (
    NEVER,
    ReferenceParam,
    TokenParam,
)
from coordination.fhir.search import sent
from coordination.fhir.search.values import uuid_of

_R4: Final = "http://hl7.org/fhir/SearchParameter"
NOBODY: Final = Q(pk__in=[])
# Kilometres; R4 leaves to the server what « near » means without a distance.
NEAR: Final = 50.0
_UNITS: Final = {"km": 1.0, "m": 0.001, "[mi_i]": 1.609344, "mi": 1.609344}
_EARTH: Final = 6371.0


def identified(type_name: str) -> TokenParam:
    """Return the parameter of the identifiers that were sent, and of ours."""

    def build(system: str | None, code: str) -> Q:
        found = sent.of_token(type_name, "identifier", system, code)
        if code and system in (None, settings.FHIR_IDENTIFIER_SYSTEM_RESOURCE) and (id := uuid_of(code)):
            found |= Q(pk=id)
        return found

    return TokenParam(f"{_R4}/{type_name}-identifier", build=build, missing=NEVER)


def coded(type_name: str, element: str, definition: str) -> TokenParam:
    """Return the parameter of concepts that are kept as they were sent."""
    build = partial(sent.of_token, type_name, element)
    return TokenParam(f"{_R4}/{definition}", build=build, missing=partial(sent.without, type_name, element))


def words(*columns: str) -> Any:
    """Return the builder of a string parameter on folded columns: any of their words, any part, or the whole."""

    def build(text: str, how: str) -> Q:
        wanted = fold(text)
        if not wanted:
            return NOBODY
        found = NOBODY
        for column in columns:
            if how == "exact":
                found |= Q(**{column: wanted})
            elif how == "contains":
                found |= Q(**{f"{column}__contains": wanted})
            else:
                found |= Q(**{f"{column}__startswith": wanted}) | Q(**{f"{column}__contains": f" {wanted}"})
        return found

    return build


def near(text: str) -> Q:
    """Return the places within a distance: `latitude|longitude|distance|unit` (R4, Location-near), 50 km unsaid.

    Raises Unreadable.
    """
    parts = text.split("|")
    try:
        latitude, longitude = float(parts[0]), float(parts[1])
        distance = float(parts[2]) if len(parts) > 2 and parts[2] else NEAR
        unit = _UNITS[parts[3]] if len(parts) > 3 and parts[3] else 1.0
    except (ValueError, IndexError, KeyError):
        raise Unreadable("« near » attend latitude|longitude|distance|km.") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 <= distance <= 40_000 and len(parts) <= 4):
        raise Unreadable("« near » attend des degrés et une distance qui existent.")
    kilometres = distance * unit
    # The parallel first, then the great circle.
    degrees = math.degrees(kilometres / _EARTH) + 0.01
    band = Q(latitude__gte=latitude - degrees, latitude__lte=latitude + degrees)
    return band & Q(LessThanOrEqual(_away(latitude, longitude), kilometres))


def _away(latitude: float, longitude: float) -> Func:
    here = [Value(latitude, FloatField()), F("latitude"), Value(longitude, FloatField()), F("longitude")]
    a, b, c, d = (Func(one, function="radians", output_field=FloatField()) for one in here)
    template = f"2 * {_EARTH} * asin(least(1, sqrt(%(expressions)s)))"
    halves = [
        Func(a, b, template="power(sin((%(expressions)s) / 2), 2)", arg_joiner=" - ", output_field=FloatField()),
        Func(c, d, template="power(sin((%(expressions)s) / 2), 2)", arg_joiner=" - ", output_field=FloatField()),
    ]
    both = halves[0] + Func(a, function="cos") * Func(b, function="cos") * halves[1]
    return Func(both, template=template, output_field=FloatField())


def of_structure(definition: str, path: str) -> ReferenceParam:
    """Return the parameter of the structure that a place, a service or a thing is of."""
    return ReferenceParam(
        definition, targets={"Organization": {"directory.structure": lambda ids: Q(structure__in=ids)}}, path=path,
        missing=Q(structure=None),
    )  # fmt: skip


def naming_places(type_name: str, element: str, ids: Any, *, owner: str = EVERYBODY) -> Q:
    """Return the condition of naming one of these places in a list of references, by the index of what is kept."""
    # `element` is a name of ours.
    said = f"jsonb_build_object('{element}', jsonb_build_array(jsonb_build_object('reference', %(expressions)s)))"
    reference = Concat(Value("Location/"), Cast("pk", TextField()))
    names = Func(reference, template=said, output_field=JSONField())
    holds = Func(
        OuterRef("content"), names, template="%(expressions)s", arg_joiner=" @> ", output_field=BooleanField()
    )
    places = Place.objects.filter(holds, pk__in=ids)
    kept = Kept.objects.filter(Exists(places), resource_type=type_name, owner=owner)
    return Q(pk__in=kept.values("resource_id"))
