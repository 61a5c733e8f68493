"""FHIR's two formats over the same dictionaries: JSON and XML say the same, both ways."""

from __future__ import annotations

from typing import Any

from coordination.fhir.formats import strict_json, xml_reader, xml_writer
from coordination.fhir.outcomes import TooLarge

Resource = dict[str, Any]

# A circle of a hundred members with all its people is under 1 MB.
MAX_BYTES = 10 * 1024 * 1024


def read(body: bytes, media: str) -> Resource:
    """Return the resource of a body; `media` is "json" or "xml".

    Raises TooLarge, and Unreadable with where it stopped when it can be said.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge(f"Le corps dépasse {MAX_BYTES // 1024 // 1024} Mo.")
    return xml_reader.read(body) if media == "xml" else strict_json.read(body)


def write_json(resource: Resource) -> bytes:
    """Return the JSON of a resource."""
    return strict_json.write(resource)


def write_xml(resource: Resource) -> bytes:
    """Raises ValueError for what is not a FHIR R4 resource: a fault of who built it."""
    return xml_writer.write(resource)
