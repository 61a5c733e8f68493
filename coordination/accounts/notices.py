"""What the floors above want said on « Mon compte »: each registers a provider, accounts never hears of the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Notice(NamedTuple):
    """One message with the address where one answers. Words only: no identity, no health data (SEC-22)."""

    title: str
    sentence: str
    link_label: str
    link_url: str


_providers: dict[str, Callable] = {}


def register(name: str, provider: Callable) -> None:
    """Add a provider: called with a user, returns his Notices, in one SQL statement."""
    _providers[name] = provider


def of(user) -> list[Notice]:
    """Return what waits for this user's answer."""
    return [notice for provider in _providers.values() for notice in provider(user)]
