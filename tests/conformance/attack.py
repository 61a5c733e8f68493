"""schemathesis against a running API: it reads the OpenAPI document, tries what it says and what it does not say."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fhir.packages import ROOT

CHECKS = (
    "status_code_conformance", "content_type_conformance", "response_schema_conformance", "unsupported_method",
    "only_failed_transactions",
)  # fmt: skip


def attack(url, headers, *, examples, seconds, phases, without=(), seed=1):
    """Return (exit code, what it says): an error is an answer that is not declared, or a 500 that is ours.

    `phases`: "coverage" (each limit of each schema, one by one), "fuzzing" (chance). `without`: paths left out.
    """
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "run", f"{url}/fhir/openapi.json",
        "--phases", phases, "--checks", ",".join(CHECKS), "--max-examples", str(examples), "--seed", str(seed),
        "--suppress-health-check", "all", "--generation-database", "none", "--no-color", "--continue-on-failure",
        "--max-time", str(seconds),
    ]  # fmt: skip
    for name, value in headers.items():
        command += ["--header", f"{name}: {value}"]
    for path in without:
        command += ["--exclude-path", path]
    environment = os.environ | {"SCHEMATHESIS_HOOKS": "tests.conformance.checks", "PYTHONPATH": str(ROOT)}
    # It ends by itself; the call under way and its report are given a minute more.
    done = subprocess.run(
        command, cwd=ROOT / ".data", env=environment, capture_output=True, text=True, timeout=seconds + 60
    )
    return done.returncode, done.stdout + done.stderr
