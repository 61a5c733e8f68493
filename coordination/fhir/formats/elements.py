"""What FHIR R4 says of every element: its order, its types, whether it repeats, which codes bind it.

Read from `elements.json` and `codes.json` the first time a type is asked for. `tests/fhir/definitions.py` makes both
files from HL7's definitions and explains their short form.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_HOME = Path(__file__).parent
_TOKEN = re.compile(r"(?P<name>[\w\[\]]+):(?P<types>[^*!=]+)(?P<many>\*?)(?P<needed>!?)(?:=(?P<codes>.+))?")
_REFERENCE = re.compile(r"Reference\((?P<targets>[^)]+)\)")

PRIMITIVES = frozenset({
    "base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer",
    "markdown", "oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Element:
    """One element as it is written: `valueString`, never `value[x]`, which `choice` remembers.

    `targets`: the types a Reference may reach, none when it may reach all. `codes`: the list that binds it.
    """

    name: str
    type: str
    many: bool
    needed: bool
    choice: str
    codes: str
    targets: tuple[str, ...]

    @property
    def primitive(self) -> bool:
        return self.type in PRIMITIVES


@cache
def _file(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((_HOME / name).read_text(encoding="utf-8"))
    return read


@cache
def resource_types() -> frozenset[str]:
    """The types that a body may have."""
    return frozenset(_file("elements.json")["resources"])


def is_type(name: str) -> bool:
    """Say whether R4 defines a type of this name."""
    return name in _file("elements.json")["types"]


@cache
def codes(name: str) -> frozenset[str]:
    """The codes of a list named by an element."""
    return frozenset(_file("codes.json")["codes"][name])


@cache
def elements(type_name: str) -> dict[str, Element]:
    """The elements of a type by name, in the order of the definition; a choice gives one element per type."""
    base, said = _file("elements.json")["types"][type_name]
    found = dict(elements(base)) if base else {}
    for token in said.split():
        for element in _read(token):
            found[element.name] = element
    return found


@cache
def required(type_name: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a type may not miss: (name shown, names under which it may come)."""
    found: dict[str, list[str]] = {}
    for element in elements(type_name).values():
        if element.needed:
            found.setdefault(element.choice or element.name, []).append(element.name)
    return tuple((name, tuple(names)) for name, names in found.items())


def _read(token: str) -> list[Element]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ValueError(token)
    name = match["name"]
    types = _file("elements.json")["open"] if match["types"] == "@" else match["types"].split("|")
    choice = name.removesuffix("[x]") if name.endswith("[x]") else ""
    many, needed, bound = bool(match["many"]), bool(match["needed"]), match["codes"] or ""
    made = []
    for one in types:
        reference = _REFERENCE.fullmatch(one)
        kind = "Reference" if reference else one
        targets = tuple(reference["targets"].split(",")) if reference else ()
        written = f"{choice}{kind[0].upper()}{kind[1:]}" if choice else name
        made.append(Element(written, kind, many, needed, choice, bound, targets))
    return made
