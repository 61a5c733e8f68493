"""A calendar to subscribe to, against the library writing the same events (issue of the agenda, §5).

The library is timed as anybody would use it: components made of the same values, then written. In the process, the
best of several turns of each in alternation. Then the address itself through its view and the database, at the three
levels: cold (a first reading), warm (another one), unchanged (304).
"""

from __future__ import annotations

import datetime as dt
import math
import statistics
import time
from collections.abc import Callable
from zoneinfo import ZoneInfo

import icalendar
from django.utils import timezone

from agenda.ics.events import Line
from agenda.ics.feed import feed
from tests.bench import servers

EVENTS, DOSSIERS = 2000, 40
TURNS, CALLS = 5, 60
GOAL, WARM = 1.5, 100
LEVELS = {"occupe": "busy only", "neutre": "neutral", "complet": "full, 40 dossiers asked and traced"}


def run(full: bool) -> list[dict]:
    """Return the figures; `full` changes nothing: a calendar has the size it has."""
    lines = made(EVENTS)
    ours, theirs = [], []
    for _ in range(TURNS):
        ours.append(_seconds(lambda: feed(lines, name="Agenda")))
        theirs.append(_seconds(lambda: by_library(lines)))
    took, yardstick = min(ours), min(theirs)
    with servers.database(_fill) as reader:
        figures = through_the_view(reader, yardstick)
    return [
        {
            "name": f"Feed of {EVENTS:,} events, written in this process",
            "value": f"{took * 1000:.0f} ms",
            "ratio": took / yardstick,
            "yardstick": f"icalendar alone {yardstick * 1000:.0f} ms",
            "goal": f"≤ {GOAL} ×",
            "ok": took <= GOAL * yardstick,
        },
        *figures,
    ]


def through_the_view(reader, yardstick: float) -> list[dict]:
    """Return the figures of each level for somebody who attends all the events; `yardstick` in seconds."""
    from django.test import override_settings

    with override_settings(AGENDA_FEED_READS_PER_MINUTE=0):
        return [one for level in LEVELS for one in _level(reader, level, yardstick)]


def _level(reader, level: str, yardstick: float) -> list[dict]:
    from agenda.actions.feeds import close_feed, open_feed

    cold = []
    for _ in range(TURNS):
        close_feed(reader)
        path = f"/agenda/flux/{open_feed(reader, level=level)[1]}.ics"
        took, _, answer = _asked(path)
        cold.append(took)
    warm = sorted(_asked(path)[0] for _ in range(CALLS))
    same = {"If-None-Match": answer.headers["ETag"]}
    unchanged = [_asked(path, same, status=304) for _ in range(CALLS)]
    first, often, quick = min(cold), warm[math.ceil(CALLS * 0.95) - 1], statistics.median(one[0] for one in unchanged)
    name = f"Feed of {EVENTS:,} events through its view, {LEVELS[level]}"
    return [
        {
            "name": f"{name}, cold",
            "value": f"{first:.0f} ms",
            "ratio": first / (yardstick * 1000),
            "yardstick": f"icalendar alone {yardstick * 1000:.0f} ms",
            "goal": f"≤ {GOAL} ×",
            "ok": first <= GOAL * yardstick * 1000,
        },
        {
            "name": f"{name}, warm p95 (p50 {statistics.median(warm):.0f} ms)",
            "value": f"{often:.0f} ms; 304 in {quick:.0f} ms, {unchanged[-1][1]} SQL",
            "goal": f"≤ {WARM} ms",
            "ok": often <= WARM,
        },
    ]


def _asked(path: str, headers: dict | None = None, status: int = 200):
    """Return the milliseconds, the statements and the answer of one reading."""
    from django.db import connection
    from django.test import Client

    counted, client = _Counter(), Client()
    with connection.execute_wrapper(counted):
        begun = time.perf_counter()
        answer = client.get(path, headers=headers)
        took = (time.perf_counter() - begun) * 1000
    if answer.status_code != status or (status == 200 and answer.content.count(b"BEGIN:VEVENT") != EVENTS):
        raise RuntimeError(f"the feed answered {answer.status_code}")
    return took, counted.times, answer


class _Counter:
    times = 0

    def __call__(self, execute, sql, params, many, context):
        self.times += 1
        return execute(sql, params, many, context)


def _fill():
    """Return somebody who attends two thousand events of forty dossiers."""
    from agenda.models import Appointment, Participation
    from coordination.dossiers.models import Dossier
    from tests.bench import town

    reader = town.build(dossiers=0, circles=0).reader
    town.add_dossiers([reader], DOSSIERS, members=1)
    dossiers = list(Dossier.objects.filter(created_by=reader).values_list("pk", flat=True))
    first = timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    rows = [
        Appointment(
            dossier_id=dossiers[index % len(dossiers)], kind="intervention", status="booked", zone="Europe/Paris",
            starts_at=first + dt.timedelta(hours=2 * index), ends_at=first + dt.timedelta(hours=2 * index + 1),
            title="Passage du matin", place="Maison de santé, 3 rue des Lilas, Exempleville", service_type="passage",
            created_by=reader, organizer=reader,
        )
        for index in range(EVENTS)
    ]  # fmt: skip
    Appointment.objects.bulk_create(rows)
    Participation.objects.bulk_create(
        Participation(dossier_id=row.dossier_id, appointment=row, key=reader.pk, user=reader, status="accepted")
        for row in rows
    )
    return reader


def made(number: int) -> list[Line]:
    """Return events as the fullest level of detail tells them, a quarter of an hour apart."""
    first = dt.datetime(2026, 9, 1, 6, tzinfo=dt.UTC)
    changed = dt.datetime(2026, 8, 30, 12, tzinfo=dt.UTC)
    return [
        Line(
            uid=f"{index:08}-8b1f-7000-8000-0123456789ab@coordination.exemple",
            start=first + dt.timedelta(minutes=15 * index),
            end=first + dt.timedelta(minutes=15 * index + 45),
            zone="Europe/Paris",
            last_modified=changed,
            created=changed,
            sequence=index % 4,
            summary="Réunion de coordination, bureau 2",
            description="À l’ordre du jour : le retour à domicile ; le portage des repas.\nSalle réservée à midi.",
            location="Maison de santé, 3 rue des Lilas, Exempleville",
            url="https://coordination.exemple/agenda/",
            categories=("Coordination",),
        )
        for index in range(number)
    ]


def by_library(lines: list[Line]) -> bytes:
    """Return the same calendar as `icalendar` writes it."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Coordination//Bench//FR")
    calendar.add("version", "2.0")
    for line in lines:
        zone = ZoneInfo(line.zone)
        event = icalendar.Event()
        event.add("uid", line.uid)
        event.add("dtstart", line.start.astimezone(zone))
        event.add("dtend", line.end.astimezone(zone))
        event.add("dtstamp", line.last_modified)
        event.add("last-modified", line.last_modified)
        event.add("created", line.created)
        event.add("sequence", line.sequence)
        event.add("summary", line.summary)
        event.add("description", line.description)
        event.add("location", line.location)
        event.add("url", line.url)
        event.add("categories", list(line.categories))
        event.add("status", line.status.value)
        event.add("transp", "OPAQUE")
        event.add("class", line.confidentiality.value)
        calendar.add_component(event)
    calendar.add_missing_timezones()
    return calendar.to_ical()


def _seconds(work: Callable[[], bytes]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
