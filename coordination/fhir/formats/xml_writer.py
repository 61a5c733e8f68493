"""A resource in XML: elements in the order of the definitions, primitives as attributes, the narrative as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from coordination.fhir.formats import narrative
from coordination.fhir.formats.elements import Element, elements, is_type, resource_types

FHIR = "http://hl7.org/fhir"
_ESCAPES = str.maketrans({
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;",
})  # fmt: skip


def write(resource: dict[str, Any]) -> bytes:
    """Return the XML of a resource. Raises ValueError for what FHIR R4 does not define."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>']
    parts.extend(_resource(resource, f' xmlns="{FHIR}"'))
    return "".join(parts).encode()


def _resource(resource: Any, namespace: str = "") -> Iterator[str]:
    if not isinstance(resource, dict) or resource.get("resourceType") not in resource_types():
        raise ValueError("not a resource of FHIR R4")
    name = resource["resourceType"]
    yield f"<{name}{namespace}>"
    yield from _content(name, resource, skipped=("resourceType",))
    yield f"</{name}>"


def _content(type_name: str, value: dict[str, Any], *, skipped: tuple[str, ...] = ()) -> Iterator[str]:
    known = elements(type_name)
    names = {name.removeprefix("_") for name in value}.difference(skipped)
    if unknown := names.difference(known):
        raise ValueError(f"{type_name} has no {sorted(unknown)[0]}")
    for name, element in known.items():
        if name in names:
            yield from _element(element, value.get(name), value.get(f"_{name}"))


def _element(element: Element, value: Any, beside: Any) -> Iterator[str]:
    if not element.primitive:
        for one in value if element.many else [value]:
            yield from _complex(element, one)
        return
    if not element.many:
        value, beside = [value], [beside]
    value, beside = value or [], beside or []
    for place in range(max(len(value), len(beside))):
        yield from _primitive(
            element, value[place] if place < len(value) else None, beside[place] if place < len(beside) else None
        )


def _complex(element: Element, value: dict[str, Any]) -> Iterator[str]:
    if not is_type(element.type) or not isinstance(value, dict):
        raise ValueError(f"{element.name} is not a {element.type}")
    if "resourceType" in value or element.type == "Resource":
        yield f"<{element.name}>"
        yield from _resource(value)
        yield f"</{element.name}>"
        return
    # Of an element, `id` is an attribute, and `url` is one of an Extension.
    attributes = ["id", "url"] if element.type == "Extension" else ["id"]
    said = "".join(f' {name}="{_text(value[name])}"' for name in attributes if name in value)
    inside = "".join(_content(element.type, value, skipped=tuple(attributes)))
    yield f"<{element.name}{said}>{inside}</{element.name}>" if inside else f"<{element.name}{said}/>"


def _primitive(element: Element, value: Any, beside: Any) -> Iterator[str]:
    if element.type == "xhtml":
        yield narrative.embedded(value)
        return
    if value is None and not beside:
        raise ValueError(f"{element.name} has no value")
    said, inside = "", ""
    if beside:
        said = f' id="{_text(beside["id"])}"' if "id" in beside else ""
        inside = "".join(_content("Element", beside, skipped=("id",)))
    if value is not None:
        said += f' value="{_text(value)}"'
    yield f"<{element.name}{said}>{inside}</{element.name}>" if inside else f"<{element.name}{said}/>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).translate(_ESCAPES)
