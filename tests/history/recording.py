"""What many clients did at once, as the checker reads it: each act with what it asked, saw and was answered."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.handlers.base import BaseHandler
from django.http import Http404, HttpResponse
from django.test import RequestFactory

from coordination.dossiers.door import rubric_view
from habilitations.models import Trace
from habilitations.rubriques import Niveau, Rubrique
from tests.history.checker import DONE, LOST, REFUSED, Line, Op
from tests.invariants.attacks import LOOKED_BEFORE, TRIES, state_of

UNKNOWN, UNAVAILABLE = 404, 503
ALWAYS = float("-inf")
READS, WRITES = "lecture", "écriture"


def enters(dossier_id: Hashable, user_id: Hashable) -> str:
    """Return the register of whether an account may enter a dossier."""
    return f"access {dossier_id} {user_id}"


@dataclass
class Said:
    """What an act says of itself while it is done; kept only if it is."""

    reads: dict[str, Hashable] = field(default_factory=dict)
    writes: dict[str, Hashable] = field(default_factory=dict)
    replaced: dict[str, Hashable] = field(default_factory=dict)
    alone: dict[str, frozenset] = field(default_factory=dict)
    tells: tuple[str, ...] = ()
    # What a page shows and whose register is not written on it.
    texts: frozenset[str] = frozenset()

    def wrote(self, register: str, value: Hashable, *, over: Hashable) -> None:
        self.writes[register], self.replaced[register] = value, over


class History:
    """Everything that was done, by whichever thread."""

    def __init__(self) -> None:
        self._ops: list[tuple[Op, frozenset[str]]] = []
        self._lock = threading.Lock()
        self.unknown: list[str] = []

    def add(self, op: Op, texts: frozenset[str] = frozenset()) -> None:
        with self._lock:
            self._ops.append((op, texts))

    def was_there(self, register: str, value: Hashable) -> None:
        """Note a value that nobody of the clients wrote."""
        self.add(Op(f"before {register}", "", "before", ALWAYS, ALWAYS, writes={register: value}))

    @property
    def ops(self) -> list[Op]:
        """Return the acts, what pages showed put in the register of who wrote it."""
        of_text = {value: name for op, _ in self._ops for name, value in op.writes.items() if isinstance(value, str)}
        return [
            replace(op, reads={**op.reads, **{of_text.get(text, f"text {text}"): text for text in texts}})
            for op, texts in self._ops
        ]


class Client:
    """One account and its connection: what it does goes through the door of the product, and is recorded."""

    def __init__(self, name: str, user, history: History, *, again: bool) -> None:
        self.name, self.user = name, user
        self._history, self._again = history, again
        self._requests, self._pages = RequestFactory(), BaseHandler()

    def sign_in(self, cookie: tuple[str, str]) -> None:
        """Have the cookie of a session, for the pages."""
        self._requests.cookies[cookie[0]] = cookie[1]
        self._pages.load_middleware()

    def act(self, kind: str, dossier_id, rubrique: Rubrique, do: Callable[[Any, Said], None], *, writes: bool) -> Said:
        """Do something in a dossier as a page does: the door, its trace, the act, one transaction when it writes."""
        level = Niveau.ECRITURE if writes else Niveau.LECTURE

        def answer(key: str, said: Said) -> int:
            request = self._requests.post("/") if writes else self._requests.get("/")
            request.user, request.id = self.user, key  # type: ignore[attr-defined]

            def view(_, entry) -> HttpResponse:
                do(entry, said)
                return HttpResponse()

            try:
                return rubric_view(rubrique, level)(view)(request, dossier_id).status_code
            except Http404:
                return UNKNOWN

        return self._recorded(kind, dossier_id, answer, action=WRITES if writes else READS)

    def page(self, kind: str, dossier_id, path: str, seen: Callable[[str], frozenset[str]]) -> Said:
        """Read a page whole, as a browser does; `seen`: the texts to look for in it."""

        def answer(key: str, said: Said) -> int:
            response = self._pages.get_response(self._requests.get(path, headers={"x-request-id": key}))
            if response.status_code == 200:
                said.texts = seen(response.content.decode())
            return response.status_code

        return self._recorded(kind, dossier_id, answer, action=READS)

    def _recorded(self, kind: str, dossier_id, answer: Callable[[str, Said], int], *, action: str) -> Said:
        key, began = uuid.uuid4().hex, time.monotonic()
        status, said = self._answered(key, answer)
        ended = time.monotonic()
        if status not in (200, 403, UNKNOWN, 409):
            self._history.unknown.append(f"{kind}: {status}")
        outcome = DONE if status == 200 else LOST if status >= 500 else REFUSED
        register = enters(dossier_id, self.user.pk)
        if outcome != LOST:
            # Told apart from a rule that says no, which is told to who is inside.
            inside = {register: status != UNKNOWN}
            kept = said if outcome == DONE else Said()
            op = Op(
                key, self.name, kind, began, ended, outcome, {**kept.reads, **inside}, kept.writes, kept.replaced,
                kept.alone, str(dossier_id), action, kept.tells,
            )  # fmt: skip
        else:
            op = Op(key, self.name, kind, began, ended, outcome, {}, said.writes, said.replaced, chain=str(dossier_id),
                    action=action, tells=said.tells)  # fmt: skip
        self._history.add(op, said.texts if outcome == DONE else frozenset())
        return said if outcome == DONE else Said()

    def _answered(self, key: str, answer: Callable[[str, Said], int]) -> tuple[int, Said]:
        """Return the status, and what the attempt that got it said; in SERIALIZABLE, begun again when told to."""
        for _ in range(TRIES):
            said = Said()
            try:
                status = answer(key, said)
            except Exception as error:
                if not (self._again and state_of(error) in LOOKED_BEFORE):
                    raise
            else:
                if not (self._again and status == UNAVAILABLE):
                    return status, said
            time.sleep(random.random() / 20)  # noqa: S311 - not to come all at once again
        raise AssertionError(f"begun again {TRIES} times")


def lines_of(dossier_ids, since: dict) -> list[Line]:
    """Return the lines of the journal of these dossiers, after those that each had (`since`: {dossier: number})."""
    return [
        Line(str(pk), line.seq, line.request_id, line.action, line.outcome)
        for pk in dossier_ids for line in Trace.objects.of_dossier(pk).filter(seq__gt=since[pk])
    ]  # fmt: skip
