"""A resource that comes in, checked before anything is asked of the rooms (issue 4, §3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from coordination.fhir import profiles, validation
from coordination.fhir.formats import strict_json
from coordination.fhir.outcomes import ERROR, Invalid, Issue, TooLarge, Unreadable
from coordination.fhir.registry import Resource

# What was sent is kept, and again in each version of a circle: a hundred members with their notes take a fifth of it.
LARGEST: Final = 256 * 1024
_TOO_LARGE = f"Une ressource compte au plus {LARGEST // 1024} Ko."


def issues_of(resource: Resource, *, at: str = "") -> list[Issue]:
    """Return what base FHIR and the national profiles say of a resource; `at` is where it stands in a Bundle."""
    found = validation.check(resource)
    if not any(issue.is_error for issue in found):
        found += profiles.check(resource)
        if _is_too_large(resource):
            found.append(Issue(ERROR, "too-long", _TOO_LARGE))
    return [_placed(issue, resource, at) for issue in found] if at else found


def require_sound(resource: Resource) -> list[Issue]:
    """Return the warnings. Raises Unreadable (400) for what is not FHIR, Invalid (422) for what breaks a profile.

    And TooLarge (413) for more than is kept of one resource.
    """
    found = validation.check(resource)
    if any(issue.is_error for issue in found):
        raise Unreadable(*found)
    if _is_too_large(resource):
        raise TooLarge(_TOO_LARGE)
    found += profiles.check(resource)
    if any(issue.is_error for issue in found):
        raise Invalid(*found)
    return found


def _is_too_large(resource: Resource) -> bool:
    return len(strict_json.write(resource)) > LARGEST


def _placed(issue: Issue, resource: Resource, at: str) -> Issue:
    said = issue.expression.removeprefix(str(resource.get("resourceType", "")))
    return replace(issue, expression=at + said)
