"""The HL7 validator (HAPI's build of it) as one call: a folder of resources in, what it says of each out."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import java, terminology
from tests.fhir import packages

HOME = Path(__file__).resolve().parent
WORK = packages.ROOT / ".data/conformance"
DEFINITIONS = HOME / "definitions"
# fr.core 2.0.1 and 2.1.0 share their canonical addresses: one context each.
CONTEXTS = {
    "cds": ["ans.fhir.fr.cds", "hl7.fhir.fr.core-2.1.0", "ans.fhir.fr.annuaire-1.1.0"],
    # With the profiles of the circle, that the actors of an agenda declare; on FR Core 2.0.1 here.
    "gap": ["ans.fhir.fr.gap", "hl7.fhir.fr.core", "ans.fhir.fr.annuaire", "ans.fhir.fr.cds"],
}
TERMINOLOGIES = "ans.fr.terminologies.extract"
# No judge and no client is waited for longer, in seconds.
JUDGE, CLIENT = 600, 120


@dataclass(frozen=True)
class Said:
    """One line of the judge. `severity` is "error", "warning" or "information" ("fatal" is an error)."""

    file: str
    severity: str
    id: str
    location: str
    message: str

    def __str__(self):
        return f"{self.file}: {self.severity} {self.id} at {self.location}: {self.message}"


@dataclass(frozen=True)
class Report:
    files: tuple[str, ...]
    said: tuple[Said, ...]
    unverified: dict[str, str]
    seconds: float

    def of(self, severity, under=""):
        return [one for one in self.said if one.severity == severity and one.file.startswith(under)]


def require():
    """Raise java.Missing unless a judge can be built here."""
    if absent := java.absent():
        raise java.Missing(f"no {' nor '.join(absent)} on this machine (Java 17, Maven 3.8)")
    if packages.folder() is None:
        raise java.Missing("no FHIR packages (FHIR_PACKAGES_DIR, or ../shared/fhir beside the repository)")


def judge(resources, context="cds"):
    """Return the Report over every JSON and XML file under a folder, in one context of packages."""
    home = packages.folder()
    beside = home.parent
    built = WORK / "terminology"
    shutil.rmtree(built, ignore_errors=True)
    terminology.build(beside / "nomenclatures", beside / "geo", built)
    folders = [home / name for name in (*CONTEXTS[context], TERMINOLOGIES)] + [DEFINITIONS, built]
    report = WORK / f"report-{context}.json"
    arguments = [part for folder in folders for part in ("--definitions", str(folder))]
    subprocess.run(
        ["java", "-Xmx1g", "-cp", java.classpath(HOME), "judge.Judge", *arguments,
         "--input", str(resources), "--report", str(report)],
        check=True, timeout=JUDGE,
    )  # fmt: skip
    told = json.loads(report.read_text())
    return Report(
        files=tuple(file["file"] for file in told["files"]),
        said=tuple(_said(file["file"], issue) for file in told["files"] for issue in file["issues"]),
        unverified={one["valueSet"]: one["why"] for one in told["unverified"]},
        seconds=told["seconds"],
    )


def _said(file, issue):
    severity = "error" if issue["severity"] == "fatal" else issue["severity"]
    return Said(file, severity, issue["id"] or "", issue["location"] or "", issue["message"])
