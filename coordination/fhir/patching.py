"""Changing some elements of a resource by a JSON Patch (RFC 6902; FHIR R4 http, section 3.1.0.7)."""

from __future__ import annotations

from typing import Any, Final

import jsonpatch
import jsonpointer

from coordination.fhir.formats import strict_json
from coordination.fhir.outcomes import Unreadable
from coordination.fhir.registry import Resource

MEDIA: Final = "application/json-patch+json"
# Those of the guide (agenda.md §3.3), and what proves them: `copy` over and over makes a resource of any size.
OPERATIONS: Final = frozenset({"add", "remove", "replace", "test"})
MOST_OPERATIONS: Final = 200
_NOT_ONE: Final = "Une modification partielle est une liste d’opérations JSON Patch (RFC 6902)."


def read(body: bytes) -> list[dict[str, Any]]:
    """Return the operations of a body. Raises Unreadable for what is not a list of operations, or a very long one."""
    found = strict_json.read_value(body)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(_NOT_ONE)
    if len(found) > MOST_OPERATIONS:
        raise Unreadable(f"Une modification partielle compte au plus {MOST_OPERATIONS} opérations.")
    if not all(isinstance(one.get("op"), str) and one["op"] in OPERATIONS for one in found):
        raise Unreadable("Une opération est add, remove, replace ou test.")
    return found


def patched(resource: Resource, operations: list[dict[str, Any]]) -> Resource:
    """Return a resource changed by the operations; the one given is left as it is.

    Raises Unreadable (400) for an operation that cannot be done: a place that is not there, a test that fails.
    """
    try:
        changed = jsonpatch.JsonPatch(operations).apply(resource)
    except (
        jsonpatch.JsonPatchException,
        jsonpointer.JsonPointerException,
        LookupError,
        TypeError,
        ValueError,
    ) as refusal:
        where = next((str(one.get("path", ""))[:80] for one in operations if isinstance(one.get("path"), str)), "")
        what = "a échoué" if isinstance(refusal, jsonpatch.JsonPatchTestFailed) else "ne peut pas se faire"
        raise Unreadable(f"Une opération de cette modification {what} (à partir de « {where} »).") from None
    if not isinstance(changed, dict):
        raise Unreadable(_NOT_ONE)
    return changed
