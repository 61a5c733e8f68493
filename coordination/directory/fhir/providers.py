"""What the directory declares to the FHIR engine, once Django is ready."""

from __future__ import annotations

from coordination.directory.fhir.organizations import Organizations
from coordination.directory.fhir.people import Practitioners, Roles, RolesWithoutActivity
from coordination.directory.fhir.received import Devices, Locations, Services, Sites
from coordination.fhir import registry


def declare() -> None:
    """Register what the directory answers for."""
    # The situations d'exercice before the people without one: a new PractitionerRole is theirs.
    registry.register(Organizations(), Practitioners(), Roles(), RolesWithoutActivity())
    # What software sends before where structures are: a new Location is theirs.
    registry.register(Locations(), Sites(), Services(), Devices())
