"""« Ouvertures » of one's own agenda: when one may be asked."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agenda.actions import openings as actions
from agenda.actions.schedules import schedule_of, shown_schedule
from agenda.errors import NotInYourAgenda
from agenda.forms.ranges import OpeningForm
from agenda.models import Opening, Schedule, ServiceType
from agenda.rule_formats import rule_from_text
from agenda.service_types import label_of
from agenda.views.own_pages import attempt, form_page, kept_draft
from agenda.wording import said_rule
from agenda.zones import said, wall
from coordination.accounts import drafts
from coordination.common.french import long_date, plural
from coordination.common.htmx import redirect
from coordination.directory.models import Structure
from habilitations.traces import via_request

DRAFT = "agenda-ouverture"
LISTS = ("weekdays", "service_codes")


@require_safe
def openings(request: HttpRequest) -> HttpResponse:
    """Every opening, the next to begin first. Two SQL statements."""
    schedule = shown_schedule(request.user)
    rows = Opening.objects.filter(schedule=schedule.pk).select_related("structure").order_by("starts", "pk")
    context = {"lines": [_line(row) for row in rows], "zone": said(schedule.zone)}
    return render(request, "agenda/openings.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """« Ajouter une plage d’ouverture »."""
    user = request.user
    kept = kept_draft(request, DRAFT, user.pk, LISTS)
    form = _form(request, shown_schedule(user), initial=kept)
    if form.is_bound and form.is_valid():
        done, _ = attempt(
            form, actions.add_opening, schedule_of(user), by=user, when=form.when(), said=form.said(),
            via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, user.pk)
            messages.success(request, "La plage d’ouverture est ajoutée.")
            return redirect(request, "mon_agenda:openings")
    return form_page(request, "agenda/opening_form.html", form, DRAFT, user.pk, found=bool(kept), opening=None)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, opening_id: UUID) -> HttpResponse:
    """Change an opening, or withdraw it."""
    user, schedule = request.user, shown_schedule(request.user)
    opening = Opening.objects.filter(schedule=schedule.pk, pk=opening_id).first()
    if opening is None:
        raise Http404
    kept = kept_draft(request, DRAFT, opening.pk, LISTS)
    form = _form(request, schedule, row=opening, initial=kept)
    if form.is_bound and form.is_valid():
        done, left = attempt(
            form, actions.change_opening, schedule, opening.pk, by=user, version=form.cleaned_data["version"] or 0,
            when=form.when(), said=form.said(), via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, opening.pk)
            messages.success(request, "La plage d’ouverture est mise à jour." + _left(left))
            return redirect(request, "mon_agenda:openings")
    return form_page(
        request, "agenda/opening_form.html", form, DRAFT, opening.pk, found=bool(kept), opening=opening,
        version=opening.version, stored=lambda: _form(request, schedule, row=opening, is_sent=False),
    )  # fmt: skip


@require_POST
def remove(request: HttpRequest, opening_id: UUID) -> HttpResponse:
    """Withdraw an opening: what is booked stays."""
    try:
        left = actions.remove_opening(
            shown_schedule(request.user), opening_id, by=request.user, via=via_request(request)
        )
    except NotInYourAgenda:
        raise Http404 from None
    drafts.clear(request.user, DRAFT, opening_id)
    messages.success(request, "La plage d’ouverture est retirée." + _left(left))
    return redirect(request, "mon_agenda:openings")


def _form(request: HttpRequest, schedule: Schedule, *, is_sent: bool = True, **options) -> OpeningForm:
    codes = ServiceType.objects.filter(schedule=schedule.pk).order_by("code").values_list("code", flat=True)
    data = request.POST if is_sent and request.method == "POST" else None
    return OpeningForm(data, structures=_structures(request.user), codes=list(codes), **options)


def _structures(user):
    """Return where this person works: that of the account, those of the professional of the directory."""
    of_account = Q(attachments__user=user)
    of_listed = Q(activities__professional__attachment__user=user)
    found = Structure.objects.filter(of_account | of_listed).values("pk")
    return Structure.objects.filter(pk__in=found).order_by("name", "pk")


def _left(count: int) -> str:
    """Say what stays booked outside every opening (agenda.md, GAP-40)."""
    if not count:
        return ""
    stays = "reste prévu" if count == 1 else "restent prévus"
    return f" {plural(count, 'rendez-vous', 'rendez-vous')} {stays} en dehors de vos ouvertures."


def _line(row: Opening) -> dict:
    starts, ends = wall(row.starts), wall(row.ends)
    when = said_rule(rule_from_text(row.rule), starts) if row.rule else long_date(starts.date()).capitalize()
    where = [row.get_modality_display(), row.structure.name if row.structure else "", row.place]
    return {
        "pk": row.pk,
        "title": f"{when}, de {starts:%H:%M} à\u00a0{ends:%H:%M}",
        "since": starts.date() if row.rule else None,
        "where": ", ".join(filter(None, where)),
        "services": ", ".join(label_of(code) or code for code in row.service_codes),
    }
