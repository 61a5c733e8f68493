"""Requests with a condition: `If-None-Exist`, `If-Match`, references that are searches."""

from __future__ import annotations

import re
import zlib
from urllib.parse import parse_qsl
from uuid import UUID

from django.db import connection

from coordination.fhir.callers import Caller
from coordination.fhir.outcomes import Refused, Unreadable
from coordination.fhir.registry import Provider
from coordination.fhir.search import asking
from coordination.fhir.search.searching import ids_of, require_scope

# First half of the advisory lock taken on a condition; a number of our own.
CONDITION_LOCK = 0xF1
_ETAG = re.compile(r'(?:W/)?"([^"]*)"')


class SeveralMatch(Refused):
    """More than one resource answers a condition that must name one (FHIR R4 http, conditional create)."""

    status = 412
    code = "multiple-matches"


def matching(caller: Caller, type_name: str, criteria: str, *, lock: bool = True) -> tuple[Provider, UUID] | None:
    """Return the one resource that answers `criteria` ("identifier=system|value"), None when none does.

    Two calls with the same condition wait for one another, so that the second sees what the first made. Raises
    SeveralMatch (412), Unreadable for criteria that ask nothing or that are not known.
    """
    require_scope(caller, type_name, "s")
    if lock:
        key = zlib.crc32(f"{caller.owner} {type_name} {criteria}".encode())
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CONDITION_LOCK, key - 2**31])
    pairs = parse_qsl(criteria.removeprefix("?").removeprefix(f"{type_name}?"), keep_blank_values=True)
    asked = asking.read(type_name, pairs, strict=True)
    if not asked.criteria:
        raise Unreadable("La condition ne dit pas ce qui est cherché.")
    found = ids_of(caller, type_name, asked, most=2)
    if len(found) > 1:
        raise SeveralMatch("Plusieurs ressources répondent à cette condition.")
    return found[0] if found else None


def is_known(header: str, etag: str) -> bool:
    """Say whether `If-None-Match` names this version, alone or among others, or any (`*`); RFC 9110 §13.1.2.

    Compared without what says how strongly: a client may leave `W/` out.
    """
    if header.strip() == "*":
        return True
    named = {found[1] for found in _ETAG.finditer(header)}
    return etag.removeprefix("W/").strip('"') in named


def version_named(header: str) -> str | None:
    """Return the version that `If-Match` names, None when it names none, or any (`*`). Raises Unreadable."""
    if not header or header.strip() == "*":
        return None
    found = _ETAG.fullmatch(header.strip())
    if found is None:
        raise Unreadable('If-Match attend une version, par exemple W/"3".')
    return found[1]
