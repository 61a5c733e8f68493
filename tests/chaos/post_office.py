"""A mail server of the scenarios: it takes every letter, and may be closed, silent or mad."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections import defaultdict
from email import message_from_bytes

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

HOST = "127.0.0.1"
WELL, SILENT, MAD = "well", "silent", "rubbish"
LONG = 30


class _Handler:
    """`taken`: when each Message-ID was taken, and for whom."""

    def __init__(self) -> None:
        self.taken: dict[str, list[tuple[float, str]]] = defaultdict(list)
        self.mood = WELL
        self.lines: set[asyncio.BaseTransport] = set()

    async def handle_DATA(self, server, session, envelope) -> str:
        key = message_from_bytes(envelope.content)["Message-ID"]
        for address in envelope.rcpt_tos:
            self.taken[key].append((time.time(), address))
        return "250 taken"


class _Server(SMTP):
    """Says its first word as its mood wants."""

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self.event_handler.lines.add(transport)

    def connection_lost(self, error) -> None:
        self.event_handler.lines.discard(self.transport)
        super().connection_lost(error)

    async def push(self, status) -> None:
        mood = self.event_handler.mood
        if mood == SILENT:
            await asyncio.sleep(LONG)
        await super().push("n'importe quoi" if mood == MAD else status)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Server(self.handler, **self.SMTP_kwargs)


class PostOffice:
    """`taken`: {Message-ID: [(moment, address)]}."""

    def __init__(self) -> None:
        self.handler = _Handler()
        with socket.socket() as free:
            free.bind((HOST, 0))
            self.port = free.getsockname()[1]
        self._lock = threading.Lock()
        self._controller: _Controller | None = None
        self.open()

    @property
    def taken(self) -> dict[str, list[tuple[float, str]]]:
        return self.handler.taken

    def open(self) -> None:
        with self._lock:
            if self._controller is None:
                self._controller = _Controller(self.handler, hostname=HOST, port=self.port, ready_timeout=30)
                self._controller.start()

    def close(self) -> None:
        with self._lock:
            if self._controller is not None:
                # Dialogues that a silence or a kill left open: the loop would end with them.
                for line in list(self.handler.lines):
                    self._controller.loop.call_soon_threadsafe(line.abort)
                time.sleep(0.2)
                self._controller.stop()
                self._controller = None

    def be(self, mood: str) -> None:
        """Take another mood: `WELL`, `SILENT`, `MAD`."""
        self.handler.mood = mood
