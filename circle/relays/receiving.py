"""« Recevoir le cercle d’un partenaire » (role Consommateur): a search, then a transaction done here.

What comes in is written by the engine of the API, as if the partner had sent it: same rights, same rules, same
journal, for the one who asked.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.utils import timezone

from circle.relays import gathering, merging, names
from circle.relays.bundles import name_of
from coordination.fhir import bundles as engine
from coordination.fhir import registry
from coordination.fhir.callers import Caller
from coordination.fhir.formats import Resource
from coordination.partners.client import Asked
from coordination.partners.errors import NothingToRelay
from coordination.partners.models import Relay

# One circle is expected; two are enough to see that there are several.
PAGE = "10"
BROUGHT = (
    ("_include", "CareTeam:subject"),
    ("_include", "CareTeam:participant"),
    ("_include:iterate", "PractitionerRole:practitioner"),
    ("_include:iterate", "PractitionerRole:organization"),
)


class Receiving:
    label = "Réception d’un cercle"

    def prepare(self, relay: Relay) -> Asked:
        """The person is looked for by her numbers, in the body of the search: no log keeps it (CDS-65)."""
        entry = gathering.enter(relay.asked_by, relay.object_id, relay.partner, "Demande au partenaire")
        caller = gathering.caller_of(entry, relay.partner)
        patient = _patient(caller, relay)
        numbers = [f"{one['system']}|{_escaped(one['value'])}" for one in patient["identifier"] if one.get("system")]
        form = (("patient.identifier", ",".join(numbers)), *BROUGHT, ("_count", PAGE))
        return Asked(path="CareTeam/_search", form=form, acting=entry.access.hat.national_id)

    def receive(self, relay: Relay, asked: Asked, answer: Resource) -> bool:
        entry = gathering.enter(relay.asked_by, relay.object_id, relay.partner, "Reçu du partenaire")
        caller = gathering.caller_of(entry, relay.partner)
        patient = _patient(caller, relay)
        received = merging.read(answer, patient)
        whole = gathering.circle_of(entry, discreet=True)
        here = gathering.with_people(caller, whole) if whole else []
        done = merging.taken(
            received, here, _as_read(caller, whole), patient=name_of(patient),
            called=names.called_there(relay.partner, received.beside), today=timezone.localdate(),
        )  # fmt: skip
        told = _written(caller, done.entries) if done.entries else None
        ours = name_of(whole) if whole else ""
        names.keep(relay.partner, merging.names(received, done, told, circle=ours, patient=name_of(patient)))
        return False


def _written(caller: Caller, entries: list[Resource]) -> Resource | None:
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    base = settings.FHIR_BASE_URL or f"{settings.SITE_URL}/fhir"
    return engine.transact(caller, bundle, base=base, prefer={"return": "minimal"}).resource


def _patient(caller: Caller, relay: Relay) -> Resource:
    found = registry.for_type("Patient")[0].load(caller, [relay.object_id]).get(relay.object_id)
    if found is None or not found.get("identifier"):
        raise NothingToRelay("L’identité de ce dossier ne se lit pas.")
    return found


def _as_read(caller: Caller, whole: Resource | None) -> Resource | None:
    """Return our circle as the one who asked reads it: what he does not see, he does not write either."""
    if whole is None:
        return None
    id = UUID(whole["id"])
    return registry.for_type("CareTeam")[0].load(caller, [id])[id]


def _escaped(value: str) -> str:
    """Write a value of a search parameter (FHIR R4 search, §3.1.1.5)."""
    for sign in ("\\", "|", ",", "$"):
        value = value.replace(sign, f"\\{sign}")
    return value
