"""For whom this process speaks to the database: said to PostgreSQL, whose row-level security answers nobody else.

`session:…`, `token:…`, `link:…` (what somebody holds, as a short hash: the value is seen in `pg_stat_activity`),
`account:…` (who has just signed in) or `system:…` (a command, a task). The connection says it before its next
statement (`common.database`), and only when it changed: a connection that goes on to the next request never carries
over who came before. A request begins with nobody; what it is shown declares (the session's engine, `personal_links`,
the API's tokens), and withdraws when it holds nothing. The rows behind: `habilitations.second_wall`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.signals import request_finished, request_started

SETTING = "coordination.actor"
NOBODY = ""
# {kind: who} of the request that this thread answers. None outside: then it is the process that acts.
_declared: ContextVar[dict[str, str] | None] = ContextVar("declared", default=None)
_process = [NOBODY]


def declared() -> str:
    """Return for whom the next statement is sent, as it is told to the server: NOBODY when none was said."""
    said = _declared.get()
    return _process[0] if said is None else " ".join(said.values())


def declare(kind: str, who: Any) -> None:
    """Say for whom the request that this thread answers acts from now on. Outside a request, nothing changes."""
    said = _declared.get()
    if said is not None:
        _declared.set(said | {kind: f"{kind}:{who}"})


def declare_holder(kind: str, secret: str) -> None:
    """Say that somebody shows this secret, before it is looked for."""
    declare(kind, hashlib.sha256(secret.encode()).hexdigest()[:12])


def withdraw(kind: str) -> None:
    """Take back what was declared of this kind in this request: it holds nothing."""
    said = _declared.get()
    if said and kind in said:
        _declared.set({name: who for name, who in said.items() if name != kind})


def declare_process(what: str) -> None:
    """Say for what this process acts when it answers no request: once, by its entry point."""
    _process[0] = f"system:{what}"


@contextmanager
def declared_as_system(what: str) -> Iterator[None]:
    """Act for a task inside, for who was said before behind."""
    token = _declared.set({"system": f"system:{what}"})
    try:
        yield
    finally:
        _declared.reset(token)


def _begin(**_said: Any) -> None:
    _declared.set({})


def _end(**_said: Any) -> None:
    _declared.set(None)


def follow_requests() -> None:
    """Begin and end each request with nobody declared. Answers in pieces are read before their request ends."""
    request_started.connect(_begin, dispatch_uid="declaring_begins")
    request_finished.connect(_end, dispatch_uid="declaring_ends")
