"""Secrets in files, by the detectors of detect-secrets: the kinds that have a form of their own.

What only looks random (high entropy) and what is called « password » is left to ruff (S105, S106): the tests are full
of invented passwords and of the hashes of lock files. A file is given whole to each detector: line after line, as the
command of detect-secrets does, takes a minute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.plugins.base import RegexBasedDetector

EXAMPLE = "an address of the documentation: « user:password »"
INVENTED = "a server that the test makes, or that it must refuse"
# What is no secret and has its form: (file, kind) and why.
LEFT_OUT = {
    ("README.md", "Basic Auth Credentials"): EXAMPLE,
    ("coordination/runtime/database.py", "Basic Auth Credentials"): EXAMPLE,
    ("coordination/settings/environment.py", "Basic Auth Credentials"): EXAMPLE,
    ("coordination/settings/guard.py", "Basic Auth Credentials"): EXAMPLE,
    ("deploy/compose.yml", "Basic Auth Credentials"): "the server of a demonstration, which answers nobody else",
    ("deploy/compose.production.yml", "Basic Auth Credentials"): "an address whose password is read from the shell",
    ("deploy/environment.example", "Basic Auth Credentials"): EXAMPLE,
    ("tests/agenda/test_fetching.py", "Basic Auth Credentials"): INVENTED,
    ("tests/fhir/test_callers.py", "JSON Web Token"): "unsigned: it must be refused",
    ("tests/partners/test_client.py", "Basic Auth Credentials"): INVENTED,
    ("tests/partners/test_screens.py", "Basic Auth Credentials"): INVENTED,
    ("tests/runtime/test_backup.py", "Basic Auth Credentials"): INVENTED,
    ("tests/runtime/test_production_settings.py", "Basic Auth Credentials"): INVENTED,
    ("tests/runtime/test_reached.py", "Basic Auth Credentials"): INVENTED,
    ("tests/runtime/test_terminal.py", "Basic Auth Credentials"): INVENTED,
}
# Not asked: services that nothing here uses, whose forms take seconds to look for, and addresses of machines.
NOT_ASKED = {
    "Cloudant Credentials", "IBM COS HMAC Credentials", "IBM Cloud IAM Key", "SoftLayer Credentials",
    "Public IP (ipv4)",
}  # fmt: skip


def detectors() -> Iterator[tuple[str, RegexBasedDetector]]:
    """Yield (kind, detector) of every kind of secret that has a form and is asked."""
    for kind, made in sorted(get_mapping_from_secret_type_to_class().items()):
        if issubclass(made, RegexBasedDetector) and kind not in NOT_ASKED:
            yield kind, made()


def secrets_in(paths: Iterable[Path]) -> set[tuple[Path, str]]:
    """Return (file, kind) of what looks like a secret. Files that are not text are not read."""
    asked, found = list(detectors()), set()
    for path in paths:
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found |= {(path, kind) for kind, detector in asked if any(detector.analyze_string(text))}
    return found
