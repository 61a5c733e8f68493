"""The pages of failure. Named by ``handler400``… in the urls and by ``CSRF_FAILURE_VIEW`` in the settings.

A broken page must not break while saying so: 400 and 500 are drawn without a request, so without database or session;
they are given only the identifier under which the logs tell what happened.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string


def _page(request: HttpRequest | None, status: int, name: str = "", **context) -> HttpResponse:
    body = render_to_string(f"errors/{name or status}.html", context, request=request)
    return HttpResponse(body, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400."""
    return _page(None, 400, request_id=_identifier(request))


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403; shows the French sentence of a domain error, never the text of another exception."""
    message = getattr(exception, "message", "")
    return _page(request, 403, message=message if isinstance(message, str) else "")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW; `reason` is for developers and is not shown."""
    return _page(request, 403, "403_csrf")


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404; says the same whether the address is wrong or the dossier is closed to the reader."""
    return _page(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500."""
    return _page(None, 500, request_id=_identifier(request))


def _identifier(request: HttpRequest) -> str:
    return getattr(request, "id", "")
