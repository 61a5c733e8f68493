"""A partner that does what a test says: it answers what it was told to, in order, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

FHIR = "application/fhir+json"
TOKEN = "/oauth/token"


@dataclass
class Said:
    """One answer to give. `act(handler)` writes it by hand instead (hanging, cutting, dripping)."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)
    act: Any = None

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Heard:
    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"


class StandIn:
    """`answers`: those still to give at the API; after the last one, `then`. Tokens are given by themselves."""

    def __init__(self) -> None:
        self.answers: deque[Said] = deque()
        self.then = Said(200, {"resourceType": "Bundle", "type": "transaction-response"}, {"Content-Type": FHIR})
        self.token: Said | None = None
        self.heard: list[Heard] = []
        self.tokens_given = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def says(self, status: int, body: Any = b"", **headers: str) -> None:
        """Add an answer; `headers` by Python names (retry_after), FHIR JSON unless they say otherwise."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append(Said(status, body, {"Content-Type": FHIR} | named))

    def does(self, act: Any) -> None:
        self.answers.append(Said(act=act))

    @property
    def calls(self) -> list[Heard]:
        return [one for one in self.heard if one.path != TOKEN]

    def answer_to(self, path: str) -> Said:
        if path == TOKEN:
            self.tokens_given += 1
            given = {"access_token": f"jeton-{self.tokens_given}", "token_type": "Bearer", "expires_in": 3600}
            return self.token or Said(200, given, {"Content-Type": "application/json"})
        return self.answers.popleft() if self.answers else self.then

    @contextmanager
    def running(self, context=None):
        """Listen until the block ends; `context` (ssl) makes it speak TLS."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        # A test that lets it hang does not wait for it.
        self._server.block_on_close = False
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def _handler_of(standin: StandIn):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            standin.heard.append(Heard(self.path, {k.lower(): v for k, v in self.headers.items()}, body, self.command))
            said = standin.answer_to(self.path)
            if said.act:
                self.close_connection = True
                said.act(self)
                return
            raw = said.raw
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_PUT = do_REPORT = do_POST

        def log_message(self, *args):
            """Nobody reads it."""

    return Handler
