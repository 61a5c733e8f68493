"""What an interaction answers, before it becomes JSON or XML."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.utils.http import http_date

from coordination.fhir.registry import Resource


@dataclass(frozen=True)
class Answer:
    """`resource` None: no body. Headers as HTTP names them."""

    status: int
    resource: Resource | None = None
    headers: dict[str, str] = field(default_factory=dict)


def etag(resource: Resource) -> str:
    """Return what names a version in the headers."""
    return f'W/"{resource["meta"]["versionId"]}"'


def headers_of(resource: Resource) -> dict[str, str]:
    """Return ETag and Last-Modified of a resource."""
    told = {"ETag": etag(resource)}
    if said := resource["meta"].get("lastUpdated"):
        told["Last-Modified"] = _in_headers(said)
    return told


@lru_cache(maxsize=1000)
def _in_headers(instant: str) -> str:
    return http_date(dt.datetime.fromisoformat(instant).timestamp())


def location(base: str, resource: Resource) -> str:
    """Return the address of this version (CDS-13)."""
    said = f"{resource['resourceType']}/{resource['id']}/_history/{resource['meta']['versionId']}"
    return f"{base}/{said}" if base else said


def preferred(prefer: dict[str, str], *, readable: bool) -> str:
    """Return what `Prefer: return=` asks of a write: minimal, OperationOutcome or representation, our own choice.

    `readable`: the scopes let read the type. Who may only write is not told what stands there.
    """
    said = prefer.get("return", "")
    if said in ("minimal", "OperationOutcome"):
        return said
    return "representation" if readable else "minimal"


def prefer_of(header: str) -> dict[str, str]:
    """Return {name: value} of a Prefer header (RFC 7240)."""
    told: dict[str, Any] = {}
    for part in header.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        if name:
            told[name.strip().lower()] = value.strip().strip('"')
    return told
