"""What others' programs read of the ASVS: valid CycloneDX, and the table itself (SECT-2)."""

import json
import os

import pytest

from tests.asvs import attestation, sheet
from tests.asvs.sheet import EXCLUDED, NOT_MET, TEST

pytestmark = pytest.mark.req("SECT-2")


@pytest.fixture(scope="module")
def written():
    return attestation.document(sheet.requirements(), sheet.marks())


def some():
    """One requirement held in each way in each chapter; all of them with `FULL=1`, whose validation lasts a minute."""
    if os.environ.get("FULL"):
        return sheet.requirements()
    return list({(one.chapter, one.held): one for one in sheet.requirements()}.values())


def test_it_follows_the_schema():
    """`make sbom` validates the whole; here, one line of each kind: the schema says nothing of how many there are."""
    said = attestation.document(some(), sheet.marks())
    assert len(said["declarations"]["claims"]) >= 30
    assert attestation.refusal(json.dumps(said)) == ""


def test_it_says_each_requirement(written):
    (standard,) = written["definitions"]["standards"]
    assert [one["identifier"] for one in standard["requirements"]] == [f"V{r.number}" for r in sheet.requirements()]
    assert [len(level["requirements"]) for level in standard["levels"]] == [70, 253]
    said = written["declarations"]
    claimed = [one for one in sheet.requirements() if one.held != EXCLUDED]
    assert len(said["claims"]) == len(said["attestations"][0]["map"]) == len(claimed)
    left_out = [one for one in sheet.requirements() if one.held == EXCLUDED]
    assert len(written["properties"]) == len(left_out) == 253 - len(claimed)
    assert said["assessors"][0]["thirdParty"] is False


def test_every_reference_leads_somewhere(written):
    (standard,), said = written["definitions"]["standards"], written["declarations"]
    known = {kind: {one["bom-ref"] for one in said[kind]} for kind in ("claims", "evidence", "assessors")}
    requirements = {one["bom-ref"] for one in standard["requirements"]}
    targets = {one["bom-ref"] for one in said["targets"]["components"]}
    (attested,) = said["attestations"]
    assert attested["assessor"] in known["assessors"]
    assert {one["requirement"] for one in attested["map"]} <= requirements
    assert {claim for one in attested["map"] for claim in one["claims"]} == known["claims"]
    assert {one["target"] for one in said["claims"]} <= targets
    assert {ref for one in said["claims"] for ref in one.get("evidence", [])} == known["evidence"]
    assert {ref for level in standard["levels"] for ref in level["requirements"]} == requirements


def test_what_is_claimed_rests_on_the_tests_that_exist_and_what_is_not_met_says_so(written):
    shown, said = sheet.marks(), written["declarations"]
    evidence = {one["bom-ref"]: [data["name"] for data in one["data"]] for one in said["evidence"]}
    scores = {one["requirement"]: one["conformance"].get("score") for one in said["attestations"][0]["map"]}
    for one in sheet.requirements():
        if one.held == TEST:
            assert evidence[f"evidence-{one.number}"] == shown[one.id]
        elif one.held == NOT_MET:
            assert f"evidence-{one.number}" not in evidence and scores[f"requirement-{one.number}"] == 0


def test_the_schema_refuses_what_is_wrong():
    said = attestation.document(some()[:2], sheet.marks())
    assert attestation.refusal(json.dumps(said)) == ""
    assert attestation.refusal(json.dumps(said | {"declarations": {"claims": [{"predicat": "x"}]}}))
    assert attestation.refusal(json.dumps(said | {"definition": {}}))
