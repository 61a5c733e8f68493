"""« Réglages » of one's own agenda."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from agenda.actions import schedules as actions
from agenda.forms.settings import SettingsForm
from agenda.models import Feed, OwnCalendar, ServiceType
from agenda.views.calendars import found_in
from agenda.views.own_pages import attempt, form_page, kept_draft
from coordination.accounts import drafts
from coordination.common.htmx import redirect
from habilitations.traces import via_request

DRAFT, BOXES = "agenda-reglages", ("mails_invitations",)


@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest) -> HttpResponse:
    """The clock, how long each kind of appointment lasts, and the calendars around. Six SQL statements at most."""
    user, schedule = request.user, actions.shown_schedule(request.user)
    offered = dict(ServiceType.objects.filter(schedule=schedule.pk).values_list("code", "minutes"))
    kept = kept_draft(request, DRAFT, user.pk, boxes=BOXES)
    data = request.POST if request.method == "POST" else None
    form = SettingsForm(data, schedule=schedule, offered=offered, initial=kept)
    if form.is_bound and form.is_valid():
        done, _ = attempt(
            form, actions.change_settings, actions.schedule_of(user), by=user, zone=form.cleaned_data["zone"],
            minutes=form.minutes(), mails_invitations=form.cleaned_data["mails_invitations"],
            version=form.cleaned_data["version"] or 0, via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, user.pk)
            messages.success(request, "Vos réglages sont enregistrés.")
            return redirect(request, "mon_agenda:settings")
    calendars = OwnCalendar.objects.filter(schedule=schedule.pk)
    return form_page(
        request, "agenda/settings.html", form, DRAFT, user.pk, found=bool(kept),
        version=schedule.version, stored=lambda: SettingsForm(schedule=schedule, offered=offered),
        feed=Feed.objects.filter(user=user).first(), calendars=[(row, found_in(row)) for row in calendars],
    )  # fmt: skip
