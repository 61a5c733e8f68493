"""« Journal des accès » of one dossier: read, printed, exported by who may read it; each of the three is traced.

Every filter is posted: a name typed never stands in an address (INS-12). Reading the journal also asks to see the
discreet members of the circle: the journal names whoever came (docs/decisions/2026-11-28-journal-screens.md).
"""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.reauthentication import DOSSIER
from coordination.common.text import person_name
from coordination.common.workbooks import CONTENT_TYPE
from coordination.dossiers.door import READ, rubric_view
from coordination.dossiers.journal import workbook
from coordination.dossiers.journal.questions import with_questions
from coordination.dossiers.journal.reading import (
    ACTIONS,
    HOME,
    JUDGED,
    PER_PAGE,
    Filters,
    Found,
    find_page,
    last_check,
    read_filters,
)
from coordination.dossiers.journal.subjects import with_subjects
from coordination.dossiers.journal.wording import about, by_day, said_of_check, sentence
from coordination.dossiers.strip import strip_and_nav
from habilitations import catalog
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action, Rubrique

# A sheet of paper is read by one person.
PRINTED_LINES = 500
ACTS = [("", "Toutes"), *ACTIONS.items()]


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.JOURNAL, right=Action.READ_JOURNAL, action=READ)
def journal(request: HttpRequest, entry) -> HttpResponse:
    """The lines, newest first, by day; POST brings the filters and the rank to go on from."""
    _require_named(entry)
    filters = read_filters(request.POST)
    found = _found(entry, filters)
    context = strip_and_nav(entry, Rubrique.JOURNAL) | {
        "filters": filters,
        "refused": filters.refused or {},
        "days": by_day(found.lines, request.user),
        "found": found,
        "judged_most": JUDGED,
        "check": said_of_check(last_check()),
        "rubrics": [("", "Toutes"), (HOME, "Accueil du dossier"), *catalog.last().labels.items()],
        "acts": ACTS,
    }
    return render(request, "dossiers/journal.html", context)


@require_POST
@recently_authenticated(act="imprimer le journal des accès", within=DOSSIER)
@rubric_view(Rubrique.JOURNAL, right=Action.READ_JOURNAL, action="impression")
def print_journal(request: HttpRequest, entry) -> HttpResponse:
    """The same lines on a page made for paper: no filter, no button, what it is and who read it."""
    _require_named(entry, Action.PRINT)
    filters = _from_the_start(request)
    found = _found(entry, filters, size=PRINTED_LINES)
    context = strip_and_nav(entry, Rubrique.JOURNAL) | {
        "days": by_day(found.lines, request.user),
        "found": found,
        "about": _about(filters, request.user),
        "most": PRINTED_LINES,
    }
    return render(request, "dossiers/journal_print.html", context)


@require_POST
@recently_authenticated(act="exporter le journal des accès", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.JOURNAL, right=Action.READ_JOURNAL, action="export")
def export_journal(request: HttpRequest, entry) -> HttpResponse:
    """The same lines as a spreadsheet."""
    _require_named(entry, Action.PRINT)
    filters = _from_the_start(request)
    found = _found(entry, filters, size=workbook.LONGEST)
    said = [sentence(line, request.user) for line in found.lines]
    content = workbook.write_workbook(said, about=_about(filters, request.user))
    headers = {"Content-Disposition": 'attachment; filename="journal-des-acces.xlsx"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)


def _require_named(entry, *rights: Action) -> None:
    """Raise NotAllowed unless the reader may see everybody whom the journal names, and holds these rights too."""
    if not entry.access.sees_discreet_members:
        raise NotAllowed
    for right in rights:
        entry.access.require(right)


def _found(entry, filters: Filters, *, size: int = PER_PAGE) -> Found:
    found = find_page(entry.dossier.pk, filters, size=size, reader_id=entry.user.pk)
    return replace(found, lines=with_questions(entry.dossier.pk, with_subjects(entry, found.lines)))


def _from_the_start(request: HttpRequest) -> Filters:
    return read_filters({name: value for name, value in request.POST.items() if name != "avant"})


def _about(filters: Filters, user) -> str:
    return about(filters, reader_name=person_name(user.family_name, user.given_name), at=timezone.localtime())
