"""JSON or XML, in and out (CDS-2 to 4): what Django REST framework asks to read, choose and write a format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from coordination.fhir import formats
from coordination.fhir.outcomes import MediaUnsupported, NotAcceptable, TooLarge, Unreadable

JSON, XML = "application/fhir+json", "application/fhir+xml"
# One resource a line (FHIR Bulk Data).
LINES = "application/fhir+ndjson"
# What the two formats are called, in Accept, Content-Type and `_format` (FHIR R4 http, section 3.1.0.1.9).
NAMES: Final[Mapping[str, str]] = {
    JSON: "json", "application/json": "json", "application/json+fhir": "json", "text/json": "json", "json": "json",
    XML: "xml", "application/xml": "xml", "application/xml+fhir": "xml", "text/xml": "xml", "xml": "xml",
}  # fmt: skip
_UNREADABLE_CHARSET = "Le corps doit être en UTF-8."


def format_of(media: str) -> str | None:
    """Return "json" or "xml" for a media type without its parameters, None for another."""
    # A plus sign that was not escaped in an address comes as a space.
    return NAMES.get(media.strip().lower().replace("application/fhir ", "application/fhir+"))


def body_of(stream: Any, media_type: str, length: str) -> bytes:
    """Return the bytes of a body, and no more than the formats take. Raises TooLarge, MediaUnsupported."""
    _require_charset(media_type)
    if length.isascii() and length.isdigit() and int(length) > formats.MAX_BYTES:
        raise TooLarge(f"Le corps dépasse {formats.MAX_BYTES // 1024 // 1024} Mo.")
    body: bytes = stream.read(formats.MAX_BYTES + 1) if stream is not None else b""
    if len(body) > formats.MAX_BYTES:
        raise TooLarge(f"Le corps dépasse {formats.MAX_BYTES // 1024 // 1024} Mo.")
    return body


def _require_charset(media_type: str) -> None:
    for part in media_type.split(";")[1:]:
        name, _, value = part.strip().partition("=")
        if name.lower() == "charset" and value.strip('" ').lower() not in ("utf-8", "utf8", "us-ascii"):
            raise MediaUnsupported(_UNREADABLE_CHARSET)
        if name.lower() == "fhirversion" and not value.strip('" ').startswith("4.0"):
            raise MediaUnsupported("Ce serveur parle FHIR 4.0.1.")


class ResourceParser(BaseParser):
    """Read one resource in whichever of the two formats its Content-Type names."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> formats.Resource:
        media = media_type or ""
        chosen = format_of(media.split(";")[0])
        if chosen is None:
            raise MediaUnsupported("Le corps doit être en application/fhir+json ou application/fhir+xml.")
        request = parser_context["request"] if parser_context else None
        body = body_of(stream, media, request.META.get("CONTENT_LENGTH", "") if request else "")
        if not body.strip():
            raise Unreadable("Le corps de la requête est vide.")
        if request is not None:
            request.fhir_body = body
        return formats.read(body, chosen)


class JsonRenderer(BaseRenderer):
    media_type = JSON
    format = "json"
    charset = "utf-8"
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return formats.write_json(data) if data else b""


class PlainJsonRenderer(JsonRenderer):
    """For what is not a FHIR resource."""

    media_type = "application/json"
    charset = None  # type: ignore[assignment]

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return orjson.dumps(data)


class XmlRenderer(BaseRenderer):
    media_type = XML
    format = "xml"
    charset = "utf-8"
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return formats.write_xml(data) if data else b""


def renderer_of(asked: str, renderers: Iterable[Any]) -> tuple[Any, str]:
    """Return the renderer that `_format` asks for, and its media type. Raises NotAcceptable."""
    chosen = format_of(asked.split(";")[0])
    for renderer in renderers:
        if renderer.format == chosen:
            return renderer, renderer.media_type
    raise NotAcceptable("« _format » attend json ou xml.")


class Negotiation(BaseContentNegotiation):
    """`_format` first, then Accept by preference; JSON for who takes anything."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[Any, str]:
        if request.META.get("QUERY_STRING") and (asked := request.query_params.get("_format", "")):
            return renderer_of(asked, renderers)
        by_format = {renderer.format: renderer for renderer in renderers}
        for media in _by_preference(request.META.get("HTTP_ACCEPT", "")):
            chosen = "json" if media in ("*/*", "application/*", "text/*") else format_of(media)
            if chosen is not None:
                return by_format[chosen], by_format[chosen].media_type
        raise NotAcceptable("Ce serveur répond en application/fhir+json ou application/fhir+xml.")


class LinesNegotiation(Negotiation):
    """Also for who asks for one resource a line; what is refused is then told in JSON."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> tuple[Any, str]:
        if not {LINES, "application/ndjson"}.isdisjoint(_by_preference(request.META.get("HTTP_ACCEPT", ""))):
            return JsonRenderer(), JSON
        return super().select_renderer(request, renderers, format_suffix)


@lru_cache(maxsize=200)
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
