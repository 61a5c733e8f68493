"""JSON or XML, in and out (CDS-2 to 4): which format a call asks for, and what its body says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from django.http import HttpRequest

from coordination.fhir import formats
from coordination.fhir.formats import Resource
from coordination.fhir.outcomes import MediaUnsupported, NotAcceptable, TooLarge, Unreadable

JSON, XML = "application/fhir+json", "application/fhir+xml"
# One resource a line (FHIR Bulk Data).
LINES = "application/fhir+ndjson"
# What the two formats are called, in Accept, Content-Type and `_format` (FHIR R4 http, section 3.1.0.1.9).
NAMES: Final[Mapping[str, str]] = {
    JSON: "json", "application/json": "json", "application/json+fhir": "json", "text/json": "json", "json": "json",
    XML: "xml", "application/xml": "xml", "application/xml+fhir": "xml", "text/xml": "xml", "xml": "xml",
}  # fmt: skip
_ANY = frozenset({"*/*", "application/*", "text/*"})


@dataclass(frozen=True, slots=True)
class Format:
    """How an answer is written, and how that is called."""

    content_type: str
    write: Callable[[Resource], bytes]


JSON_FORMAT: Final = Format(f"{JSON}; charset=utf-8", lambda resource: formats.write_json(resource))
_FORMATS: Final = {
    "json": JSON_FORMAT, "xml": Format(f"{XML}; charset=utf-8", lambda resource: formats.write_xml(resource)),
}  # fmt: skip


# ---- Out ---------------------------------------------------------------------------------------------------------


def format_of(media: str) -> str | None:
    """Return "json" or "xml" for a media type without its parameters, None for another."""
    # A plus sign that was not escaped in an address comes as a space.
    return NAMES.get(media.strip().lower().replace("application/fhir ", "application/fhir+"))


def named(asked: str) -> Format:
    """Return the format that `_format` asks for. Raises NotAcceptable."""
    chosen = format_of(asked.split(";")[0])
    if chosen is None:
        raise NotAcceptable("« _format » attend json ou xml.")
    return _FORMATS[chosen]


def asked_by(request: HttpRequest) -> Format:
    """Return the format asked for: `_format` first, then Accept by preference; JSON for who takes anything.

    Raises NotAcceptable.
    """
    if request.META.get("QUERY_STRING") and (asked := request.GET.get("_format", "")):
        return named(asked)
    return _accepted(request.META.get("HTTP_ACCEPT", ""))


def takes_lines(request: HttpRequest) -> bool:
    """Say whether one resource a line is asked for."""
    return not {LINES, "application/ndjson"}.isdisjoint(_by_preference(request.META.get("HTTP_ACCEPT", "")))


@lru_cache(maxsize=200)
def _accepted(header: str) -> Format:
    for media in _by_preference(header):
        if chosen := "json" if media in _ANY else format_of(media):
            return _FORMATS[chosen]
    raise NotAcceptable("Ce serveur répond en application/fhir+json ou application/fhir+xml.")


def _by_preference(header: str) -> tuple[str, ...]:
    """Return the media types of an Accept header, best first."""
    if not header.strip():
        return ("*/*",)
    weighed = []
    for number, part in enumerate(header.split(",")):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                weight = _weight(value)
        if weight > 0:
            weighed.append((-weight, number, media.lower()))
    return tuple(media for _, _, media in sorted(weighed))


def _weight(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return 0.0


# ---- In ----------------------------------------------------------------------------------------------------------


def resource_of(request: HttpRequest) -> tuple[bytes, Resource]:
    """Return the body of a call and the resource that it says, in whichever of the two formats it names.

    Raises MediaUnsupported, TooLarge, Unreadable.
    """
    if _length(request):
        chosen = format_of(media_of(request).split(";")[0])
        if chosen is None:
            raise MediaUnsupported("Le corps doit être en application/fhir+json ou application/fhir+xml.")
        if (body := body_of(request)).strip():
            return body, formats.read(body, chosen)
    raise Unreadable("Le corps de la requête est vide.")


def media_of(request: HttpRequest) -> str:
    """Return the Content-Type of a call, its parameters with it."""
    return str(request.META.get("CONTENT_TYPE") or "")


def body_of(request: HttpRequest) -> bytes:
    """Return the bytes of a body, and no more than the formats take. Raises TooLarge, MediaUnsupported."""
    _require_charset(media_of(request))
    if _length(request) > formats.MAX_BYTES:
        raise _too_large()
    body: bytes = request.read(formats.MAX_BYTES + 1)
    if len(body) > formats.MAX_BYTES:
        raise _too_large()
    return body


def _length(request: HttpRequest) -> int:
    """Return how long a body says it is; 0 for none, which is what Django then reads."""
    said = str(request.META.get("CONTENT_LENGTH") or "")
    return int(said) if said.isascii() and said.isdigit() else 0


def _too_large() -> TooLarge:
    return TooLarge(f"Le corps dépasse {formats.MAX_BYTES // 1024 // 1024} Mo.")


def _require_charset(media_type: str) -> None:
    for part in media_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset" and value.strip('" ').lower() not in ("utf-8", "utf8", "us-ascii"):
            raise MediaUnsupported("Le corps doit être en UTF-8.")
        if name.lower() == "fhirversion" and not value.strip('" ').startswith("4.0"):
            raise MediaUnsupported("Ce serveur parle FHIR 4.0.1.")
