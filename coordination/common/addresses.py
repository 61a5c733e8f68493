"""Addresses of named routes, resolved once per process.

A page writes dozens of them, and asking the resolver costs more than a statement does. Routes are fixed when the
process starts; only the identifiers in them change.
"""

from __future__ import annotations

from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.urls import get_script_prefix, reverse

# Stand for identifiers while the pattern is made; no identifier of the product is that small.
_STAND_INS = tuple(UUID(int=rank + 1) for rank in range(4))


def address(name: str, *ids: UUID) -> str:
    """Return the address of a route whose arguments are all identifiers: `address("circle:list", dossier.pk)`."""
    pattern = _pattern(settings.ROOT_URLCONF, get_script_prefix(), name, len(ids))
    return pattern.format(*ids) if ids else pattern


@lru_cache(maxsize=512)  # as many as there are routes
def _pattern(_routes: str, _prefix: str, name: str, count: int) -> str:
    made = reverse(name, args=_STAND_INS[:count])
    if not count:
        return made
    made = made.replace("{", "{{").replace("}", "}}")
    for rank, stand_in in enumerate(_STAND_INS[:count]):
        made = made.replace(str(stand_in), f"{{{rank}}}")
    return made
