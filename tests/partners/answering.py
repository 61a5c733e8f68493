"""Answers of a partner that keeps what it is sent, as little as a test needs."""

from __future__ import annotations

import itertools
import json

from tests.partners.standin import FHIR, Said


def transaction_response(bundle, *, had=()):
    """Return the answer to a transaction; `had`: the types it had before, found by their condition."""
    numbers = itertools.count(100)
    entries = []
    for entry in bundle["entry"]:
        type_name = entry["resource"]["resourceType"]
        if entry["request"]["method"] == "PUT":
            place, status, version = entry["request"]["url"], "200 OK", "2"
        else:
            place, version = f"{type_name}/{next(numbers)}", "1"
            status = "200 OK" if type_name in had else "201 Created"
        response = {"status": status, "location": f"{place}/_history/{version}", "etag": f'W/"{version}"'}
        entries.append({"response": response})
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


class Keeping:
    """Makes a StandIn answer transactions by itself; `bundles` are those it was sent."""

    def __init__(self, standin, *, had=()):
        self.standin, self.had, self.bundles = standin, had, []
        answer_to = standin.answer_to

        def answer(path):
            if path.startswith("/fhir") and not standin.answers:
                bundle = json.loads(standin.heard[-1].body)
                self.bundles.append(bundle)
                return Said(200, transaction_response(bundle, had=self.had), {"Content-Type": FHIR})
            return answer_to(path)

        standin.answer_to = answer

    @property
    def last(self):
        return self.bundles[-1]

    def of(self, type_name):
        return [one["resource"] for one in self.last["entry"] if one["resource"]["resourceType"] == type_name]

    def methods(self):
        return sorted((e["resource"]["resourceType"], e["request"]["method"]) for e in self.last["entry"])
