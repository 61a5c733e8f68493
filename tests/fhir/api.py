"""The API called over HTTP, as clients do."""

from __future__ import annotations

import json

from coordination.fhir import formats
from tests.fhir.callers import personal

JSON, XML = "application/fhir+json", "application/fhir+xml"
EVERY_SCOPE = ("user/*.cruds",)


class Api:
    def __init__(self, http, headers):
        self.http, self.headers = http, headers

    @classmethod
    def of(cls, http, user, scopes=EVERY_SCOPE):
        _, secret = personal(user, scopes=scopes)
        return cls(http, {"Authorization": f"Bearer {secret}"})

    def ask(self, method, path, body=None, *, media=JSON, **headers):
        """Return the answer; `path` below /fhir, with or without the name of the server."""
        address = path[path.index("/fhir") :] if path.startswith(("http", "/fhir")) else f"/fhir/{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = body if isinstance(body, bytes | str | type(None)) else json.dumps(body)
        return self.http.generic(
            method, address, sent or "", content_type=media if body is not None else "",
            headers=self.headers | named,
        )  # fmt: skip

    def get(self, path, **headers):
        return self.ask("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.ask("POST", path, body, **headers)

    def put(self, path, body, **headers):
        return self.ask("PUT", path, body, **headers)


def read(answer):
    """Return what an answer holds, whichever its format."""
    return formats.read(answer.content, "xml" if "xml" in answer["Content-Type"] else "json")


def issues(answer):
    """Return [(severity, code, expression)] of an OperationOutcome."""
    said = read(answer)
    assert said["resourceType"] == "OperationOutcome"
    return [(one["severity"], one["code"], (one.get("expression") or [""])[0]) for one in said["issue"]]


def matches(bundle):
    return [one["resource"] for one in bundle.get("entry", []) if one["search"]["mode"] == "match"]


def link(bundle, relation):
    return next((one["url"] for one in bundle["link"] if one["relation"] == relation), None)
