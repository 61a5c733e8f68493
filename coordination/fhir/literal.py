"""What texts that name something say: a reference (`Type/id`, an address, a search `Type?…`), a system, a canonical.

A scheme is in lower case, where other servers compare texts letter by letter.
"""

from __future__ import annotations

import re
from typing import Any

_NAMED = r"(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?"
_RELATIVE = re.compile(_NAMED)
_LITERAL = re.compile(rf"(?:https?://[^?#\s]+/)?{_NAMED}")
_SEARCH = re.compile(r"(?P<type>[A-Z][A-Za-z]+)\?\S+")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*:\S+", re.IGNORECASE)
_CANONICAL = re.compile(r"#\S*|[a-z][a-z0-9+.\-]*:\S+")
_SYSTEM = re.compile(r"(?:https?://|urn:)\S+")


def relative(reference: str) -> tuple[str, str] | None:
    """Return (type, id) of a reference to the very server that is told it, whatever its version; None for another."""
    found = _RELATIVE.fullmatch(reference)
    return (found["type"], found["id"]) if found else None


def type_of(reference: Any) -> str:
    """Return the type that a literal reference names, or nothing (`#contained`, `urn:uuid:`, no text)."""
    if not isinstance(reference, str):
        return ""
    match = _LITERAL.fullmatch(reference) or _SEARCH.fullmatch(reference)
    return match["type"] if match else ""


def is_address(reference: str) -> bool:
    """Say whether the reference is absolute: what it names may be of any server."""
    return _ADDRESS.fullmatch(reference) is not None


def is_canonical(said: str) -> bool:
    """Say whether this names a definition anywhere (`https://…`, `urn:…`) or in the same resource (`#…`)."""
    return _CANONICAL.fullmatch(said) is not None


def is_system(said: str) -> bool:
    """Say whether a code or an identifier may be of this system: HAPI's validator knows no scheme but these."""
    return _SYSTEM.fullmatch(said) is not None
