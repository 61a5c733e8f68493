"""An answer as an attacker could compare it with another: everything he sees, and the statements behind it.

Masked: what differs between two answers of the same address (date, identifier of the request, token of forms), and
the identifier that was asked for, which he wrote himself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

ALWAYS_DIFFERENT = frozenset({"date", "x-request-id"})
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b|\b[A-Za-z0-9]{32}\b|expires=[^;]+")
SAVEPOINT = re.compile(r'"s\d+_x\d+"')


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[tuple[str, str], ...]
    body: str
    statements: tuple[str, ...]

    def differences(self, other: Answer) -> dict[str, tuple]:
        """Return {what: (this one's, the other's)} for all that differs."""
        parts = ("status", "headers", "cookies", "body", "statements")
        return {part: (a, b) for part in parts if (a := getattr(self, part)) != (b := getattr(other, part))}


def answer_to(visitor, method: str, path: str, asked: UUID, data=None) -> Answer:
    """Send a request and return what it shows, `asked` masked."""
    said: list[str] = []

    def listen(execute, sql, params, many, context):
        # The text before its parameters are put in: its shape.
        said.append(SAVEPOINT.sub("SAVEPOINT", str(sql)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        answer = visitor.ask(method, path, data)

    def mask(text: str) -> str:
        return TOKEN.sub("TOKEN", text.replace(str(asked), "ASKED").replace(asked.hex, "ASKED"))

    headers = sorted((k.lower(), mask(v)) for k, v in answer.headers.items() if k.lower() not in ALWAYS_DIFFERENT)
    cookies = sorted((name, mask(morsel.OutputString())) for name, morsel in answer.cookies.items())
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return Answer(answer.status_code, tuple(headers), tuple(cookies), mask(body.decode("latin-1")), tuple(said))
