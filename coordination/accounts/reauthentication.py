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
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from coordination.common.htmx import is_fragment

# The settings that hold the two windows, in seconds.
ACCOUNT = "ACCOUNT_REAUTHENTICATION_TIMEOUT"
DOSSIER = "DOSSIER_REAUTHENTICATION_SECONDS"
LEFT_BEHIND = "Un acte demandé avant celui-ci attendait votre confirmation : il n'a pas été fait. Recommencez-le."


class IdentityNotShown(ReauthenticationRequired):
    """The act must wait until its author has shown again who he is. Nothing was done, nothing was refused."""

    def __init__(self, *, gives_file: bool = False) -> None:
        super().__init__()
        self.gives_file = gives_file


def is_recent(request: HttpRequest, within: str) -> bool:
    """Return whether the password or second factor was shown, at sign-in or since, inside the window `within`."""
    shown = get_authentication_records(request, request.user)
    return bool(shown) and time.time() - shown[-1]["at"] < getattr(settings, within)


def require(request: HttpRequest, within: str = ACCOUNT, *, gives_file: bool = False) -> None:
    """Raise IdentityNotShown unless the identity was shown inside the window; `middleware` then asks for it.

    Called by a view once it knows that the posted form opens something: a form with an error asks nothing.
    """
    if not is_recent(request, within):
        raise IdentityNotShown(gives_file=gives_file)


def forget(request: HttpRequest) -> None:
    """Drop what an earlier question kept: left unanswered, it must not be played by the next one.

    An act that waited behind another address (a second tab) is said to be undone: nothing else would tell it.
    """
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
        return HttpResponseClientRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': page})}")
    if not refusal.gives_file:
        return None
    state = {
        "method": request.method,
        "address": request.path if request.method == "POST" else request.get_full_path(),
        "fields": [[name, value] for name, values in request.POST.lists() for value in values],
        "page": came_from(request),
    }
    callback = f"{offer_file.__module__}.{offer_file.__name__}"
    flow.stash_and_reauthenticate(request, state, callback)
    return HttpResponseRedirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': state['page']})}")


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
