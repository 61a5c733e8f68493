"""Showing again who one is before a sensitive act (SEC-18): how long a proof serves, and what is asked for then.

What opens an access or leaves as a file asks; what only closes an access never does: a refusal noted an hour late is
an hour of reading against the person's will (docs/decisions/2026-11-28-reauthentication.md).
"""

import json
import time
from urllib.parse import urlencode

from allauth.account.internal.flows import reauthentication as flow
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from coordination.common.htmx import is_fragment

# The settings that hold the two windows, in seconds.
ACCOUNT = "ACCOUNT_REAUTHENTICATION_TIMEOUT"
DOSSIER = "DOSSIER_REAUTHENTICATION_SECONDS"
# Which act the last question was about, and where it leads.
ACT_KEY = "reauthentication_act"
# The pages of allauth that ask by themselves.
OWN_ACTS = {
    "mfa_activate_totp": "ajouter une application d’authentification",
    "mfa_deactivate_totp": "retirer l’application d’authentification",
    "mfa_view_recovery_codes": "voir vos codes de secours",
    "mfa_generate_recovery_codes": "renouveler vos codes de secours",
    "mfa_add_webauthn": "ajouter une clé d’accès",
    "mfa_remove_webauthn": "retirer une clé d’accès",
    "mfa_edit_webauthn": "renommer une clé d’accès",
}
LEFT_BEHIND = "Un acte demandé avant celui-ci attendait votre confirmation : il n’a pas été fait. Recommencez-le."


class IdentityNotShown(ReauthenticationRequired):
    """The act must wait until its author has shown again who he is. Nothing was done, nothing was refused."""

    def __init__(self, act: str, *, gives_file: bool = False) -> None:
        super().__init__()
        self.act, self.gives_file = act, gives_file


def is_recent(request: HttpRequest, within: str) -> bool:
    """Return whether the password or second factor was shown, at sign-in or since, inside the window `within`."""
    shown = get_authentication_records(request, request.user)
    return bool(shown) and time.time() - shown[-1]["at"] < getattr(settings, within)


def require(request: HttpRequest, act: str, within: str = ACCOUNT, *, gives_file: bool = False) -> None:
    """Raise IdentityNotShown unless the identity was shown inside the window; `middleware` then asks for it.

    `act` follows « Pour » on the page of the question: "imprimer la fiche du cercle". It names nobody (SEC-22).
    Called by a view once it knows that the posted form opens something: a form with an error asks nothing.
    """
    if not is_recent(request, within):
        raise IdentityNotShown(act, gives_file=gives_file)


def forget(request: HttpRequest) -> None:
    """Drop what an earlier question kept: left unanswered, it must not be played by the next one.

    An act that waited behind another address (a second tab) is said to be undone: nothing else would tell it.
    The new question protects one of allauth's own pages, unless `ask` names another act.
    """
    page = request.resolver_match.view_name if request.resolver_match else ""
    _note_act(request, OWN_ACTS.get(page, ""), request.get_full_path())
    kept = request.session.pop(flow.STATE_SESSION_KEY, None) or {}
    if "request" in kept and json.loads(kept["request"])["path"] != request.path:
        messages.warning(request, LEFT_BEHIND)


def ask(request: HttpRequest, refusal: IdentityNotShown) -> HttpResponse | None:
    """Answer to IdentityNotShown; None leaves it to allauth, which keeps a POST and replays it once confirmed.

    A fragment goes back to its page afterwards (htmx would draw the question inside the page). A file is offered on a
    page of its own: replayed, it would download and leave its reader in front of the password.
    """
    if is_fragment(request):
        page = request.htmx.current_url_abs_path or "/"
        _note_act(request, refusal.act, page)
        return HttpResponseClientRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}")
    if not refusal.gives_file:
        _note_act(request, refusal.act, request.get_full_path())
        return None
    state = {
        "method": request.method,
        "address": request.path if request.method == "POST" else request.get_full_path(),
        "fields": [[name, value] for name, values in request.POST.lists() for value in values],
        "page": came_from(request),
    }
    _note_act(request, refusal.act, state["page"])
    callback = f"{offer_file.__module__}.{offer_file.__name__}"
    flow.stash_and_reauthenticate(request, state, callback)
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': state['page']})}")


def ask_factor(request: HttpRequest, act: str) -> HttpResponse:
    """Ask for the second factor itself, where a password would not be enough; a POST is kept and replayed."""
    forget(request)
    _note_act(request, act, request.get_full_path())
    return flow.suspend_request(request, reverse("mfa_reauthenticate"))


def _note_act(request: HttpRequest, act: str, next_page: str) -> None:
    request.session[ACT_KEY] = {"act": act, "next": next_page}


def asked_act(request: HttpRequest) -> str:
    """Return the act that the question being shown protects: "confirmer une profession"; "" when it is not known.

    A question that leads elsewhere (a second tab, the second factor of a sign-in) is about something else.
    """
    noted = request.session.get(ACT_KEY) or {}
    leads_to = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME)
    return noted.get("act", "") if noted.get("next") == leads_to else ""


def offer_file(request: HttpRequest, state: dict) -> HttpResponse:
    """Offer the file asked for before the question, with the way back. Called by allauth once it is confirmed."""
    fields = [(name, value) for name, value in state["fields"] if name != "csrfmiddlewaretoken"]
    return render(request, "accounts/file_ready.html", {**state, "fields": fields})


def came_from(request: HttpRequest) -> str:
    """Return the path of the page that sent this request, "/" when it is not one of ours."""
    referrer = request.META.get("HTTP_REFERER", "")
    here = f"{request.scheme}://{request.get_host()}"
    known = url_has_allowed_host_and_scheme(referrer, {request.get_host()}, request.is_secure())
    return referrer.removeprefix(here) if known and referrer.startswith(f"{here}/") else "/"
