"""The pages of failure. Named by ``handler400``… in the urls and by ``CSRF_FAILURE_VIEW`` in the settings.

A broken page must not break while saying so: 400, 500 and 503 are drawn without a request, so without database or
session; they are given only the identifier under which the logs tell what happened. 503 is drawn beforehand: it is for
when there may be no memory left.
"""

from __future__ import annotations

import sys
from functools import cache

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from coordination.common.away import RETRY_AFTER, is_away, note

_REFERENCE = "reference-of-the-request"


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


def not_opened() -> bytes:
    """Draw what is read at an address that only buttons use: a tab opened again, an address typed.

    Without a request: it is put in place of an answer that is ready to leave (headers.RefusalsMiddleware).
    """
    return render_to_string("errors/405.html").encode()


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500, called inside the `except`; 503 when the machine is at fault for a while (REL-18)."""
    error = sys.exc_info()[1]
    note(error)
    if is_away(error):
        return unavailable(request)
    return _page(None, 500, request_id=_identifier(request))


def unavailable(request: HttpRequest) -> HttpResponse:
    """« Le service est momentanément indisponible », kept by nobody."""
    body = drawn_beforehand().replace(_REFERENCE, _identifier(request))
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    return HttpResponse(body, status=503, headers=headers)


@cache
def drawn_beforehand() -> str:
    """Draw the page of 503 once for this process."""
    return render_to_string("errors/503.html", {"request_id": _REFERENCE})


def too_many() -> bytes:
    """Draw the same page for who is refused before his request has an identifier (coordination/common/overload.py)."""
    return render_to_string("errors/503.html", {"request_id": ""}).encode()


def _identifier(request: HttpRequest) -> str:
    return getattr(request, "id", "")
