"""The week of a person with 500 events, beside a view that draws the same rows and page without rights."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from zoneinfo import ZoneInfo

from django.utils import timezone

from tests.bench import servers

EVENTS, TURNS, RATIO, MOST = 500, 25, 3, 12
PARIS = ZoneInfo("Europe/Paris")


def run(full: bool) -> list[dict]:
    """Return the figures: {name, value, ratio, yardstick, goal, ok}."""
    with servers.database(_fill) as entry:
        whole, bare, asked = _measure(entry, TURNS * (3 if full else 1))
    return [
        {
            "name": f"Week of {EVENTS} events",
            "value": f"{whole:.0f} ms, {asked} SQL",
            "ratio": whole / bare,
            "yardstick": f"same rows, same template, no rights {bare:.0f} ms",
            "goal": f"≤ {RATIO} ×, ≤ {MOST} SQL",
            "ok": whole <= RATIO * bare and asked <= MOST,
        }
    ]


def _monday() -> dt.date:
    today = timezone.localdate()
    return today + dt.timedelta(days=7 - today.weekday())


def _fill():
    """Return the entry of a coordinator: in the week to come, five hundred events of a circle of ten."""
    from agenda.models import Appointment, Participation
    from tests.bench import town
    from tests.circle import factories as make

    entry = make.open_circle(town.build(dossiers=0, circles=0).reader)
    members = [make.add(entry, make.account().attachment.professional, wanted="oui") for _ in range(10)]
    start = dt.datetime.combine(_monday(), dt.time(7), PARIS)
    events = Appointment.objects.bulk_create(
        Appointment(
            dossier=entry.dossier, kind=("rendez_vous", "intervention", "reunion")[number % 3], status="booked",
            zone="Europe/Paris", title=f"Passage {number}", place="Domicile", created_by=entry.user,
            organizer=entry.user, starts_at=start + dt.timedelta(minutes=18 * number),
            ends_at=start + dt.timedelta(minutes=18 * number + 30),
        )
        for number in range(EVENTS)
    )  # fmt: skip
    Participation.objects.bulk_create(
        Participation(
            dossier=entry.dossier, appointment=event, key=member.professional_id, member=member,
            user=member.habilitation.user, status="accepted",
        )
        for number, event in enumerate(events)
        for member in (members[number % 10], members[(number + 3) % 10])
    )  # fmt: skip
    return entry


def _measure(entry, turns: int) -> tuple[float, float, int]:
    """Return the milliseconds of the page and of its yardstick, taken in turn, and the statements of the page."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client()
    client.force_login(entry.user)
    path = f"/dossiers/{entry.dossier.pk}/agenda/semaine/?jour={_monday():%Y-%m-%d}"
    bare = _bare_view(entry)

    def page():
        answer = client.get(path)
        if answer.status_code != 200 or answer.content.count(b"Passage ") < EVENTS:
            raise RuntimeError("the week does not show its events")

    took: dict[str, list[float]] = {"page": [], "bare": []}
    for turn in range(turns + 2):
        for name, act in (("page", page), ("bare", bare))[:: 1 if turn % 2 else -1]:
            begun = time.perf_counter()
            act()
            if turn >= 2:
                took[name].append((time.perf_counter() - begun) * 1000)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return statistics.median(took["page"]), statistics.median(took["bare"]), len(captured)


def _bare_view(entry):
    """Return a function that asks the same rows by their dossier and days alone, and draws the same template."""
    from django.contrib.messages.storage.fallback import FallbackStorage
    from django.test import RequestFactory

    from agenda import events, week
    from agenda.models import Appointment
    from agenda.views.pages import page
    from circle.models import Member

    request = RequestFactory().get("/")
    request.user, request.session = entry.user, {}
    request._messages = FallbackStorage(request)
    monday = _monday()
    start = dt.datetime.combine(monday, dt.time(), PARIS)
    names = {row.pk: row.display_name for row in Member.objects.with_names().filter(dossier=entry.dossier)}

    def view():
        found = Appointment.objects.filter(dossier_id=entry.dossier.pk).between(start, start + dt.timedelta(days=7))
        rows = list(events.with_people(entry, found.order_by("starts_at", "id")))
        known = {one.pk: names[one.member_id] for row in rows for one in row.participations.all()}
        drawn = [events.event_of(entry, row, known) for row in rows]
        context = {
            "week": week.lay_out(drawn, monday, today=timezone.localdate()), "previous_url": "/", "next_url": "/",
            "today_url": "/", "looks": events.LEGEND, "tabs": [], "zone": "", "today": timezone.localdate(),
            "consent": None,
        }  # fmt: skip
        drawn_page = page(request, entry, "agenda/week.html", context).content
        if b"Passage" not in drawn_page or len(rows) < EVENTS:
            raise RuntimeError(f"the yardstick shows {len(rows)} events")

    return view
