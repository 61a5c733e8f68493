"""The state of a dossier: en évaluation, actif, en pause, clôturé."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from coordination.accounts import drafts
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers import actions, closing
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.forms import StatusForm
from coordination.dossiers.history import status_changes
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import strip_and_nav
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action, Rubrique

DRAFT = "dossier-statut"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.IDENTITE)
def status(request: HttpRequest, entry) -> HttpResponse:
    """Reading is enough to come: in a read-only dossier the right to reopen is asked by the act itself."""
    if request.method != "POST":
        # With the state its author had read: a change made since is then said, not overwritten.
        kept = drafts.load(request.user, DRAFT, entry.dossier.pk)
        now = {"status": entry.dossier.status, "seen": entry.dossier.status}
        initial = now | drafts.initial(StatusForm, kept)
        return _page(request, entry, StatusForm(initial=initial), draft_found=bool(kept))
    form = StatusForm(request.POST)
    if not form.is_valid():
        return _page(request, entry, form, 422)
    said = form.cleaned_data
    try:
        actions.change_status(
            entry.dossier,
            by=request.user,
            access=entry.access,
            status=said["status"],
            reason=said["closing_reason"],
            note=said["note"],
            care_over=said["care_over"],
            seen=said["seen"],
            via=entry.via,
        )
    except NotAllowed:
        raise
    except ChangedMeanwhile as conflict:
        entry.dossier.refresh_from_db()
        form.data = form.data.copy()
        form.data["seen"] = entry.dossier.status
        form.refuse(conflict)
        return _page(request, entry, form, 409)
    except DomainError as error:
        form.refuse(error)
        return _page(request, entry, form, 422)
    drafts.clear(request.user, DRAFT, entry.dossier.pk)
    messages.success(request, "Le statut du dossier est enregistré.")
    # Opened again, the page of the state says who waits for a new consent.
    reopened = entry.dossier.status == Dossier.Status.CLOS != said["status"]
    return redirect(request, "dossiers:status" if reopened else "dossiers:home", entry.dossier.pk)


def _page(request: HttpRequest, entry, form: StatusForm, code: int = 200, *, draft_found=False) -> HttpResponse:
    may_freeze = entry.access.may(Action.CLOSE_DOSSIER)
    context = strip_and_nav(entry, "") | {
        "form": form,
        "changes": status_changes(entry.dossier),
        "may_freeze": may_freeze,
        "care": closing.effect_of(entry),
        "is_closed": entry.dossier.status == Dossier.Status.CLOS,
        "draft_url": reverse("accounts:draft", args=[DRAFT, entry.dossier.pk]),
        "draft_found": draft_found,
        "may_change": may_freeze or entry.access.can_write(Rubrique.IDENTITE),
    }
    return render(request, "dossiers/status.html", context, status=code)
