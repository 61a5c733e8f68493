"""« Agenda » of a person, as a list and a week: every event, whoever entered it, as the reader may see it (AGD-1)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from agenda import events, week, zones
from agenda.models import Appointment
from agenda.views.days import asked_day
from agenda.views.pages import page, url_of
from coordination.common.addresses import address
from coordination.common.pagination import paginate
from coordination.dossiers.door import rubric_view
from habilitations.rubriques import Rubrique

PER_PAGE = 25
STATUS = Appointment.Status


@require_safe
@rubric_view(Rubrique.AGENDA)
def listed(request: HttpRequest, entry) -> HttpResponse:
    """What comes, the next first; what is past, the last first, on demand."""
    past = request.GET.get("passes") == "1"
    now = timezone.now()
    found = Appointment.objects.visible_to(entry).exclude(status=STATUS.ERROR)
    if past:
        found = found.filter(ends_at__lte=now).order_by("-starts_at", "-id")
    else:
        found = found.filter(ends_at__gt=now).order_by("starts_at", "id")
    shown = paginate(events.with_people(entry, found), request.GET.get("page"), per_page=PER_PAGE)
    drawn = events.shown(entry, shown)
    days = week.by_day(drawn)
    context = {
        "days": list(reversed(days)) if past else days,
        "past": past,
        "shown": shown,
        "here": url_of(entry.dossier.pk) + ("?passes=1&page=" if past else "?page="),
        "doubles": [] if past else events.doubles(entry, shown.items, drawn),
        **_around(entry, "liste"),
    }
    return page(request, entry, "agenda/list.html", context)


@require_safe
@rubric_view(Rubrique.AGENDA)
def weekly(request: HttpRequest, entry) -> HttpResponse:
    """The week of a day, from Monday; what was cancelled is in the list."""
    monday = week.monday_of(asked_day(request) or timezone.localdate())
    zone = ZoneInfo(settings.TIME_ZONE)
    start = dt.datetime.combine(monday, dt.time(), zone)
    end = dt.datetime.combine(monday + dt.timedelta(days=7), dt.time(), zone)
    # A day more on either side: each event is drawn on the clock of its place, where it may be Sunday still.
    a_day = dt.timedelta(days=1)
    found = Appointment.objects.visible_to(entry).between(start - a_day, end + a_day)
    found = found.exclude(status__in=[STATUS.ERROR, STATUS.CANCELLED]).order_by("starts_at", "id")
    drawn = events.shown(entry, events.with_people(entry, found))
    here = address("agenda:week", entry.dossier.pk)
    shift = dt.timedelta(days=7)
    context = {
        "week": week.lay_out(drawn, monday, today=timezone.localdate()),
        "previous_url": f"{here}?jour={monday - shift:%Y-%m-%d}",
        "next_url": f"{here}?jour={monday + shift:%Y-%m-%d}",
        "today_url": here,
        "looks": events.LEGEND,
        **_around(entry, "semaine"),
    }
    return page(request, entry, "agenda/week.html", context)


def _around(entry, tab: str) -> dict:
    pk = entry.dossier.pk
    return {
        "tabs": [
            {"label": "Liste", "url": url_of(pk), "current": tab == "liste"},
            {"label": "Semaine", "url": address("agenda:week", pk), "current": tab == "semaine"},
        ],
        "zone": zones.said(settings.TIME_ZONE),
        "today": timezone.localdate(),
        "consent": events.consent_of(entry),
    }
