"""« Protection des données »: the officers, named and ended by administrators. None of them opens a dossier."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts import reauthentication
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from habilitations import actions
from habilitations.models import DataProtectionOfficer
from habilitations.traces import via_request
from habilitations.views import naming
from habilitations.views.board import for_administrators

# Former ones shown; the journal keeps them all.
FORMER = 20


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def officers(request: HttpRequest) -> HttpResponse:
    """Who is named, who was; POST looks for an account by its exact name or address, then names it."""
    user = naming.chosen(request)
    if user is not None:
        return _name(request, user)
    asked = naming.look_for(request) if request.method == "POST" else naming.Search()
    return asked.refusal or _page(request, asked)


def _name(request: HttpRequest, user) -> HttpResponse:
    reauthentication.require(request, "nommer un délégué à la protection des données")
    try:
        actions.name_officer(user, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{user.get_full_name()} cherche dans les journaux, sans ouvrir de dossier.")
    return redirect(request, "habilitations:officers")


@require_POST
@for_administrators
def end_officer(request: HttpRequest, officer_id: UUID) -> HttpResponse:
    """« Terminer »: the journals are closed to this person at the next request."""
    named = get_object_or_404(DataProtectionOfficer.objects.current().select_related("user"), pk=officer_id)
    actions.end_officer(named, by=request.user, via=via_request(request))
    messages.success(request, f"{named.user.get_full_name()} ne cherche plus dans les journaux.")
    return redirect(request, "habilitations:officers")


def _page(request: HttpRequest, asked: naming.Search) -> HttpResponse:
    rows = DataProtectionOfficer.objects.select_related("user", "named_by", "ended_by")
    context = {
        "current": list(rows.current().order_by("started_at")),
        "former": list(rows.exclude(ended_at=None).order_by("-ended_at")[:FORMER]),
        "asked": asked,
    }
    return render(request, "habilitations/officers.html", context)
