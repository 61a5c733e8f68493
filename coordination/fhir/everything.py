"""All that a caller may read of one person: `$everything`, the export from the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from django.utils import timezone

from coordination.fhir import registry, writing
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.registry import Resource
from coordination.fhir.search.searching import require_scope

EXPORT: Final = "export"


def of_patient(caller: Caller, id: str, pairs: Iterable[tuple[str, str]], *, base: str) -> Answer:
    """Return the searchset Bundle of a Patient and what the rooms have of her. Raises Unknown, Forbidden."""
    require_scope(caller, "Patient", "r")
    provider, uuid = writing.holder(caller, "Patient", id)
    caller.memo["reading"] = EXPORT
    # Read first: an outsider learns nothing, not even by the time it takes.
    patient = provider.read(caller, uuid)
    beside = resources(caller, [uuid])
    entries = [_entry(base, patient, "match"), *(_entry(base, one, "include") for one in beside)]
    link = [{"relation": "self", "url": f"{base}/Patient/{uuid}/$everything"}]
    return Answer(200, {"resourceType": "Bundle", "type": "searchset", "total": 1, "link": link, "entry": entries})


def collection(caller: Caller, patient_id: UUID, *, base: str) -> Resource:
    """Return the same as a Bundle of type collection: a file that leaves by itself. Raises Unknown."""
    patient = registry.for_type("Patient")[0].read(caller, patient_id)
    every = (patient, *resources(caller, [patient_id]))
    entries = [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in every]
    moment = timezone.now().isoformat(timespec="seconds")
    return {"resourceType": "Bundle", "type": "collection", "timestamp": moment, "entry": entries}


def resources(caller: Caller, patient_ids: Sequence[UUID]) -> list[Resource]:
    """Return what the rooms have of persons beside the Patients, as this caller may read it; flat in SQL."""
    found: dict[tuple[str, str], Resource] = {}
    for compartment in registry.compartments():
        for key, ids in compartment(caller, patient_ids):
            provider = registry.by_key(key)
            if not caller.may(provider.type, "r"):
                continue
            for resource in provider.load(caller, ids, included=True).values():
                found.setdefault((resource["resourceType"], resource["id"]), resource)
    return list(found.values())


def _entry(base: str, resource: Resource, mode: str) -> Resource:
    url = f"{base}/{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "search": {"mode": mode}}
