"""« Exporter »: one’s own agenda as files that any calendar program opens.

A file, once out, answers to nobody: who one is was shown within the hour (SEC-18).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from agenda import exports
from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.reauthentication import DOSSIER
from habilitations.traces import record_account, via_request


@require_safe
@recently_authenticated(act="exporter vos disponibilités", within=DOSSIER, gives_file=True)
def availabilities(request: HttpRequest) -> HttpResponse:
    """« Mes disponibilités »: openings and absences, as their rules say them."""
    return _file(request, exports.availabilities(request.user), "disponibilites.ics")


@require_safe
@recently_authenticated(act="exporter quand vous êtes libre", within=DOSSIER, gives_file=True)
def free_and_busy(request: HttpRequest) -> HttpResponse:
    """« Libre et occupé »: the next eight weeks, without a word of why."""
    return _file(request, exports.free_and_busy(request.user), "libre-occupe.ics")


@require_safe
@recently_authenticated(act="exporter vos rendez-vous", within=DOSSIER, gives_file=True)
def appointments(request: HttpRequest) -> HttpResponse:
    """« Mes rendez-vous », with their words; the journal of each dossier says so."""
    return _file(request, exports.appointments(request.user, via_request(request)), "rendez-vous.ics")


def _file(request: HttpRequest, content: bytes, name: str) -> HttpResponse:
    record_account(user=request.user, action="export", object_kind="agenda", via=via_request(request))
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type="text/calendar; charset=utf-8", headers=headers)
