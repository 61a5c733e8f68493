"""« Trouver un créneau commun » as asked on screen (PERF-9): the page over HTTP, and the search beside the fetch.

Eight members who declared openings, twenty-eight days, some five busy times a day each; the page writes its trace.
"""

from __future__ import annotations

import datetime as dt
import http.client
import random
import statistics
import time
import uuid
from urllib.parse import urlencode, urlsplit
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from tests.bench import servers

MEMBERS, DAYS, A_DAY = 8, 28, 5
CALLS, TURNS = 120, 60
GOAL, RATIO = 100, 2
PARIS = ZoneInfo("Europe/Paris")


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    with servers.database(_fill) as (entry, members), servers.product() as (address, _):
        page, asked = _over_http(entry, members, address, CALLS * (3 if full else 1))
        fetch, whole = _beside_the_fetch(entry, members)
    size = f"{MEMBERS} members × {DAYS} days"
    return [
        {
            "name": f"Finder over HTTP, {size}, p95 (p50 {statistics.median(page):.1f} ms)",
            "value": f"{page[int(len(page) * 0.95)]:.1f} ms, {asked} SQL",
            "goal": f"≤ {GOAL} ms",
            "ok": page[int(len(page) * 0.95)] <= GOAL,
        },
        {
            "name": f"Common slot from the database, {size}",
            "value": f"{whole:.1f} ms",
            "ratio": whole / fetch,
            "yardstick": f"bare fetch of the same rows {fetch:.1f} ms",
            "goal": f"≤ {RATIO} ×",
            "ok": whole <= RATIO * fetch,
        },
    ]


def _fill():
    """Return the entry of a coordinator and the members of her circle, their agendas full of openings and visits."""
    from agenda.actions.openings import When, add_opening
    from agenda.actions.schedules import schedule_of
    from agenda.models import Occupation
    from agenda.rules import Freq, Rule
    from tests.bench import town
    from tests.circle import factories as make

    entry = make.open_circle(town.build(dossiers=0, circles=0).reader)
    chance, rows, members = random.Random(9), [], []
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    for _ in range(MEMBERS):
        user = make.account(make.NURSE)
        members.append(make.add(entry, user.attachment.professional, wanted="oui"))
        for hour, length in ((9, 3), (14, 4)):
            starts = dt.datetime.combine(tomorrow, dt.time(hour))
            when = When(starts, starts + dt.timedelta(hours=length), Rule(Freq.DAILY))
            add_opening(schedule_of(user), by=user, when=when)
        for day in range(DAYS):
            for hour in chance.sample(range(8, 18), A_DAY):
                begins = dt.datetime.combine(tomorrow + dt.timedelta(days=day), dt.time(hour), PARIS)
                ends = begins + dt.timedelta(minutes=chance.choice([20, 30, 45]))
                rows.append(
                    Occupation(
                        key=user.attachment.professional_id, kind="rendez_vous", source=uuid.uuid4(),
                        starts_at=begins, ends_at=ends, exclusive=True,
                    )
                )  # fmt: skip
    Occupation.objects.bulk_create(rows)
    return entry, members


def _window() -> tuple[dt.date, dt.date]:
    first = timezone.localdate() + dt.timedelta(days=1)
    return first, first + dt.timedelta(days=DAYS - 1)


def _over_http(entry, members, address: str, calls: int) -> tuple[list[float], int]:
    """Return the sorted milliseconds of the page, and how many statements it asks."""
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    first, last = _window()
    asked = {f"presence_{one.pk}": "indispensable" for one in members} | {
        "minutes": 60, "first_day": first, "last_day": last, "earliest": "08:00", "latest": "19:00",
        "zone": "Europe/Paris",
    }  # fmt: skip
    path = f"/dossiers/{entry.dossier.pk}/reunions/trouver/?{urlencode(asked)}"
    headers = {"Cookie": servers.signed_in(entry.user), servers.THROUGH_TLS[0]: servers.THROUGH_TLS[1]}
    there, took = urlsplit(address), []
    for turn in range(calls + 10):
        begun = time.perf_counter()
        line = http.client.HTTPConnection(there.hostname, there.port)
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        answer.read()
        line.close()
        if answer.status != 200:
            raise RuntimeError(f"the finder answered {answer.status}")
        if turn >= 10:
            took.append((time.perf_counter() - begun) * 1000)
    client = Client()
    client.force_login(entry.user)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return sorted(took), len(captured)


def _beside_the_fetch(entry, members) -> tuple[float, float]:
    """Return the milliseconds of the bare fetch of the rows, and of the fetch with its search, taken in turn."""
    from agenda import finding
    from agenda.common_slots import common_slots
    from circle.models import Member
    from coordination.common.statements import rows

    first, last = _window()
    window = (
        dt.datetime.combine(first, dt.time(), PARIS),
        dt.datetime.combine(last + dt.timedelta(days=1), dt.time(), PARIS),
    )
    names = {row.id: row.name for row in Member.objects.rows(entry)}
    people = finding.invited(entry, {one.pk: True for one in members}, names=names, person=False)
    said = {"keys": [one.key for one in people], "watched": [], "start": window[0], "end": window[1],
            "now": timezone.now()}  # fmt: skip

    def fetch():
        rows(finding.STATEMENT, said)

    def search():
        agendas = finding.agendas(entry, people, window)
        if len(common_slots(agendas, duration=60, window=window, zone=PARIS)) != 3:
            raise RuntimeError("three slots were to be found")

    took: dict[str, list[float]] = {"fetch": [], "search": []}
    for turn in range(TURNS):
        for name, act in (("fetch", fetch), ("search", search))[:: 1 if turn % 2 else -1]:
            begun = time.perf_counter()
            act()
            took[name].append((time.perf_counter() - begun) * 1000)
    return statistics.median(took["fetch"]), statistics.median(took["search"])
