"""« Mes autres calendriers »: those whose busy times count here, read again by themselves and when one asks."""

from __future__ import annotations

from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from agenda.actions import own_calendars as actions
from agenda.actions.schedules import schedule_of, shown_schedule
from agenda.calendar_errors import AnotherIsRead
from agenda.errors import NotInYourAgenda
from agenda.forms.calendars import OwnCalendarForm
from agenda.models import OwnCalendar
from agenda.views.own_pages import attempt, form_page, kept_draft
from coordination.accounts import drafts
from coordination.common.french import plural
from coordination.common.htmx import redirect
from habilitations.traces import via_request

DRAFT = "agenda-calendrier"
RATE = "own_calendars"


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """« Ajouter un calendrier »: it is read at once, and kept only if it reads."""
    user = request.user
    kept = kept_draft(request, DRAFT, user.pk)
    form = OwnCalendarForm(request.POST if request.method == "POST" else None, initial=kept)
    if form.is_bound and form.is_valid():
        if too_many := ratelimit.consume_or_429(request, action=RATE, user=user):
            return too_many
        done, made = attempt(
            form, actions.add_calendar, schedule_of(user), form.said(), by=user, via=via_request(request)
        )
        if done:
            drafts.clear(user, DRAFT, user.pk)
            messages.success(request, f"Le calendrier est ajouté{_told(made)}")
            return redirect(request, "mon_agenda:settings")
    return form_page(request, "agenda/calendar_form.html", form, DRAFT, user.pk, found=bool(kept), calendar=None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Change a calendar, or mend it; it is read at once, and changed only if it reads."""
    user, schedule = request.user, shown_schedule(request.user)
    row = _found(schedule, calendar_id)
    kept = kept_draft(request, DRAFT, row.pk)
    form = OwnCalendarForm(request.POST if request.method == "POST" else None, row=row, initial=kept)
    if form.is_bound and form.is_valid():
        if too_many := ratelimit.consume_or_429(request, action=RATE, user=user):
            return too_many
        done, made = attempt(
            form, actions.change_calendar, schedule, row.pk, form.said(), by=user,
            version=form.cleaned_data["version"] or 0, via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, row.pk)
            messages.success(request, f"Le calendrier est mis à jour{_told(made)}")
            return redirect(request, "mon_agenda:settings")
        # Another session may have saved since this page began.
        row = OwnCalendar.objects.filter(pk=row.pk).first() or row
    return form_page(
        request, "agenda/calendar_form.html", form, DRAFT, row.pk, found=bool(kept), calendar=row,
        version=row.generation, stored=lambda: _stored(row, form),
    )  # fmt: skip


@require_POST
def refresh(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """« Relire maintenant »."""
    row = _found(shown_schedule(request.user), calendar_id)
    if too_many := ratelimit.consume_or_429(request, action=RATE, user=request.user):
        return too_many
    try:
        read = actions.refresh_while_waited_for(row.pk)
    except AnotherIsRead as refusal:
        messages.error(request, str(refusal))
        return redirect(request, "mon_agenda:settings")
    if read is None:
        raise Http404
    if read.last_error:
        messages.error(request, f"{row.name} n’a pas pu être relu. {read.last_error}")
    else:
        messages.success(request, f"{row.name} est relu : {found_in(read)}.")
    return redirect(request, "mon_agenda:settings")


@require_POST
def remove(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Forget a calendar: its times are given back."""
    try:
        actions.remove_calendar(shown_schedule(request.user), calendar_id, by=request.user, via=via_request(request))
    except NotInYourAgenda:
        raise Http404 from None
    drafts.clear(request.user, DRAFT, calendar_id)
    messages.success(request, "Le calendrier est retiré.")
    return redirect(request, "mon_agenda:settings")


def _stored(row: OwnCalendar, form: OwnCalendarForm) -> OwnCalendarForm:
    """Return the form of what is stored; beside an address that is typed, the site of the one that is, a secret."""
    return OwnCalendarForm(row=row, initial={"address": row.host} if form.data.get("address") else None)


def _told(row: OwnCalendar) -> str:
    """Return the end of the sentence: what was read, or that it is read apart."""
    return f". {row.last_error}" if row.last_error else f" : {found_in(row)}."


def found_in(row: OwnCalendar) -> str:
    """Say what a calendar holds: « 12 temps occupés, 1 événement n’a pas pu être lu »."""
    if row.last_ok_at is None:
        return "pas encore lu"
    said = plural(row.spans, "temps occupé", "temps occupés") if row.spans else "aucun temps occupé à venir"
    if row.unread:
        lost = plural(row.unread, "événement")
        said += f", {lost} {'n’ont' if row.unread > 1 else 'n’a'} pas pu être {'lus' if row.unread > 1 else 'lu'}"
    return said


def _found(schedule, pk: UUID) -> OwnCalendar:
    row = OwnCalendar.objects.filter(schedule=schedule.pk, pk=pk).first()
    if row is None:
        raise Http404
    return row
