"""REL-17: what the product depends on refused, slow or mad. No page waits, none breaks, and the person is told."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.utils import timezone

from coordination.outbox.models import Message, State
from coordination.partners.models import Partner
from tests.bench import servers
from tests.bench.servers import HOST
from tests.chaos import load
from tests.chaos.figures import Figure
from tests.chaos.load import FORM, TOKEN, Act, Acts, Attempt
from tests.chaos.post_office import MAD, SILENT, WELL, PostOffice
from tests.chaos.stage import Stage
from tests.chaos.town import Town

REFUSED = "refused"
MOODS = (REFUSED, SILENT, MAD)
LONGEST_PAGE = 2.0
LONG = 30.0
RUBBISH = b"n'importe quoi \xff\xfe\r\n\r\n"


class Neighbour:
    """A server of somebody else on this machine: it listens and says nothing, or anything; or does not listen."""

    def __init__(self, port: int = 0) -> None:
        self._listening = socket.create_server((HOST, port)) if port else socket.create_server((HOST, 0))
        self.port = self._listening.getsockname()[1]
        self.mood = SILENT
        self._over = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                line, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=[line], daemon=True).start()

    def _answer(self, line: socket.socket) -> None:
        with line, suppress(OSError):
            line.settimeout(LONG)
            if self.mood == SILENT:
                self._over.wait(LONG)
                return
            line.recv(65536)
            line.sendall(RUBBISH)


@contextmanager
def neighbour(mood: str) -> Iterator[int]:
    """Give the port of a neighbour of that mood; nobody listens there when it is `REFUSED`."""
    server = Neighbour()
    server.mood = mood
    if mood == REFUSED:
        server.close()
    try:
        yield server.port
    finally:
        if mood != REFUSED:
            server.close()


@dataclass
class Seen:
    """`untold`: pages that should have said what waits and did not."""

    name: str
    mood: str
    attempts: list[Attempt] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


def run(stage: Stage, town: Town, *, acts: int, seed: int, only: tuple[str, ...] = ()) -> list[Seen]:
    """Put each dependency in each mood, and ask so many acts of the pages meanwhile."""
    seen = []
    for name, scene in SCENES.items():
        for mood in MOODS if not only or name in only else ():
            seen.append(Seen(name, mood))
            scene(stage, town, mood, seen[-1], acts, random.Random(f"{seed}{name}{mood}"))
    return seen


def _smtp(stage: Stage, town: Town, mood: str, seen: Seen, count: int, chance: random.Random) -> None:
    office = stage.post_office
    with _moody(office, mood):
        source = Acts(town, chance)
        seen.attempts += [load.send(stage.port, source.letter()) for _ in range(count)]
        time.sleep(1)
        seen.attempts += [load.send(stage.port, source.read()) for _ in range(count)]
    # The next attempt is for later, and nobody here waits for so long.
    now = timezone.now()
    Message.objects.filter(state=State.A_REESSAYER).update(next_attempt_at=now, ring_after=now)


@contextmanager
def _moody(office: PostOffice, mood: str) -> Iterator[None]:
    if mood == REFUSED:
        office.close()
    else:
        office.be(mood)
    try:
        yield
    finally:
        office.be(WELL)
        office.open()


def _redis(stage: Stage, town: Town, mood: str, seen: Seen, count: int, chance: random.Random) -> None:
    source = Acts(town, chance)
    with _redis_in(stage, mood):
        for _ in range(count):
            seen.attempts += [load.send(stage.port, act) for act in (source.letter(), source.fhir(), source.read())]


@contextmanager
def _redis_in(stage: Stage, mood: str) -> Iterator[None]:
    if mood == SILENT:
        with stage.silent_redis():
            yield
        return
    with stage.without_redis():
        mad = Neighbour(stage.servers.broker.memory["port"]) if mood == MAD else None
        if mad:
            mad.mood = MAD
        try:
            yield
        finally:
            if mad:
                mad.close()


def _partner(stage: Stage, town: Town, mood: str, seen: Seen, count: int, chance: random.Random) -> None:
    with neighbour(mood) as port:
        there = f"http://{HOST}:{port}"
        Partner.objects.filter(pk=town.partner).update(base_url=f"{there}/fhir", token_url=f"{there}/oauth/token")
        page = f"/dossiers/{chance.choice(town.dossiers)}/cercle/partenaires/"
        asked = {"partenaire": str(town.partner), "geste": "envoyer"}
        seen.attempts.append(load.send(stage.port, _post(town.cookie, f"{page}echanger/", asked)))
        for _ in range(count):
            seen.attempts.append(load.send(stage.port, _get(town.cookie, page)))
            time.sleep(0.2)
        # « Essayer la connexion » asks it twice: apart, and its state is told.
        partners = "/administration/partenaires/"
        seen.attempts.append(load.send(stage.port, _post(town.head, f"{partners}{town.partner}/essayer/", {})))
        told = _text(stage, town.head, partners)
        if "Essai en cours" not in told and "ne répond pas" not in told:
            seen.untold.append("the trial of the connection is not told")
        if "Derniers échanges" not in _text(stage, town.cookie, page):
            seen.untold.append("the exchange that waits is not on its page")


def _calendar(stage: Stage, town: Town, mood: str, seen: Seen, count: int, chance: random.Random) -> None:
    with neighbour(mood) as port:
        for _ in range(min(count, 2)):
            said = {
                "name": f"Agenda {uuid.UUID(int=chance.getrandbits(128)).hex[:8]}", "kind": "ics",
                "address": f"http://{HOST}:{port}/agenda.ics",
            }  # fmt: skip
            attempt = load.send(stage.port, _post(town.cookie, "/agenda/reglages/calendriers/ajouter/", said))
            # What does not read is refused in words; what is slow is kept, and read apart.
            if attempt.status == 422 and ("Ce site" in attempt.said or "Ce calendrier" in attempt.said):
                attempt.status = 200
            elif mood == SILENT and attempt.status < 400:
                if "lu à part" not in _text(stage, town.cookie, "/agenda/reglages/"):
                    seen.untold.append("the calendar that is read apart is not told")
            seen.attempts.append(attempt)
        seen.attempts += [load.send(stage.port, _get(town.cookie, "/agenda/")) for _ in range(count)]


def _files(stage: Stage, town: Town, mood: str, seen: Seen, count: int, chance: random.Random) -> None:
    """The file of the directory: not there, coming one word at a time, or anything. Pages look elsewhere."""
    path = stage.logs / f"annuaire-{mood}.zip"
    if mood == MAD:
        path.write_bytes(RUBBISH * 1000)
    elif mood == SILENT:
        subprocess.run(["mkfifo", str(path)], check=True)
    command = [sys.executable, "manage.py", "import_rpps", str(path)]
    importing = subprocess.Popen(
        command, cwd=servers.ROOT, env=stage.environment(stage.logs / "static"), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    source = Acts(town, chance)
    seen.attempts += [load.send(stage.port, source.next()) for _ in range(2 * count)]
    if mood == SILENT:
        importing.kill()
        importing.wait()
        return
    said, _ = importing.communicate(timeout=60)
    if importing.returncode == 0 or "Traceback" in said:
        seen.untold.append(f"the import ends with {importing.returncode}: {said[-200:]}")


SCENES: dict[str, Callable[[Stage, Town, str, Seen, int, random.Random], None]] = {
    "mail server": _smtp,
    "Redis": _redis,
    "partner": _partner,
    "calendar": _calendar,
    "files of the directory": _files,
}


def _get(cookie: str, path: str) -> Act:
    return Act("read", "GET", path, uuid.uuid4(), headers={"Cookie": cookie})


def _post(cookie: str, path: str, said: dict[str, str]) -> Act:
    headers = {"Cookie": cookie, "Content-Type": FORM, "Origin": f"https://{HOST}"}
    body = urlencode(said | {"csrfmiddlewaretoken": TOKEN}).encode()
    return Act("act", "POST", path, uuid.uuid4(), body, headers)


def _text(stage: Stage, cookie: str, path: str) -> str:
    """Return a page as it is read."""
    return load.read(stage.port, _get(cookie, path)).replace("\xa0", " ").replace("&#39;", "’")


def figures(seen: list[Seen], letters_gone: float) -> list[Figure]:
    lines = []
    for one in seen:
        slowest = max((attempt.seconds for attempt in one.attempts), default=0.0)
        bad = [attempt.status for attempt in one.attempts if not 200 <= attempt.status < 400]
        said = ", ".join(f"{count} {what}" for what, count in load.statuses(one.attempts).most_common())
        lines.append(Figure(
            "REL-17", f"{one.name.capitalize()}: {one.mood}",
            f"{said}; slowest {slowest:.2f} s{'; ' if one.untold else ''}{'; '.join(one.untold[:2])}",
            f"all 2xx, ≤ {LONGEST_PAGE:.0f} s, told", not bad and slowest <= LONGEST_PAGE and not one.untold,
        ))  # fmt: skip
    return [*lines, Figure("REL-17", "Letters of these scenes gone", f"{letters_gone:.1f} s after the last", "all")]
