"""What the HL7 validator says of everything the server wrote while its tests ran (issue 4, « jugée par d'autres »)."""

import re
import tomllib

import pytest

from tests.conformance import judge, planted

EXPLAINED = tomllib.loads((judge.HOME / "warnings.toml").read_text())
# What is wrong in the examples of the guide itself (its own quality report names these).
GUIDE = {
    ("Bundle-cds-bundle-transaction-creation-example.json", "Validation_VAL_Profile_Minimum_SLICE"),
    ("Bundle-cds-bundle-transaction-creation-example.json", "Terminology_TX_NoValid_12"),
    ("Patient-cds-patient-example.json", "Terminology_TX_NoValid_12"),
}
# Of HL7's own, kept in tests/fhir/hl7: one names itself and a message in ways its rules refuse, one has an extension
# that nobody defined.
HL7 = {
    ("patient-glossy-example.xml", "Extension_EXT_Unknown_NotHere"),
    ("capabilitystatement-example.json", "Type_Specific_Checks_DT_UUID_Valid"),
    ("capabilitystatement-example.json", "TYPE_SPECIFIC_CHECKS_CANONICAL_ABSOLUTE"),
}


def known(said, kind):
    return any(
        re.search(one["id"], said.id) and re.search(one.get("message", ""), said.message) for one in EXPLAINED[kind]
    )


def test_what_is_wrong_on_purpose_turns_the_judge_red(report):
    red = {said.file for said in report.of("error", "planted/wrong/")}
    assert red == {file for file in report.files if file.startswith("planted/wrong/")}
    assert len(red) == len(planted.WRONG) + 1


def test_what_is_right_stays_green(report):
    assert [str(said) for said in report.of("error", "planted/right/")] == []


def test_the_examples_of_the_guide_have_the_errors_that_are_known(report):
    assert {(said.file.removeprefix("guide/"), said.id) for said in report.of("error", "guide/")} == GUIDE


def test_the_examples_of_hl7_have_the_errors_that_are_known(report):
    assert {(said.file.removeprefix("hl7/"), said.id) for said in report.of("error", "hl7/")} == HL7


def test_no_error_in_anything_the_server_wrote(report):
    written = [file for file in report.files if file.startswith("captured/")]
    kinds = sorted({file.removeprefix("captured/").partition("-")[0] for file in written})
    print(f"\njudged: {len(written)} files ({', '.join(kinds)}) in {report.seconds:.0f} s")
    assert {"CareTeam", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization"} <= set(kinds)
    assert [str(said) for said in report.of("error", "captured/") if not known(said, "lenient")] == []


def test_every_warning_is_explained(report):
    assert [str(said) for said in report.of("warning", "captured/") if not known(said, "warning")] == []


def test_value_sets_that_were_not_verified_are_named(report):
    """A required value set that no list here can build: new ones must be said, in warnings.toml."""
    assert {url.rpartition("/")[2] for url in report.unverified} == set(EXPLAINED["unverified"]["value_sets"])


@pytest.mark.parametrize("one", EXPLAINED["warning"] + EXPLAINED["lenient"], ids=lambda one: one["id"])
def test_an_explanation_says_why(one):
    assert len(one["why"]) > 20
