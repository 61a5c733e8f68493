"""All that a caller may read of one person: `$everything`, the export from the screen."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.utils import timezone

from coordination.fhir import registry, writing
from coordination.fhir.answers import Answer
from coordination.fhir.callers import Caller
from coordination.fhir.registry import Resource
from coordination.fhir.search import asking, searching
from coordination.fhir.search.searching import require_scope

EXPORT: Final = "export"


def of_patient(
    caller: Caller, id: str, pairs: Iterable[tuple[str, str]], *, base: str, strict: bool = False
) -> Answer:
    """Return the searchset Bundle of a Patient and what the rooms have of her, of the types that `_type` names.

    Other parameters are left aside and told, or refused (`strict`). Raises Unknown, Forbidden, Unreadable.
    """
    require_scope(caller, "Patient", "r")
    pairs = [(name, value) for name, value in pairs if value]
    ignored = [name for name, _ in pairs if name not in ("_type", "_format")]
    if strict:
        asking.require_understood(ignored)
    types = {one.strip() for name, value in pairs if name == "_type" for one in value.split(",")}
    provider, uuid = writing.holder(caller, "Patient", id)
    caller.memo["reading"] = EXPORT
    # Read first: an outsider learns nothing, not even by the time it takes.
    patient = provider.read(caller, uuid)
    entries = [searching.entry(base, patient, "match")] if not types or "Patient" in types else []
    total = len(entries)
    entries += [searching.entry(base, one, "include") for one in resources(caller, [uuid], types)]
    if ignored:
        entries.append(searching.entry_saying(asking.warnings(ignored)))
    query = urlencode([(name, value) for name, value in pairs if name not in ignored])
    url = f"{base}/Patient/{uuid}/$everything"
    link = [{"relation": "self", "url": f"{url}?{query}" if query else url}]
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": link}
    return Answer(200, bundle | ({"entry": entries} if entries else {}))


def collection(caller: Caller, patient_id: UUID, *, base: str) -> Resource:
    """Return the same as a Bundle of type collection: a file that leaves by itself. Raises Unknown."""
    patient = registry.for_type("Patient")[0].read(caller, patient_id)
    every = (patient, *resources(caller, [patient_id]))
    entries = [{"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one} for one in every]
    moment = timezone.now().isoformat(timespec="seconds")
    return {"resourceType": "Bundle", "type": "collection", "timestamp": moment, "entry": entries}


def resources(caller: Caller, patient_ids: Sequence[UUID], types: Collection[str] = ()) -> list[Resource]:
    """Return what the rooms have of persons beside the Patients, as this caller may read it; flat in SQL.

    `types`: of these alone, if any is named.
    """
    found: dict[tuple[str, str], Resource] = {}
    for compartment in registry.compartments():
        for key, ids in compartment(caller, patient_ids):
            provider = registry.by_key(key)
            if not caller.may(provider.type, "r") or (types and provider.type not in types):
                continue
            for resource in provider.load(caller, ids, included=True).values():
                found.setdefault((resource["resourceType"], resource["id"]), resource)
    return list(found.values())
