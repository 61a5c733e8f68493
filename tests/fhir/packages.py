"""The FHIR packages that stand beside the repository: definitions and examples of HL7, HL7 France and the ANS.

They are data to check against, never needed by the product. Where they are absent the tests that read them say so.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPES = (
    "Appointment", "CareTeam", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson", "Organization",
    "Bundle",
    "OperationOutcome", "CapabilityStatement", "Parameters",
)  # fmt: skip


def folder():
    """The folder of the packages, or None: FHIR_PACKAGES_DIR, else ../shared/fhir beside the repository."""
    if said := os.environ.get("FHIR_PACKAGES_DIR"):
        return Path(said)
    git = subprocess.run(
        ["git", "rev-parse", "--path-format=absolute", "--git-common-dir"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    homes = [ROOT, Path(git.stdout.strip()).parent] if git.returncode == 0 else [ROOT]
    return next((found for home in homes if (found := home.parent / "shared/fhir").is_dir()), None)


def required():
    """The folder of the packages; without it the test is a loud skip."""
    found = folder()
    if found is None:
        pytest.skip("NOT RUN: no FHIR packages (set FHIR_PACKAGES_DIR, or put them in ../shared/fhir)")
    return found


def resource(name):
    return json.loads((required() / name).read_text())


def everything():
    """(name, bytes) of every resource of the packages: examples, and definitions, which are resources too."""
    home = required()
    return [
        (str(path.relative_to(home)), path.read_bytes())
        for path in sorted(home.rglob("*.json"))
        if path.name != "package.json" and "openapi" not in path.parts and "expansions" not in path.parts
    ]


def examples():
    """(name, bytes) of the examples of our types."""
    return [
        (name, body)
        for name, body in everything()
        if "/examples/" in name and name.rpartition("/")[2].partition("-")[0] in TYPES
    ]
