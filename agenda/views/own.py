"""« Agenda »: one’s own appointments across dossiers and structures, as a list or a week."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from agenda import own, waiting, week
from agenda.zones import said
from coordination.common.addresses import address
from habilitations.traces import via_request

# How many days the list shows at once.
LISTED = 28
# Further, nothing is known of what repeats; nor does a form go there.
FURTHEST = dt.timedelta(days=3660)
LEGEND = [
    (week.APPOINTMENT, "calendar3", "Rendez-vous"),
    (week.MEETING, "people", "Réunion"),
    (week.BUSY, "slash-circle", "Occupé, absent"),
    (week.PROPOSED, "clock", "Demandé ou proposé"),
]


@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """Four weeks from a day, day by day: the view of phones and screen readers."""
    first = _asked_day(request) or timezone.localdate()
    found = own.of(request.user, first, LISTED, via=via_request(request))
    today = _today(found)
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
    monday = week.monday_of(_asked_day(request) or timezone.localdate())
    found = own.of(request.user, monday, 7, names=True, via=via_request(request))
    context = _context(request, found, monday, 7, "mon_agenda:week") | {
        "week": week.lay_out(found.events, monday, today=_today(found)),
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


def _today(found: own.OwnAgenda) -> dt.date:
    return timezone.localdate(timezone=ZoneInfo(found.schedule.zone))


def _asked_day(request: HttpRequest) -> dt.date | None:
    """Return the day of the address, None for one that is none or too far."""
    try:
        day = parse_date(request.GET.get("jour", ""))
    except ValueError:
        return None
    return day if day and abs(day - timezone.localdate()) < FURTHEST else None
