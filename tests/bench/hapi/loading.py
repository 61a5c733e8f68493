"""What our server exports, written into HAPI: the same resources under the same ids, by transactions of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from tests.bench import servers
from tests.bench.calls import Api

# What is pointed to is written before what points to it: HAPI refuses a reference to nothing.
ORDER = ("Organization", "Practitioner", "PractitionerRole", "Patient", "RelatedPerson", "CareTeam")
AT_ONCE = 100
POINTED = re.compile(r'"reference":"([A-Za-z]+)/([^"]+)"')
Resources = dict[str, dict[str, str]]


def exported(*exports: Api) -> Resources:
    """Return {type: {id: JSON}} of the circles that these callers export, each resource once."""
    found: Resources = {name: {} for name in ORDER}
    for api in exports:
        _, said = api.ask("GET", "/fhir/$export")
        for line in said.splitlines():
            resource = json.loads(line)
            found[resource["resourceType"]][resource["id"]] = line.decode()
    # The structure of a place of exercise is not in an export when it is in no circle itself.
    named = {
        reference for of_type in found.values() for text in of_type.values() for reference in POINTED.findall(text)
    }
    for name, key in sorted(named):
        if key not in found[name]:
            found[name][key] = exports[0].ask("GET", f"/fhir/{name}/{key}")[1].decode()
    return found


def load(api: Api, resources: Resources) -> int:
    """Write them, type after type; return how many were written."""
    with ThreadPoolExecutor(servers.WORKERS) as pool:
        for name in ORDER:
            for _ in pool.map(lambda body: api.ask("POST", "/fhir/", body), _bundles(name, resources[name])):
                pass
    return sum(len(of_type) for of_type in resources.values())


def _bundles(name: str, resources: dict[str, str]) -> Iterator[bytes]:
    entries = (
        f'{{"resource":{text},"request":{{"method":"PUT","url":"{name}/{key}"}}}}' for key, text in resources.items()
    )
    while some := _some(entries):
        yield f'{{"resourceType":"Bundle","type":"transaction","entry":[{",".join(some)}]}}'.encode()


def _some(entries: Iterable[str]) -> list[str]:
    return list(islice(entries, AT_ONCE))
