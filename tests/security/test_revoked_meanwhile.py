"""Once somebody is told that an access is closed, nothing opens it any more, by whichever way it is asked (SECT-7).

A nurse and her programs ask without a pause, several at once: pages, fragments, files, calls of a software for her and
of her own token, her calendar's feed. Meanwhile the access is closed and opened again. What began after a closing was
acknowledged, and ended before the opening that follows began, is refused. `FULL=1`: ten thousand such attempts.
"""

import os
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.conf import settings as product
from django.core.handlers.base import BaseHandler
from django.db import connection, transaction
from django.test import Client, RequestFactory
from django.utils import timezone

from agenda.actions import feeds
from circle import actions as circle_acts
from circle.circles import Circle
from coordination.accounts import actions as accounts
from coordination.fhir import throttling
from habilitations import actions
from tests import for_good
from tests.accounts.factories import UserFactory
from tests.agenda import factories as events
from tests.bench import calls
from tests.circle import factories as make
from tests.circle.conftest import publish_default_matrix
from tests.fhir.callers import personal

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.req("SECT-7", "REL-10")]
FULL = bool(os.environ.get("FULL"))
THREADS = 12
# Refused attempts, in all closings; how many times it is closed and opened again.
ATTEMPTS, ROUNDS = (10_000, 40) if FULL else (150, 3)
PATIENCE = 60
TITLE = "Pansement du talon"


@pytest.fixture(scope="module")
def scribe(django_db_setup, django_db_blocker):
    with for_good.scribe(django_db_blocker) as call:
        call(publish_default_matrix)
        yield call


@dataclass
class World:
    """A dossier, who may close it, and the ways in of somebody: {name: (path, headers, what says that it opened)}."""

    entry: object
    nurse: object
    member: object
    administrator: object
    ways: dict[str, tuple[str, dict[str, str], str]] = field(default_factory=dict)


def build() -> World:
    coordinator, nurse = make.coordinator(), make.account(family_name="SPÉCIMEN")
    entry = make.open_circle(coordinator)
    member = make.add(entry, nurse.attachment.professional, wanted="oui")
    events.appointment(entry, member, title=TITLE)
    world = World(entry, nurse, member, UserFactory(administrator=True))
    dossier, circle = entry.dossier.pk, Circle.objects.get(dossier=entry.dossier).pk
    browser = Client()
    browser.force_login(nurse)
    cookie = {"cookie": f"{product.SESSION_COOKIE_NAME}={browser.cookies[product.SESSION_COOKIE_NAME].value}"}
    of_software = dict(calls.connect(nurse, "HÔPITAL DES CHÊNES"))
    own = {"authorization": f"Bearer {personal(nurse)[1]}"}
    _, feed = feeds.open_feed(nurse, level="complet")
    team = '"resourceType":"CareTeam"'
    world.ways = {
        "page": (f"/dossiers/{dossier}/", cookie, f'href="/dossiers/{dossier}/cercle/"'),
        "circle": (f"/dossiers/{dossier}/cercle/", cookie, "SPÉCIMEN"),
        "fragment": (f"/dossiers/{dossier}/cercle/", cookie | {"hx-request": "true"}, "SPÉCIMEN"),
        "agenda": (f"/dossiers/{dossier}/agenda/", cookie, TITLE),
        "file": (f"/dossiers/{dossier}/cercle/membres/{member.pk}/contact.vcf", cookie, "SPÉCIMEN"),
        "software": (f"/fhir/Patient/{dossier}", of_software, '"resourceType":"Patient"'),
        "circle by software": (f"/fhir/CareTeam/{circle}", of_software, team),
        "own program": (f"/fhir/CareTeam/{circle}", own, team),
        "feed": (f"/agenda/flux/{feed}.ics", {}, TITLE),
    }
    return world


class Asking:
    """Threads that ask, and remember (way, began, ended, whether it opened)."""

    def __init__(self, ways) -> None:
        self.ways, self.over, self.made, self.failed = ways, threading.Event(), [], []
        self._handler, self._requests = BaseHandler(), RequestFactory()
        self._handler.load_middleware()

    def ask(self, seed: int) -> None:
        draw = random.Random(seed)
        try:
            while not self.over.is_set():
                way = draw.choice(list(self.ways))
                path, headers, sign = self.ways[way]
                began = time.monotonic()
                answer = self._handler.get_response(self._requests.get(path, headers=headers))
                body = b"".join(answer) if answer.streaming else answer.content
                opened = answer.status_code == 200 and sign.encode() in body
                if answer.status_code >= 500 or answer.status_code == 429:
                    self.failed.append(f"{way}: {answer.status_code}")
                self.made.append((way, began, time.monotonic(), opened))
        finally:
            connection.close()

    def until(self, is_enough) -> None:
        end = time.monotonic() + PATIENCE
        while not is_enough():
            assert time.monotonic() < end, Counter(way for way, *_ in self.made)
            time.sleep(0.01)

    def since(self, moment: float, *, opened: bool):
        return [one for one in list(self.made) if one[1] >= moment and one[3] == opened]


def answer(world: World, wanted: str) -> None:
    said = {"rests": make.team()} if wanted == "oui" else {}
    closed = {"withdrawn_on": timezone.localdate(), "collected": "oral"}
    with transaction.atomic():
        circle_acts.set_habilitation(world.entry, world.member, wanted, withdrawal=closed, **said)


def refuse(world: World) -> None:
    said = {"refused_on": timezone.localdate(), "collected": "oral", "comment": ""}
    with transaction.atomic():
        circle_acts.set_habilitation(world.entry, world.member, "refus", refusal=said)


# What closes, what opens again (None: nothing does), the ways that are closed by it (None: all of them).
CLOSINGS = {
    "« non »": (partial(answer, wanted="non"), partial(answer, wanted="oui"), None),
    "refusal of the person": (refuse, partial(answer, wanted="oui"), None),
    "account suspended": (
        lambda world: accounts.suspend_account(world.nurse, by=world.administrator),
        None, None,
    ),
    "sessions ended": (
        lambda world: accounts.end_sessions(world.nurse), None, ("page", "circle", "fragment", "agenda", "file"),
    ),
    "token ended": (
        lambda world: actions.revoke_personal_tokens(world.nurse), None, ("own program",),
    ),
    "feed closed": (lambda world: feeds.close_feed(world.nurse), None, ("feed",)),
}  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize("closing", CLOSINGS)
def test_what_is_closed_opens_to_nobody_who_asks_afterwards(scribe, settings, closing):
    settings.FHIR_CALLS_PER_MINUTE = settings.AGENDA_FEED_READS_PER_MINUTE = 0
    throttling.forget()
    close, open_again, named = CLOSINGS[closing]
    world = scribe(build)
    closed_ways = set(named or world.ways)
    asking = Asking({way: world.ways[way] for way in closed_ways})
    rounds = ROUNDS if open_again else 1
    shut: list[tuple[float, float]] = []
    with ThreadPoolExecutor(THREADS) as pool:
        threads = [pool.submit(asking.ask, seed) for seed in range(THREADS)]
        opened_at = time.monotonic()
        try:
            for left in range(rounds, 0, -1):
                asking.until(lambda since=opened_at: {w for w, *_ in asking.since(since, opened=True)} == closed_ways)
                scribe(partial(close, world))
                closed_at = time.monotonic()
                wanted = ATTEMPTS // rounds
                asking.until(
                    lambda since=closed_at, wanted=wanted: (
                        len(asking.since(since, opened=False)) >= wanted
                        and {w for w, *_ in asking.since(since, opened=False)} == closed_ways
                    )
                )
                opened_at = time.monotonic()
                shut.append((closed_at, opened_at))
                if open_again and left > 1:
                    scribe(partial(open_again, world))
        finally:
            asking.over.set()
        for thread in threads:
            thread.result()
    after = [one for one in asking.made for begin, end in shut if one[1] >= begin and one[2] <= end]
    assert [one for one in after if one[3]] == []
    assert len(after) >= ATTEMPTS * 0.9
    assert asking.failed == []
    print(f"{closing}: {len(after)} refused, {sum(one[3] for one in asking.made)} let in before")  # noqa: T201 - by -s
