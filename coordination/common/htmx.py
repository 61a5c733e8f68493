"""The few gestures views share between htmx and a browser without JavaScript."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect


def is_fragment(request: HttpRequest) -> bool:
    """Return True when the answer replaces a part of the page.

    Boosted links and the restoring of history want the whole page, although htmx asks for it.
    """
    htmx = request.htmx  # type: ignore[attr-defined]  # put there by django_htmx's middleware
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def vary_on_htmx(response: HttpResponse) -> HttpResponse:
    """Mark a response of a URL that gives a page or a fragment, lest the browser's cache show one for the other."""
    patch_vary_headers(response, ["HX-Request", "HX-Boosted", "HX-History-Restore-Request"])
    return response


def redirect(request: HttpRequest, to: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Send the browser to another page after an act: `HX-Redirect` for a fragment request, else 303 See Other.

    `to` is what `django.shortcuts.redirect` takes: a model, a URL name with its arguments, a path.
    """
    url = resolve_url(to, *args, **kwargs)
    if is_fragment(request):
        return HttpResponseClientRedirect(url)
    # 303: the browser follows with GET whatever the method was, and reloading does not repeat the act.
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response
