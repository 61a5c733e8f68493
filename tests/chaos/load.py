"""Acts over HTTP, as people and software do them, each one recorded: what was sent, what was answered, after how long.

An act that was not accepted (a cut line, a 503) is done again with the same key until it is, as a person does: one
that had been done all the same must not be done twice.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar
from urllib.parse import urlencode

from django.utils import timezone

from tests.bench.servers import HOST, THROUGH_TLS
from tests.chaos.town import Town
from tests.circle.factories import NURSE
from tests.fhir.samples import sample

FORM = "application/x-www-form-urlencoded"
TOKEN = "c" * 32
CUT = 0
# A page that hangs is given up, and counted: longer than any timeout of the product.
LONGEST = 40
AGAIN_AFTER = 0.3
LETTERS = "ABCDEFGHIJ"
# Nobody is added or written to twice, whatever the scenario.
_numbers = itertools.count(1)


@dataclass
class Attempt:
    """`status`: what was answered, CUT for a line cut or refused. `began`: by the clock of the machine."""

    request_id: str
    began: float
    seconds: float
    status: int
    said: str = ""


@dataclass
class Act:
    """`key`: what makes it one act however often it is sent. `kind`: a read, or what the judge looks for."""

    kind: str
    method: str
    path: str
    key: uuid.UUID
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    about: str = ""
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return bool(self.attempts) and 200 <= self.attempts[-1].status < 400

    @property
    def writes(self) -> bool:
        return self.method != "GET"


class Acts:
    """Draws the acts: half of them read, the others write. `without`: kinds that the version served does not know."""

    WEIGHTS: ClassVar = {"read": 40, "relative": 15, "letter": 20, "appointment": 15, "fhir": 10}

    def __init__(self, town: Town, chance: random.Random, without: frozenset[str] = frozenset()) -> None:
        self._town, self._chance = town, chance
        self._weights = {kind: weight for kind, weight in self.WEIGHTS.items() if kind not in without}
        self._lock = threading.Lock()
        self._made: dict[str, Callable[[], Act]] = {
            "read": self.read, "relative": self.relative, "letter": self.letter, "appointment": self.appointment,
            "fhir": self.fhir,
        }  # fmt: skip

    def next(self) -> Act:
        with self._lock:
            return self._made[self._chance.choices([*self._weights], [*self._weights.values()])[0]]()

    def read(self) -> Act:
        dossier = self._chance.choice(self._town.dossiers)
        paths = [f"/dossiers/{dossier}/cercle/", "/dossiers/", f"/dossiers/{dossier}/"]
        if "appointment" in self._weights:
            paths.append(f"/dossiers/{dossier}/agenda/")
        return Act("read", "GET", self._chance.choice(paths), uuid.uuid4(), headers=self._browser())

    def relative(self) -> Act:
        dossier, key, number = self._chance.choice(self._town.dossiers), uuid.uuid4(), next(_numbers)
        said = {
            "family_name": f"CHAOS-{_word(number)}", "given_name": "Inès", "mobile": "", "role": "CAREGIVER",
            "relation": "DAUC", "starts_on": f"{timezone.localdate():%d/%m/%Y}",
            "email": f"proche-{number}@famille.example", "duplicate_reason": "Une autre personne",
        }  # fmt: skip
        return self._form("relative", f"/dossiers/{dossier}/cercle/ajouter/manuellement/aidant/", key, said)

    def letter(self) -> Act:
        number, key = next(_numbers), uuid.uuid4()
        email = f"chaos-{number}@cabinet.example"
        said = {"family_name": f"CHAOS-{_word(number)}", "given_name": "Léa", "profession": NURSE, "email": email}
        return self._form("letter", "/invitations/inviter/", key, said, about=email)

    def appointment(self) -> Act:
        dossier, key = self._chance.choice(self._town.dossiers), uuid.uuid4()
        day = timezone.localdate() + timedelta(days=self._chance.randrange(2, 300))
        hour = self._chance.randrange(8, 18)
        said = {
            "kind": "rendez_vous", "title": "Visite", "day": f"{day:%Y-%m-%d}", "starts": f"{hour:02}:00",
            "ends": f"{hour:02}:30", "zone": "Europe/Paris", "person": "on", "how": "convenu",
        }  # fmt: skip
        return self._form("appointment", f"/dossiers/{dossier}/agenda/nouveau/", key, said)

    def fhir(self) -> Act:
        """A relative sent by a software, with the key of its call."""
        number, key = next(_numbers), uuid.uuid4()
        resource = sample(
            "RelatedPerson", identifier=[{"system": "urn:oid:1.2.3.4", "value": str(key)}],
            patient={"reference": f"Patient/{self._chance.choice(self._town.dossiers)}"},
            name=[{"family": f"FHIR-{_word(number)}", "given": ["Zoé"]}], telecom=[
                {"system": "email", "value": f"fhir-{number}@famille.example"},
            ],
        )  # fmt: skip
        headers = {**dict(self._town.program), "Content-Type": "application/fhir+json", "Idempotency-Key": str(key)}
        headers["Duplicate-Reason"] = "Une autre personne"
        return Act("fhir", "POST", "/fhir/RelatedPerson", key, json.dumps(resource).encode(), headers)

    def _form(self, kind: str, path: str, key: uuid.UUID, said: dict[str, str], about: str = "") -> Act:
        sent = said | {"creation_key": str(key), "csrfmiddlewaretoken": TOKEN}
        headers = self._browser() | {"Content-Type": FORM, "Origin": f"https://{HOST}"}
        return Act(kind, "POST", path, key, urlencode(sent).encode(), headers, about)

    def _browser(self) -> dict[str, str]:
        return {"Cookie": self._town.cookie}


def _word(number: int) -> str:
    """Return a name that no other act has, in letters."""
    return "".join(LETTERS[int(digit)] for digit in f"{number:06}")


def read(port: int, act: Act) -> str:
    """Return what a page says, whatever its status."""
    return send(port, act, keep=True).said


def send(port: int, act: Act, *, keep: bool = False) -> Attempt:
    """Send an act once; note and return what came of it. `keep`: what was answered, even when it went well."""
    request_id = uuid.uuid4().hex
    headers = {"Host": HOST, THROUGH_TLS[0]: THROUGH_TLS[1], "X-Request-ID": request_id} | act.headers
    began, started = time.time(), time.monotonic()
    said, line = "", http.client.HTTPConnection(HOST, port, timeout=LONGEST)
    try:
        line.request(act.method, act.path, body=act.body or None, headers=headers)
        answer = line.getresponse()
        body = answer.read()
        status = answer.status
        # Sent to the door: not done.
        if 300 <= status < 400 and "/compte/connexion" in (answer.getheader("Location") or ""):
            status = 401
        if keep or status >= 400:
            said = body.decode(errors="replace")
    except (OSError, http.client.HTTPException):
        status = CUT
    finally:
        line.close()
    attempt = Attempt(request_id, began, time.monotonic() - started, status, said)
    act.attempts.append(attempt)
    return attempt


class Load:
    """So many acts a second on a port, from as many threads as needed. `acts`: all that were begun."""

    def __init__(self, port: int, acts: Acts, *, rate: float, threads: int = 12) -> None:
        self.port, self.rate, self._source = port, rate, acts
        self.acts: list[Act] = []
        self._lock = threading.Lock()
        self._over, self._given_up = threading.Event(), threading.Event()
        self._next_at = time.monotonic()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def start(self) -> None:
        self._next_at = time.monotonic()
        for thread in self._threads:
            thread.start()

    def stop(self, patience: float = 60) -> None:
        """Begin no other act; those not accepted yet are sent again for so many seconds."""
        self._over.set()
        until = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._given_up.set()
        for thread in self._threads:
            thread.join(LONGEST + 5)

    def since(self, began: float) -> list[Attempt]:
        """Return the attempts begun since a moment of the machine's clock."""
        return [one for act in list(self.acts) for one in list(act.attempts) if one.began >= began]

    def _work(self) -> None:
        while not self._over.is_set():
            with self._lock:
                wait = self._next_at - time.monotonic()
                self._next_at = max(self._next_at, time.monotonic() - 1) + 1 / self.rate
            if wait > 0 and self._over.wait(wait):
                return
            act = self._source.next()
            self.acts.append(act)
            self._do(act)

    def _do(self, act: Act) -> None:
        while not self._given_up.is_set():
            attempt = send(self.port, act)
            # Refused for good, or a read: a person looks elsewhere.
            if act.accepted or 400 <= attempt.status < 500 or not act.writes:
                return
            self._given_up.wait(AGAIN_AFTER)


@contextmanager
def running(port: int, acts: Acts, *, rate: float, threads: int = 12, patience: float = 60) -> Iterator[Load]:
    load = Load(port, acts, rate=rate, threads=threads)
    load.start()
    try:
        yield load
    finally:
        load.stop(patience)


def statuses(attempts: list[Attempt]) -> Counter[str]:
    """Count the answers by what they are: « 2xx », « 503 », « cut »…"""
    return Counter(_name(one.status) for one in attempts)


def _name(status: int) -> str:
    return "cut" if status == CUT else "2xx" if status < 400 else str(status)


def percentile(values: list[float], share: float) -> float:
    """Return the value below which that share of them are; 0 for none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
