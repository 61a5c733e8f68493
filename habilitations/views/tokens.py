"""« Mes jetons d’accès »: what a person's own programs call the API with. The secret is shown once, by the answer."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from habilitations import actions, scopes
from habilitations.client_forms import TokenForm
from habilitations.models import PersonalToken
from habilitations.traces import via_request

DRAFT = "jeton"
# Those ended lately, for who wonders why a program stopped.
ENDED = 10


@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own tokens: what each permits, until when, when it last served. Two SQL statements."""
    mine = PersonalToken.objects.filter(user=request.user)
    standing = list(mine.alive().order_by("-created_at", "-pk"))
    ended = list(mine.exclude(pk__in=[row.pk for row in standing]).order_by("-created_at", "-pk")[:ENDED])
    context = {"standing": standing, "ended": ended, "in_words": scopes.in_words}
    return render(request, "habilitations/tokens.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def make(request: HttpRequest) -> HttpResponse:
    """« Créer un jeton »; the answer shows it, once."""
    user = request.user
    kept = None if request.method == "POST" else drafts.load(user, DRAFT, user.pk)
    form = TokenForm(request.POST if request.method == "POST" else None, initial=drafts.initial(TokenForm, kept))
    if form.is_bound and form.is_valid():
        reauthentication.require(request, "créer un jeton d’accès")
        said = {name: form.cleaned_data[name] for name in ("name", "expires_on")}
        try:
            made, secret = actions.make_personal_token(user, scopes=form.scopes(), via=via_request(request), **said)
        except DomainError as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            drafts.clear(user, DRAFT, user.pk)
            return render(request, "habilitations/token_secret.html", {"token": made, "secret": secret})
    context = {"form": form, **drafts.shown(DRAFT, user.pk, kept)}
    return render(request, "habilitations/token_form.html", context, status=422 if form.is_bound else 200)


@require_POST
def revoke(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """« Révoquer »: one click, since it only closes."""
    if not actions.revoke_personal_token(request.user, token_id, via=via_request(request)):
        raise Http404
    messages.success(request, "Le jeton est révoqué : le programme qui s’en servait n’appelle plus.")
    return redirect(request, "tokens:list")
