"""Makes `coordination/fhir/formats/elements.json` and `codes.json` from HL7's definitions of FHIR R4 4.0.1.

    python -m tests.fhir.definitions FOLDER

FOLDER holds HL7's definitions as bundles (profiles-types, profiles-resources, valuesets, v3-codesystems), in XML as
HL7 publishes them (hl7.org/fhir/R4/downloads.html, "FHIR definitions") and as Maven's
hapi-fhir-validation-resources-r4 repeats them. `test_definitions.py` compares both files with ../shared/fhir.

One line per type says its elements in order, each `name:type`, then `*` when it repeats, `!` when it is required,
`=list` when a list of codes binds it. Types of a choice are separated by `|`; a Reference names what it may reach; `@`
is every type of the open choice (Extension.value[x]). A type takes the elements of its base first.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from coordination.fhir.formats import xml_reader

VERSION = "4.0.1"
SOURCE = (
    "HL7 FHIR R4 4.0.1 (build 4.0.1-9346c8cc45, 2019-11-01), StructureDefinition snapshots and value sets, CC0 1.0"
)
HOME = Path(__file__).resolve().parents[2] / "coordination/fhir/formats"
BASES = ("Resource", "DomainResource", "Element", "BackboneElement")
CORE = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM = "http://hl7.org/fhirpath/System."
OPEN_CHOICE = 40


def bundle(path: Path, kind: str) -> list[dict]:
    entries = xml_reader.read(path.read_bytes())["entry"]
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == kind]


def type_token(element: dict, one: dict) -> str:
    code = one["code"]
    if code.startswith(SYSTEM):
        # System.String stands for Element.id, Extension.url and Resource.id.
        name = element["path"].rpartition(".")[2]
        return {"id": "id" if not element.get("representation") else "string", "url": "uri"}[name]
    targets = [target.removeprefix(CORE) for target in one.get("targetProfile", [])]
    if code == "Reference" and targets and targets != ["Resource"]:
        return f"Reference({','.join(targets)})"
    return code


def token(element: dict, bound: set[str]) -> str:
    """One element of a definition, in the short form of the module's docstring."""
    path = element["path"]
    types = [type_token(element, one) for one in element.get("type", [])]
    if "contentReference" in element:
        said = element["contentReference"].removeprefix("#")
    elif types in (["BackboneElement"], ["Element"]):
        said = path
    elif len(types) > OPEN_CHOICE:
        said = "@"
    else:
        said = "|".join(types)
    many = "*" if element["max"] != "1" else ""
    needed = "!" if element["min"] else ""
    binding = element.get("binding", {})
    codes = ""
    if binding.get("strength") == "required" and binding.get("valueSet"):
        name = binding["valueSet"].partition("|")[0].rpartition("/")[2]
        if name in bound:
            codes = f"={name}"
    return f"{path.rpartition('.')[2]}:{said}{many}{needed}{codes}"


def base_of(path: str, definition: dict) -> str:
    """The base whose elements come first: of the definition itself, or of a part of it."""
    if "." in path:
        root = next(e for e in definition["snapshot"]["element"] if e["path"] == path)
        return root["type"][0]["code"]
    base = definition.get("baseDefinition", "").removeprefix(CORE)
    return base if base in BASES else ("Quantity" if base == "Quantity" else "")


def lines(definition: dict, bound: set[str]) -> dict[str, list[str]]:
    """Every type that one StructureDefinition defines (itself and its parts), each with all its tokens in order."""
    found: dict[str, list[str]] = {}
    for element in definition["snapshot"]["element"]:
        if element["max"] == "0":
            continue
        parent, _, name = element["path"].rpartition(".")
        if name and parent:
            found.setdefault(parent, []).append(token(element, bound))
        else:
            found.setdefault(element["path"], [])
    return found


def codes_of(value_set: dict, systems: dict[str, dict]) -> list[str] | None:
    """The codes of a value set that names whole code systems or codes one by one; None when it says them otherwise."""

    def whole(concepts: list[dict]) -> list[str]:
        return [code for one in concepts for code in (one["code"], *whole(one.get("concept", [])))]

    compose = value_set.get("compose", {})
    if compose.get("exclude"):
        return None
    found: list[str] = []
    for include in compose.get("include", []):
        if "filter" in include or "valueSet" in include:
            return None
        if "concept" in include:
            found += [one["code"] for one in include["concept"]]
            continue
        system = systems.get(include["system"])
        if not system or system.get("content") != "complete":
            return None
        found += whole(system.get("concept", []))
    return found or None


def make(folder: Path) -> tuple[dict, dict]:
    systems = {
        one["url"]: one
        for name in ("valuesets.xml", "v3-codesystems.xml")
        for one in bundle(folder / name, "CodeSystem")
    }
    sets = {}
    for one in bundle(folder / "valuesets.xml", "ValueSet"):
        if codes := codes_of(one, systems):
            sets[one["url"].rpartition("/")[2]] = sorted(set(codes))
    definitions = [
        one
        for name in ("profiles-types.xml", "profiles-resources.xml")
        for one in bundle(folder / name, "StructureDefinition")
        if one.get("derivation") != "constraint" and one["kind"] != "logical" and one["kind"] != "primitive-type"
    ]
    full = {}
    bases = {}
    for one in definitions:
        for path, tokens in lines(one, set(sets)).items():
            full[path], bases[path] = tokens, base_of(path, one)
    types = {}
    for path, tokens in sorted(full.items()):
        base = bases[path]
        common = full.get(base, [])
        if tokens[: len(common)] != common:
            base, common = "", []
        types[path] = [base, " ".join(tokens[len(common) :])]
    used = {t.rpartition("=")[2] for tokens in full.values() for t in tokens if "=" in t}
    opened = next(
        e
        for one in definitions
        if one["name"] == "Extension"
        for e in one["snapshot"]["element"]
        if e["path"] == "Extension.value[x]"
    )
    resources = sorted(one["name"] for one in definitions if one["kind"] == "resource" and not one["abstract"])
    head = {"source": SOURCE, "version": VERSION}
    elements = {**head, "resources": resources, "open": [t["code"] for t in opened["type"]], "types": types}
    return elements, {**head, "codes": {name: sets[name] for name in sorted(used)}}


def write(path: Path, content: dict) -> None:
    """One line per entry: compact, and a change reads in a review."""

    def rows(value: dict) -> str:
        return (
            "{\n"
            + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in value.items())
            + "\n}"
        )

    parts = [f'"{k}": {rows(v) if isinstance(v, dict) else json.dumps(v)}' for k, v in content.items()]
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n")


if __name__ == "__main__":
    for name, content in zip(("elements.json", "codes.json"), make(Path(sys.argv[1])), strict=True):
        write(HOME / name, content)
