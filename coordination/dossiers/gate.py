"""Addresses that exist only where a setting is on: off, they are answered by the page of any unknown address."""

from __future__ import annotations

from collections.abc import Callable

from django.urls.resolvers import RoutePattern, URLPattern


class GatedPattern(URLPattern):
    """An address that nobody finds while its gate is shut: not even whether one should sign in."""

    def __init__(self, gate: Callable[[], bool], route: str, view: Callable, name: str) -> None:
        super().__init__(RoutePattern(route, name=name, is_endpoint=True), view, {}, name)
        self._gate = gate

    def resolve(self, path):
        return super().resolve(path) if self._gate() else None
