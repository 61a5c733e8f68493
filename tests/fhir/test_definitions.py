"""The product's own data file says what HL7's definitions say."""

import json

from fhir.resources.R4B import get_fhir_model_class

from coordination.fhir import secondary
from coordination.fhir.formats import elements
from tests.fhir import definitions, packages

MEANT = json.loads((definitions.HOME / "elements.json").read_text())
CODES = json.loads((definitions.HOME / "codes.json").read_text())


def whole(path):
    """The tokens of a type, its base's first, as the definitions list them."""
    base, own = MEANT["types"][path]
    return (whole(base) if base else []) + own.split()


def test_the_source_and_the_version_are_said():
    assert MEANT["version"] == CODES["version"] == "4.0.1" and "HL7" in MEANT["source"]
    assert len(MEANT["resources"]) == 146


# The definitions of the packages come from a npm package that changed these; HL7's own files are right.
CHANGED = {
    "Binary": {"url:url"},
    "Bundle.entry.response": {"outcome:Resource", "outcome:OperationOutcome"},
    "Meta": {"project:uri", "author:Reference", "onBehalfOf:Reference", "account:Reference", "accounts:Reference*",
             "compartment:Reference*"},
}  # fmt: skip


def test_every_definition_of_the_packages_agrees():
    found = 0
    for path in sorted((packages.required() / "hl7.fhir.r4.core").glob("StructureDefinition-*.json")):
        definition = json.loads(path.read_text())
        if definition.get("derivation") == "constraint" or definition["kind"] == "primitive-type":
            continue
        for name, tokens in definitions.lines(definition, set(CODES["codes"])).items():
            assert set(whole(name)) ^ set(tokens) == CHANGED.get(name, set()), name
            assert whole(name) == tokens or name in CHANGED, "in the same order"
            found += 1
    assert found > 90


def test_the_care_team_agrees_with_the_snapshot_of_the_guide():
    """HL7's definition of CareTeam is in no package: its order and repetitions are in the profile's snapshot."""
    profile = packages.resource("ans.fhir.fr.cds/StructureDefinition-cds-ihe-careteam.json")
    for parent in ("CareTeam", "CareTeam.participant"):
        said = [
            (e["path"].rpartition(".")[2], e["base"]["max"] != "1")
            for e in profile["snapshot"]["element"]
            if e["path"].rpartition(".")[0] == parent and ":" not in e["id"]
        ]
        assert said == [(one.name, one.many) for one in elements.elements(parent).values()]


def test_lists_of_codes_agree_with_the_packages():
    seen = 0
    for path in sorted((packages.required() / "hl7.fhir.r4.core").glob("ValueSet-*.json")):
        value_set = json.loads(path.read_text())
        systems = {}
        for include in value_set.get("compose", {}).get("include", []):
            home = path.parent / f"CodeSystem-{include.get('system', '').rpartition('/')[2]}.json"
            if home.exists():
                system = json.loads(home.read_text())
                systems[system["url"]] = system
        name = value_set["url"].rpartition("/")[2]
        codes = definitions.codes_of(value_set, systems)
        if codes and name in CODES["codes"]:
            assert sorted(set(codes)) == CODES["codes"][name], name
            seen += 1
    assert seen > 40


def test_every_type_can_be_read():
    for name in MEANT["types"]:
        for element in elements.elements(name).values():
            assert element.primitive or element.type == "Resource" or elements.is_type(element.type), name
            assert not element.codes or elements.codes(element.codes)


def test_where_r4b_differs_from_r4_for_our_types_is_known():
    """The library's classes, element by element, for every type that ours are made of."""
    differs, seen, waiting = {}, set(), sorted(secondary.TYPES)
    while waiting:
        name = waiting.pop()
        if name in seen or name in elements.PRIMITIVES or name == "Resource":
            continue
        seen.add(name)
        ours = elements.elements(name)
        waiting += [one.type for one in ours.values()]
        model = get_fhir_model_class("".join(part[0].upper() + part[1:] for part in name.split(".")))
        theirs = {field.alias or key for key, field in model.model_fields.items()}
        theirs = {key for key in theirs if not key.startswith("_")} - {
            "resourceType",
            "resource_type",
            "fhir_comments",
        }
        if theirs != set(ours):
            differs[name] = theirs ^ set(ours)
    assert differs == {"Extension": {"valueMeta", "valueCodeableReference", "valueRatioRange"}}
    assert len(seen) > 70
