"""The address where Prometheus reads: a small server of its own, beside the product and never in front of people."""

from __future__ import annotations

import hmac
import ipaddress
import os
import socket
from collections.abc import Callable, Iterable
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from django.db import connection
from prometheus_client import CollectorRegistry, generate_latest, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector

from coordination.common.metrics import REGISTRY
from coordination.operations.figures import DatabaseFigures

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
SHORTEST_TOKEN = 32


class NotExposed(ValueError):
    """Refused: the figures would be open to a network."""


def counted() -> CollectorRegistry:
    """Return what the processes of this machine counted: added up from their files, or of this process alone."""
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=folder)
    return registry


def everything() -> CollectorRegistry:
    """Return what was counted and what the database says, read when it is collected."""
    registry = CollectorRegistry()
    registry.register(_Both())
    return registry


def text() -> str:
    """Return everything in the text format of Prometheus."""
    return generate_latest(everything()).decode()


def application(token: str) -> Application:
    """Return the WSGI application that tells everything; it answers 401 without the token, when one is set."""
    answer = make_wsgi_app(everything())
    wanted = f"Bearer {token}".encode()

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        given = environ.get("HTTP_AUTHORIZATION", "").encode("latin-1")
        if token and not hmac.compare_digest(given, wanted):
            start_response("401 Unauthorized", [("WWW-Authenticate", "Bearer"), ("Content-Length", "0")])
            return [b""]
        try:
            return answer(environ, start_response)
        finally:
            # The thread ends with its answer, which is made whole by now.
            connection.close()

    return checked


class _Both:
    def describe(self) -> list[Any]:
        return []

    def collect(self) -> Iterable[Any]:
        yield from counted().collect()
        yield from DatabaseFigures().collect()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """A reading every fifteen seconds is no event."""

    def log_message(self, format: str, *args: Any) -> None:
        return


def server(bind: str, token: str) -> WSGIServer:
    """Return the server bound to « address:port », not started.

    Raises NotExposed for an address that others reach without a token of 32 characters or more, OSError when the
    port is taken.
    """
    host, _, port = bind.rpartition(":")
    host = host.strip("[]")
    if not is_loopback(host) and len(token) < SHORTEST_TOKEN:
        raise NotExposed(
            f"Les mesures seraient ouvertes au réseau : METRICS_TOKEN doit compter au moins {SHORTEST_TOKEN} "
            "caractères, ou METRICS_BIND rester sur 127.0.0.1."
        )
    made = type("Server", (_Server,), {"address_family": socket.AF_INET6 if ":" in host else socket.AF_INET})(
        (host, int(port)), _Silent
    )
    made.set_app(application(token))
    return made


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address; a name that is not one is taken for open."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
