"""« Absences » of one's own agenda: when one may not be asked."""

from __future__ import annotations

import datetime as dt
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agenda.actions import openings as actions
from agenda.actions.schedules import schedule_of, shown_schedule
from agenda.errors import NotInYourAgenda
from agenda.forms.ranges import AbsenceForm
from agenda.models import Absence
from agenda.rule_formats import rule_from_text
from agenda.views.own_pages import attempt, form_page, kept_draft
from agenda.wording import said_rule
from agenda.zones import said, wall, wall_text
from coordination.accounts import drafts
from coordination.common.french import date_fr, long_date, plural
from coordination.common.htmx import redirect
from habilitations.traces import via_request

DRAFT = "agenda-absence"
LISTS, BOXES = ("weekdays",), ("all_day",)


@require_safe
def absences(request: HttpRequest) -> HttpResponse:
    """Those to come, and those that repeat. Two SQL statements."""
    schedule = shown_schedule(request.user)
    now = wall_text(timezone.localtime(timezone=ZoneInfo(schedule.zone)))
    rows = Absence.objects.filter(schedule=schedule.pk).exclude(rule="", ends__lt=now).order_by("starts", "pk")
    context = {"lines": [_line(row) for row in rows], "zone": said(schedule.zone)}
    return render(request, "agenda/absences.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """« Ajouter une absence »."""
    user = request.user
    kept = kept_draft(request, DRAFT, user.pk, LISTS, BOXES)
    form = AbsenceForm(request.POST if request.method == "POST" else None, initial=kept)
    if form.is_bound and form.is_valid():
        done, given = attempt(
            form, actions.add_absence, schedule_of(user), by=user, when=form.when(), via=via_request(request),
            **_said(form),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, user.pk)
            messages.success(request, "L’absence est ajoutée." + _under(given[1]))
            return redirect(request, "mon_agenda:absences")
    return form_page(request, "agenda/absence_form.html", form, DRAFT, user.pk, found=bool(kept), absence=None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, absence_id: UUID) -> HttpResponse:
    """Change an absence, or withdraw it."""
    user, schedule = request.user, shown_schedule(request.user)
    absence = Absence.objects.filter(schedule=schedule.pk, pk=absence_id).first()
    if absence is None:
        raise Http404
    kept = kept_draft(request, DRAFT, absence.pk, LISTS, BOXES)
    form = AbsenceForm(request.POST if request.method == "POST" else None, row=absence, initial=kept)
    if form.is_bound and form.is_valid():
        done, under = attempt(
            form, actions.change_absence, schedule, absence.pk, by=user, version=form.cleaned_data["version"] or 0,
            when=form.when(), via=via_request(request), **_said(form),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, absence.pk)
            messages.success(request, "L’absence est mise à jour." + _under(under))
            return redirect(request, "mon_agenda:absences")
    return form_page(
        request, "agenda/absence_form.html", form, DRAFT, absence.pk, found=bool(kept), absence=absence,
        version=absence.version, stored=lambda: AbsenceForm(row=absence),
    )  # fmt: skip


@require_POST
def remove(request: HttpRequest, absence_id: UUID) -> HttpResponse:
    """Withdraw an absence: its time is given back."""
    try:
        actions.remove_absence(shown_schedule(request.user), absence_id, by=request.user, via=via_request(request))
    except NotInYourAgenda:
        raise Http404 from None
    drafts.clear(request.user, DRAFT, absence_id)
    messages.success(request, "L’absence est retirée.")
    return redirect(request, "mon_agenda:absences")


def _said(form: AbsenceForm) -> dict:
    return {"label": form.cleaned_data["label"], "all_day": form.cleaned_data["all_day"]}


def _under(count: int) -> str:
    """Say what stays booked under an absence (agenda.md, GAP-38)."""
    if not count:
        return ""
    stays = "reste prévu" if count == 1 else "restent prévus"
    return f" {plural(count, 'rendez-vous', 'rendez-vous')} {stays} pendant ce temps : prévenez ou déplacez."


def _line(row: Absence) -> dict:
    starts, ends = wall(row.starts), wall(row.ends)
    last = (ends - dt.timedelta(days=1) if row.all_day else ends).date()
    days = long_date(starts.date()).capitalize()
    if last != starts.date():
        days = f"Du {date_fr(starts.date())} au {date_fr(last)}"
    elif row.rule:
        days = said_rule(rule_from_text(row.rule), starts)
    hours = "toute la journée" if row.all_day else f"de {starts:%H:%M} à\u00a0{ends:%H:%M}"
    return {"pk": row.pk, "title": f"{days}, {hours}", "label": row.label, "repeats": _repeats(row, last, starts)}


def _repeats(row: Absence, last: dt.date, starts: dt.datetime) -> str:
    """Return how several days in a row repeat: the title says it of a single one."""
    if row.rule and last != starts.date():
        return said_rule(rule_from_text(row.rule), starts)
    return f"Depuis le {date_fr(starts.date())}" if row.rule else ""
