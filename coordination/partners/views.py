"""« Partenaires »: who they are, what waits for them, what was given up. For administrators.

An exchange is shown by its kind, its moments and its failure: neither the dossier nor the person (rule 10).
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.constraints import sentence_of
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.partners import actions, relaying
from coordination.partners.errors import PartnerChanged
from coordination.partners.forms import PartnerForm
from coordination.partners.models import WAITING_STATES, Partner, Relay, State
from habilitations.traces import via_request
from habilitations.views.board import for_administrators

PER_PAGE = 50
# The key under which what is being typed is kept; the secret never is.
DRAFT = "partenaire"
# What the page of exchanges shows: what waits and what failed, or everything.
TO_SEE, EVERYTHING = "a-voir", "tout"


@require_safe
@for_administrators
def partners(request: HttpRequest) -> HttpResponse:
    """The partners, with how many exchanges wait and failed, and what came of a trial. One SQL statement."""
    rows = list(Partner.objects.with_counts())
    context = {"rows": rows, "being_tried": any(row.is_being_tried for row in rows)}
    return render(request, "partners/list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def add(request: HttpRequest) -> HttpResponse:
    """« Ajouter un partenaire »."""
    return _form(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def edit(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """Change a partner; the second of two who do sees both texts."""
    return _form(request, get_object_or_404(Partner, pk=partner_id))


def _form(request: HttpRequest, partner: Partner | None) -> HttpResponse:
    # The form changes the row it is given: the one kept for the page stays as it is stored.
    instance = Partner.objects.get(pk=partner.pk) if partner else Partner()
    # A new partner has no name yet: the draft is the administrator's own.
    about: UUID = partner.pk if partner else request.user.pk  # type: ignore[assignment]
    kept = None if request.method == "POST" else drafts.load(request.user, DRAFT, about)
    sent, typed = request.POST if request.method == "POST" else None, drafts.initial(PartnerForm, kept)
    form = PartnerForm(sent, instance=instance, initial=typed)
    if form.is_bound and form.is_valid():
        # Where circles go: whoever sits down at an open session does not choose it (SEC-18).
        reauthentication.require(request, "régler un partenaire")
        saved = _saved(request, form, partner)
        if saved is not None:
            drafts.clear(request.user, DRAFT, about)
            messages.success(request, f"{saved.name} est à jour." if partner else f"{saved.name} est ajouté.")
            return redirect(request, "partners:list")
        # Somebody may have saved since this page began.
        partner = Partner.objects.get(pk=partner.pk) if partner else None
    context = {
        "form": form, "partner": partner, "here": request.path, **drafts.shown(DRAFT, about, kept),
    }  # fmt: skip
    said = both_texts(form, partner.version if partner else None, lambda: PartnerForm(instance=partner))
    return render(request, "partners/edit.html", context | said, status=status_of(form))


def _saved(request: HttpRequest, form: PartnerForm, partner: Partner | None) -> Partner | None:
    said: dict[str, Any] = form.said | {"by": request.user, "via": via_request(request)}
    try:
        with transaction.atomic():
            if partner:
                return actions.change_partner(partner, version=form.cleaned_data["version"] or 0, **said)
            return actions.add_partner(**said)
    except PartnerChanged as refusal:
        keep_conflict(form, refusal)
    except DomainError as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    except IntegrityError as broken:
        sentence = sentence_of(broken)
        if sentence is None:
            raise
        form.add_error(None, sentence)
    return None


@require_POST
@for_administrators
def attempt(request: HttpRequest, partner_id: UUID) -> HttpResponse:
    """« Essayer la connexion »: done apart; the list says what the partner is, or what keeps it from saying so."""
    actions.ask_trial(get_object_or_404(Partner, pk=partner_id), by=request.user, via=via_request(request))
    return redirect(request, "partners:list")


@require_safe
@for_administrators
def relays(request: HttpRequest) -> HttpResponse:
    """The queue: what waits and what was given up, the oldest first; or everything, the newest first."""
    view = EVERYTHING if request.GET.get("vue") == EVERYTHING else TO_SEE
    rows = Relay.objects.select_related("partner", "asked_by")
    if view == TO_SEE:
        rows = rows.filter(state__in=[*WAITING_STATES, State.ECHEC]).order_by("created_at", "pk")
    start = _number(request.GET.get("depuis", ""))
    found = list(rows[start : start + PER_PAGE + 1])
    shown = [_row(relay) for relay in found[:PER_PAGE]]
    following = f"{request.path}?vue={view}&depuis={start + PER_PAGE}" if len(found) > PER_PAGE else ""
    views = [
        {"label": label, "url": f"{request.path}?vue={key}", "current": key == view}
        for key, label in ((TO_SEE, "En attente et en échec"), (EVERYTHING, "Tout"))
    ]
    context = {"rows": shown, "views": views, "next_url": following, "everything": view == EVERYTHING}
    return render(request, "partners/relays.html", context)


def _row(relay: Relay) -> dict[str, Any]:
    return {"relay": relay, "label": relaying.label_of(relay.kind), "failed": relay.state == State.ECHEC}


def _number(said: str) -> int:
    return int(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0


@require_POST
@for_administrators
def retry(request: HttpRequest, relay_id: UUID) -> HttpResponse:
    """« Reprendre »: what leaves was allowed when it was asked, and is asked again when it is made."""
    try:
        actions.retry_relay(get_object_or_404(Relay, pk=relay_id), by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "L’échange est remis en file.")
    return redirect(request, "partners:relays")


@require_POST
@for_administrators
def cancel(request: HttpRequest, relay_id: UUID) -> HttpResponse:
    """« Annuler »: closes, so nobody is asked again who he is."""
    if actions.cancel_relay(get_object_or_404(Relay, pk=relay_id), by=request.user, via=via_request(request)):
        messages.success(request, "L’échange est annulé.")
    return redirect(request, "partners:relays")
