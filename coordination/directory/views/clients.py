"""« Logiciels connectés » of « Administration »: the software of structures that calls the API (SEC-24).

The secret is shown once, by the page that answers the act: it stands in no address, no session and no table.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.errors import DomainError
from coordination.common.htmx import is_fragment, redirect, vary_on_htmx
from coordination.directory.models import Structure
from coordination.directory.search import options, search
from habilitations import actions, scopes
from habilitations.client_errors import ScopesMoved
from habilitations.client_forms import ClientForm, ScopesForm
from habilitations.models import SoftwareClient
from habilitations.traces import via_request
from habilitations.views.board import for_administrators

SHOWN = 8
# Former ones shown; the journal keeps them all.
FORMER = 20
DRAFT = "logiciel"


@require_safe
@for_administrators
def clients(request: HttpRequest) -> HttpResponse:
    """Which software is connected, for which structure, what it may ask, when it last called."""
    rows = SoftwareClient.objects.select_related("structure").order_by("structure__name", "name", "pk")
    former = rows.exclude(revoked_at=None).order_by("-revoked_at")[:FORMER]
    context = {"rows": list(rows.connected()), "former": list(former), "in_words": scopes.in_words}
    return render(request, "directory/clients.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def choose(request: HttpRequest) -> HttpResponse:
    """Search the directory for the structure of the software. Connects nothing."""
    typed = request.POST.get("q", "").replace("\0", "").strip()[:200]
    groups, status = _found(typed) if typed else ([], "")
    context = {"groups": groups, "status": status, "typed": typed, "here": request.path}
    template = "directory/_results.html" if is_fragment(request) else "directory/choose_client_structure.html"
    return vary_on_htmx(render(request, template, context))


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def connect(request: HttpRequest, structure_id: UUID) -> HttpResponse:
    """Name the software and what it may ask; the answer shows its secret, once."""
    structure = get_object_or_404(Structure.objects.active(), pk=structure_id)
    kept = None if request.method == "POST" else drafts.load(request.user, DRAFT, structure.pk)
    initial = drafts.initial(ClientForm, kept)
    form = ClientForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        reauthentication.require(request, "connecter un logiciel")
        said = {"name": form.cleaned_data["name"], "contact": form.cleaned_data["contact"], "scopes": form.scopes()}
        try:
            client, secret = actions.register_client(structure, by=request.user, via=via_request(request), **said)
        except DomainError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            drafts.clear(request.user, DRAFT, structure.pk)
            return _shown_once(request, client, secret)
    context = {
        "form": form, "structure": structure, **drafts.shown(DRAFT, structure.pk, kept),
    }  # fmt: skip
    return render(request, "directory/client_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def client(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """One software: what it is, what it may ask; POST changes that."""
    found = _client(client_id)
    form = ScopesForm(request.POST if request.method == "POST" else None, initial=_stored(found))
    if form.is_bound and form.is_valid():
        reauthentication.require(request, "changer ce qu’un logiciel peut demander")
        said = {"scopes": form.scopes(), "seen": form.cleaned_data["seen"]}
        try:
            actions.change_scopes(found, by=request.user, via=via_request(request), **said)
        except ScopesMoved as refusal:
            keep_conflict(form, refusal)
            # Somebody may have saved since this page began.
            found = _client(client_id)
        except DomainError as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "C’est enregistré : le logiciel demande un nouveau jeton à son prochain appel.")
            return redirect(request, "administration:client", found.pk)
    context = {"client": found, "form": form, "said": scopes.in_words(found.scopes)}
    context |= both_texts(
        form, scopes.digest_of(found.scopes), lambda: ScopesForm(initial=_stored(found)), said_in="seen"
    )
    return render(request, "directory/client.html", context, status=status_of(form))


@require_POST
@for_administrators
def renew_secret(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """« Changer le secret »: the former one stops; the answer shows the new one, once."""
    reauthentication.require(request, "changer le secret d’un logiciel")
    found = _client(client_id)
    try:
        secret = actions.renew_secret(found, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, str(refusal))
        return redirect(request, "administration:client", found.pk)
    return _shown_once(request, found, secret)


@require_http_methods(["GET", "HEAD", "POST"])
@for_administrators
def revoke(request: HttpRequest, client_id: UUID) -> HttpResponse:
    """« Déconnecter »: asked first. It closes, so nobody is asked again who he is."""
    found = _client(client_id)
    if request.method == "POST":
        actions.revoke_client(found, by=request.user, via=via_request(request))
        messages.success(request, f"{found.name} n’appelle plus.")
        return redirect(request, "administration:clients")
    if found.revoked_at:
        return redirect(request, "administration:client", found.pk)
    return render(request, "directory/revoke_client.html", {"client": found})


def _shown_once(request: HttpRequest, found: SoftwareClient, secret: str) -> HttpResponse:
    address = request.build_absolute_uri(reverse("api_token"))
    return render(request, "directory/client_secret.html", {"client": found, "secret": secret, "address": address})


def _client(client_id: UUID) -> SoftwareClient:
    rows = SoftwareClient.objects.select_related("structure", "created_by", "revoked_by")
    return get_object_or_404(rows, pk=client_id)


def _stored(found: SoftwareClient) -> dict[str, Any]:
    return {"allowed": _boxes(found), "seen": scopes.digest_of(found.scopes)}


def _boxes(found: SoftwareClient) -> list[str]:
    held = [parsed for scope in found.scopes if (parsed := scopes.parse(scope))]
    return [f"{name}.{kind}" for _, name, letters in held for kind in scopes.KINDS if set(kind) <= letters]


def _found(typed: str) -> tuple[list[dict], str]:
    found = search(typed, limit=SHOWN, kinds=("structure",))
    shown = [options.of_structure(result, _choice) for result in found.structures.results if not result.ceased]
    if not shown:
        return [], "Aucun résultat."
    group = {"id": "groupe-structures", "label": "Annuaire des structures", "options": shown}
    return [group], options.sentence(found)


def _choice(result: Any) -> options.Option:
    return {"href": reverse("administration:connect_client", args=[result.id]), "action_label": "Choisir"}
