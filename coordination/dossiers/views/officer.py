"""« Journaux des accès »: the data-protection officer searches across dossiers, opens none, is told no identity.

Whoever else asks gets the answer of a page that does not exist. Each search is itself a trace of his account.
"""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from coordination.accounts.decorators import recently_authenticated
from coordination.common.french import datetime_fr
from coordination.common.workbooks import CONTENT_TYPE
from coordination.dossiers import asleep
from coordination.dossiers.journal import searching
from coordination.dossiers.journal.wording import by_day_across
from habilitations import traces
from habilitations.emergency import is_on
from habilitations.models import Outcome
from habilitations.officers import may_search_journals
from habilitations.usage import asleep_everywhere

SEARCHED = "recherche journal"


@require_http_methods(["GET", "HEAD", "POST"])
def journals(request: HttpRequest) -> HttpResponse:
    """The form, then the lines by day, each with the reference of its dossier. All that is asked is posted."""
    if not may_search_journals(request.user):
        _trace(request, outcome=Outcome.REFUSED)
        raise Http404
    asked, result = searching.start(), None
    if request.method == "POST":
        asked = searching.read_asked(request.POST)
        if not asked.errors:
            result = searching.search(asked)
            _trace(request, count=len(result.traces), object_id=asked.dossier)
    context = {
        "asked": asked,
        "errors": asked.errors or {},
        "result": result,
        "days": by_day_across(result.traces, request.user) if result else [],
        "most": searching.MOST_PEOPLE,
        "in_emergency": is_on(),
    }
    return render(request, "dossiers/journals.html", context, status=422 if asked.errors else 200)


@require_safe
@recently_authenticated(act="exporter les accès sans usage", gives_file=True)
def export_asleep(request: HttpRequest) -> HttpResponse:
    """The grants that nobody uses, in every dossier, by reference. Whoever else asks finds nothing."""
    if not may_search_journals(request.user):
        _trace(request, outcome=Outcome.REFUSED)
        raise Http404
    lines = asleep_everywhere()
    via = traces.via_request(request)
    traces.record_account(
        user=request.user, action="export", object_kind="accès sans usage", count=len(lines), via=via
    )
    about = f"Accès lus le {datetime_fr(timezone.localtime())} par {request.user.get_full_name()}."
    headers = {"Content-Disposition": 'attachment; filename="acces-sans-usage.xlsx"', "Cache-Control": "no-store"}
    content = asleep.write_workbook(lines, about=about)
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)


def _trace(request: HttpRequest, **said) -> None:
    via = traces.via_request(request)
    traces.record_account(user=request.user, action=SEARCHED, object_kind="dossier", via=via, **said)
