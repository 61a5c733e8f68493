"""`make sbom`: the list of what the product is made of (CycloneDX 1.6), for whoever watches for vulnerabilities.

The packages of requirements.lock, by OWASP's own tool, and what is vendored under static/, which no lock file knows.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[1]


class Vendored(NamedTuple):
    """Something of others that is kept in the repository: where from, which version (it may say none), which files."""

    name: str
    version: str
    licence: str
    purl: str
    files: tuple[str, ...]


VENDORED = (
    Vendored("bootstrap", "5.3.8", "MIT", "pkg:npm/bootstrap@5.3.8", ("static/vendor/bootstrap/bootstrap.min.css",)),
    Vendored("bootstrap-icons", "1.13.2", "MIT", "pkg:npm/bootstrap-icons@1.13.2", ("static/icons.svg",)),
    Vendored("htmx.org", "2.0.11", "0BSD", "pkg:npm/htmx.org@2.0.11", ("static/vendor/htmx/htmx.min.js",)),
    Vendored(
        "atkinson-hyperlegible-next",
        "",
        "OFL-1.1",
        "pkg:github/googlefonts/atkinson-hyperlegible-next",
        (
            "static/fonts/atkinson-hyperlegible-next-latin.woff2",
            "static/fonts/atkinson-hyperlegible-next-latin-ext.woff2",
        ),
    ),
)


class NotMade(Exception):
    """A sentence for the person at the terminal."""


def made() -> str:
    """Return the list, valid and the same for the same sources. Raises NotMade."""
    command = [
        *(sys.executable, "-m", "cyclonedx_py", "requirements", "requirements.lock"),
        *("--pyproject", "pyproject.toml", "--output-reproducible", "--sv", "1.6", "--of", "JSON"),
    ]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if ran.returncode:
        raise NotMade(ran.stderr.strip() or "cyclonedx-py failed.")
    listed = json.loads(ran.stdout)
    listed["components"] += [component(one) for one in VENDORED]
    text = json.dumps(listed, ensure_ascii=False, indent=1, sort_keys=True)
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise NotMade(f"The list does not follow its own format: {wrong}")
    return text


def component(one: Vendored) -> dict:
    """Return what the list says of a vendored thing; one digest for all its files, in order."""
    digest = hashlib.sha256()
    for name in one.files:
        digest.update((ROOT / name).read_bytes())
    return {
        "type": "library",
        "bom-ref": one.purl,
        "name": one.name,
        **({"version": one.version} if one.version else {}),
        "purl": one.purl,
        "licenses": [{"license": {"id": one.licence}}],
        "hashes": [{"alg": "SHA-256", "content": digest.hexdigest()}],
        "properties": [{"name": "coordination:file", "value": name} for name in one.files],
    }


if __name__ == "__main__":
    try:
        sys.stdout.write(made())
    except NotMade as refusal:
        sys.exit(str(refusal))
