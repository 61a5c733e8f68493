"""What the floors above want said on « Mon compte » and « À faire »: each registers a provider, accounts never hears
of the rest. All of them are asked in one SQL statement, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from django.db.models import QuerySet, Value


class Notice(NamedTuple):
    """One message with the address where one answers. Words only: no identity, no health data (SEC-22)."""

    title: str
    sentence: str
    link_label: str
    link_url: str


class Provider(NamedTuple):
    """`waits(user)`: rows annotated with `said` (a JSONObject: what is told, and `order`), the first first; `told`
    makes a Notice of it, None when there is nothing to say.
    """

    waits: Callable[[Any], QuerySet]
    told: Callable[[dict[str, Any]], Notice | None]


_providers: dict[str, Provider] = {}


def register(name: str, provider: Provider) -> None:
    """Add a provider."""
    _providers[name] = provider


def of(user) -> list[Notice]:
    """Return what waits for this user's answer, provider by provider. One SQL statement."""
    return asked_of(list(_providers.values()), user)


def asked_of(providers: Sequence[Provider], user) -> list[Notice]:
    """Return what these providers have to say, one after the other. One SQL statement, none without a provider."""
    if not providers:
        return []
    parts = [
        provider.waits(user).annotate(provider_rank=Value(place)).values_list("provider_rank", "said")
        for place, provider in enumerate(providers)
    ]
    rows = list(parts[0].union(*parts[1:], all=True) if parts[1:] else parts[0])
    rows.sort(key=lambda row: (row[0], row[1]["order"]))
    return [notice for place, said in rows if (notice := providers[place].told(said)) is not None]
