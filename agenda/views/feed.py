"""The address that a calendar program reads: no session, no account, the secret of the address alone."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from django.views.decorators.http import require_safe

from agenda import feeds
from coordination.accounts.personal_links import token_marker
from coordination.common.long_answers import without_collector
from coordination.fhir import throttling
from coordination.fhir.outcomes import Throttled
from habilitations import secrets
from habilitations.traces import OWN_FEED, via_request

TOO_OFTEN = "Cette adresse est lue trop souvent : réessayez plus tard."


def _limit(request: HttpRequest, token: str) -> HttpResponse | None:
    """Count the readings of one address, known or not, and not those of a place: one server reads for many people."""
    try:
        throttling.count(f"flux:{secrets.hashed(token)[:24]}", settings.AGENDA_FEED_READS_PER_MINUTE)
    except Throttled as refusal:
        kind = "text/plain; charset=utf-8"
        return HttpResponse(TOO_OFTEN, status=429, content_type=kind, headers=refusal.headers)
    return None


feed_view = token_marker(scope="feed", read=feeds.find, limit=_limit)


@require_safe
@feed_view
def calendar(request: HttpRequest, found: feeds.Found) -> HttpResponse:
    """The calendar of an address, 304 when the program has it already.

    Unknown, renewed, stopped, of a closed account: the same 404.
    """
    if found.now and found.now == found.state:
        unchanged = _conditional(request, found.state, found.state_at)
        if unchanged is not None:
            return unchanged
    with without_collector():
        body = feeds.written(found, via=via_request(request, OWN_FEED))
    answer = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    answer.headers["Content-Disposition"] = 'inline; filename="agenda.ics"'
    return _conditional(request, *feeds.noted(found, body), answer) or answer


def _conditional(
    request: HttpRequest, state: str, since: dt.datetime, answer: HttpResponse | None = None
) -> HttpResponse | None:
    """Return the answer with its marks, or 304; None without an answer to give and nothing that spares it."""
    etag, moment = f'"{state}"', int(since.timestamp())
    found = get_conditional_response(request, etag=etag, last_modified=moment, response=answer)
    if found is not None:
        found.headers["ETag"] = etag
        found.headers["Last-Modified"] = http_date(moment)
        # The program that subscribed keeps it, and asks each time; nobody in between does.
        found.headers["Cache-Control"] = "private, no-cache"
        found.headers["X-Robots-Tag"] = "noindex"
    return found
