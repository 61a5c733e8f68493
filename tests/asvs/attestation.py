"""The table of the ASVS as a CycloneDX 1.6 attestation, which other programs read: `make sbom` writes asvs.cdx.json.

`definitions` names the standard and its requirements (identifiers and our own words), `declarations` says of each who
judged (ourselves), what is claimed and on which evidence. What is not met is claimed with a conformance of 0 and its
reason, what an operator checks without a score; what is left out is in no claim, and listed with its reason beside.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Sequence
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.asvs import sheet
from tests.asvs.sheet import DOCUMENT, EXCLUDED, NOT_MET, TEST, Requirement

STANDARD, PRODUCT, ASSESSOR = "asvs-5.0.0", "coordination", "assessor-self"
# What an operator must still check is not ours to judge: it has no score.
SCORES = {NOT_MET: 0.0, TEST: 1.0, DOCUMENT: 1.0}


class NotValid(Exception):
    """What was made does not follow its own format."""


def made() -> str:
    """Return the attestation, valid and the same for the same sources. Raises NotValid."""
    text = json.dumps(document(sheet.requirements(), sheet.marks()), ensure_ascii=False, indent=1, sort_keys=True)
    if wrong := refusal(text):
        raise NotValid(wrong)
    return text


def document(requirements: Sequence[Requirement], shown: dict[str, list[str]]) -> dict[str, Any]:
    """Return what is said of some requirements. `shown`: the tests that carry the mark of each."""
    claimed = [one for one in requirements if one.held != EXCLUDED]
    version = tomllib.loads((sheet.ROOT / "pyproject.toml").read_text())["project"]["version"]
    product = {"type": "application", "bom-ref": PRODUCT, "name": "coordination", "version": version}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": product},
        "definitions": {"standards": [_standard(requirements)]},
        "declarations": {
            "assessors": [{"bom-ref": ASSESSOR, "thirdParty": False, "organization": {"name": "Coordination"}}],
            "attestations": [
                {
                    "summary": "OWASP ASVS 5.0.0, levels 1 and 2: self-assessment.",
                    "assessor": ASSESSOR,
                    "map": [_judged(one) for one in claimed],
                }
            ],
            "claims": [_claim(one, shown) for one in claimed],
            "evidence": [_evidence(one, shown) for one in claimed if one.held != NOT_MET],
            "targets": {"components": [{**product, "bom-ref": f"{PRODUCT}-target"}]},
        },
        "properties": [
            {"name": f"coordination:asvs:excluded:{one.id}", "value": one.where}
            for one in requirements
            if one.held == EXCLUDED
        ],
    }


def refusal(text: str) -> str:
    """Return what the schema of CycloneDX 1.6 says against a document, "" when it says nothing. Asks no network."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return str(found) if found else ""


def _standard(requirements: Sequence[Requirement]) -> dict[str, Any]:
    return {
        "bom-ref": STANDARD,
        "name": "Application Security Verification Standard (ASVS)",
        "version": "5.0.0",
        "owner": "OWASP Foundation",
        "description": "Requirements of levels 1 and 2, told in the words of this product.",
        "requirements": [
            {"bom-ref": _ref("requirement", one), "identifier": f"V{one.number}", "text": one.about}
            for one in requirements
        ],
        "levels": [
            {
                "bom-ref": f"level-{level}",
                "identifier": str(level),
                "requirements": [_ref("requirement", one) for one in requirements if one.level <= level],
            }
            for level in (1, 2)
        ],
        "externalReferences": [{"type": "website", "url": "https://owasp.org/asvs"}],
    }


def _judged(one: Requirement) -> dict[str, Any]:
    score = {"score": SCORES[one.held]} if one.held in SCORES else {}
    return {
        "requirement": _ref("requirement", one),
        "claims": [_ref("claim", one)],
        "conformance": score | {"rationale": sheet.SAID[one.held]},
    }


def _claim(one: Requirement, shown: dict[str, list[str]]) -> dict[str, Any]:
    claim = {"bom-ref": _ref("claim", one), "target": f"{PRODUCT}-target", "predicate": one.about}
    if one.held == NOT_MET:
        return claim | {"reasoning": one.where}
    return claim | {"evidence": [_ref("evidence", one)]}


def _evidence(one: Requirement, shown: dict[str, list[str]]) -> dict[str, Any]:
    places = [*filter(None, [sheet.linked(one)]), *shown.get(one.id, [])]
    return {
        "bom-ref": _ref("evidence", one),
        "description": sheet.SAID[one.held],
        "data": [
            {"name": place, "contents": {"url": place.replace("::", "#", 1).replace("::", ".")}} for place in places
        ],
    }


def _ref(kind: str, one: Requirement) -> str:
    return f"{kind}-{one.number}"


if __name__ == "__main__":
    try:
        sys.stdout.write(made())
    except NotValid as wrong:
        sys.exit(str(wrong))
