"""fr-core-location and fr-core-healthcare-service 2.0.1: where, and by which service, one is received."""

from __future__ import annotations

from collections.abc import Iterator

from coordination.fhir.outcomes import Issue
from coordination.fhir.profiles.kit import FR_CORE, Value, between, contact_points, each, needs, once
from coordination.fhir.profiles.schedule import durations

LOCATION = f"{FR_CORE}fr-core-location"
SERVICE = f"{FR_CORE}fr-core-healthcare-service"


def check_location(location: Value, path: str = "Location") -> Iterator[Issue]:
    """Yield what fr-core-location refuses (GAP-17)."""
    for identifier, where in each(location, "identifier", path):
        yield from needs(identifier, where, "type", "system", "value")
    yield from between(location, "type", path, 0, 1)
    yield from contact_points(location, path)
    yield from once(location, path, f"{FR_CORE}fr-core-use-period")


def check_service(service: Value, path: str = "HealthcareService") -> Iterator[Issue]:
    """Yield what fr-core-healthcare-service refuses."""
    yield from between(service, "category", path, 0, 1)
    yield from contact_points(service, path)
    yield from durations(service, path)
