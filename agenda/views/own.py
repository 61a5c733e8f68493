"""« Agenda »: one’s own appointments across dossiers and structures, as a list or a week."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from agenda import own, waiting, week
from agenda.actions.schedules import shown_schedule
from agenda.models import Schedule
from agenda.views.days import asked_day
from agenda.zones import said
from coordination.common.addresses import address
from habilitations.traces import via_request

# How many days the list shows at once.
LISTED = 28
LEGEND = [
    (week.APPOINTMENT, "calendar3", "Rendez-vous"),
    (week.MEETING, "people", "Réunion"),
    (week.BUSY, "slash-circle", "Occupé, absent"),
    (week.PROPOSED, "clock", "Demandé ou proposé"),
]


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Four weeks from a day, day by day: the view of phones and screen readers."""
    schedule = shown_schedule(request.user)
    today = _today(schedule)
    first = asked_day(request) or today
    found = own.of(request.user, schedule, first, LISTED, via=via_request(request))
    context = _context(request, found, first, LISTED, "mon_agenda:list") | {
        "days": week.by_day(found.events),
        "last": first + dt.timedelta(days=LISTED - 1),
        "first": first,
        "today": today,
    }
    return render(request, "agenda/own_list.html", context)


@require_safe
def weekly(request: HttpRequest) -> HttpResponse:
    """The week of a day, from Monday."""
    schedule = shown_schedule(request.user)
    today = _today(schedule)
    monday = week.monday_of(asked_day(request) or today)
    found = own.of(request.user, schedule, monday, 7, names=True, via=via_request(request))
    context = _context(request, found, monday, 7, "mon_agenda:week") | {
        "week": week.lay_out(found.events, monday, today=today),
        "legend_of": LEGEND,
    }
    return render(request, "agenda/own_week.html", context)


def _context(request: HttpRequest, found: own.OwnAgenda, first: dt.date, days: int, name: str) -> dict:
    shift = dt.timedelta(days=days)
    return {
        "zone": said(found.schedule.zone),
        "open_days": found.open_days,
        "waiting": waiting.of(request.user),
        "previous_url": f"{address(name)}?jour={first - shift:%Y-%m-%d}",
        "next_url": f"{address(name)}?jour={first + shift:%Y-%m-%d}",
        "today_url": address(name),
    }


def _today(schedule: Schedule) -> dt.date:
    return timezone.localdate(timezone=ZoneInfo(schedule.zone))
