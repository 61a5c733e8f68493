"""The second opinion of `fhir.resources` (R4B), on what R4's definitions accept.

The library knows R4B only. It is asked about our types alone, and what it says of elements that R4B dropped or changed
is not heard: R4 has Extension.valueMeta, R4B has not. What R4B adds never arrives here: R4's definitions refuse it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from coordination.fhir.outcomes import ERROR, Issue

if TYPE_CHECKING:
    from pydantic import BaseModel

TYPES = frozenset({
    "Appointment", "Bundle", "CapabilityStatement", "CareTeam", "Device", "HealthcareService", "Location",
    "OperationOutcome", "Organization", "Parameters", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson",
    "Schedule", "Slot",
})  # fmt: skip
# Elements of R4 that R4B has not, or has otherwise.
R4_ONLY = frozenset({"valueMeta"})


def check(resource: dict[str, Any], path: str = "") -> list[Issue]:
    """Return what the library refuses in a resource of our types, each entry of a Bundle by itself."""
    name = resource["resourceType"]
    where = path or name
    if name not in TYPES:
        return []
    if name != "Bundle":
        return _ask(name, resource, where)
    entries = resource.get("entry", [])
    bare = [{key: value for key, value in entry.items() if key not in ("resource", "_resource")} for entry in entries]
    # An entry without its resource may be empty: the library is shown what is left.
    issues = _ask(name, {**resource, "entry": [entry for entry in bare if entry]} if entries else resource, where)
    for place, entry in enumerate(entries):
        if "resource" in entry:
            issues += check(entry["resource"], f"{where}.entry[{place}].resource")
    return issues


@cache
def _model(name: str) -> type[BaseModel]:
    # Imported late: a quarter of a second, that only who receives resources pays.
    from fhir.resources.R4B import get_fhir_model_class

    model: type[BaseModel] = get_fhir_model_class(name)
    return model


def _ask(name: str, resource: dict[str, Any], where: str) -> list[Issue]:
    from pydantic import ValidationError

    shown = {key: value for key, value in resource.items() if key != "contained"}
    try:
        _model(name).model_validate(shown)
    except ValidationError as refused:
        return [_issue(error["loc"], where) for error in refused.errors() if R4_ONLY.isdisjoint(error["loc"])]
    return []


def _issue(place: tuple[int | str, ...], where: str) -> Issue:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return Issue(ERROR, "invalid", "Cet élément ne suit pas FHIR R4.", f"{where}{steps}")
