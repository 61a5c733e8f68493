"""The circle on paper, as a spreadsheet, as a contact: each passes the door, needs the right to print, is traced.

The identity must have been shown within the hour: a file, once out, answers to nobody (SEC-18).
"""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from circle.exports import sheet, vcard, workbook
from circle.models import Member
from circle.views import listing
from circle.views.pages import find_row, page
from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.reauthentication import DOSSIER
from coordination.common.text import person_name
from coordination.common.workbooks import CONTENT_TYPE
from coordination.dossiers.door import rubric_view
from habilitations.models import Outcome
from habilitations.rubriques import Action, Niveau, Rubrique

PRINTED, EXPORTED = "impression", "export"


@require_safe
@recently_authenticated(act="imprimer la fiche du cercle", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.CERCLE, Niveau.LECTURE, right=Action.PRINT, action=PRINTED)
def print_sheet(request: HttpRequest, entry) -> HttpResponse:
    """« Fiche du cercle »: one page; a circle that needs more asks first (`?pages=2`)."""
    rows = Member.objects.rows(entry)
    try:
        made = sheet.make_sheet(entry, rows, reader=_name(entry.user), at=timezone.localtime())
    except sheet.SheetNotMade as error:
        entry.trace(PRINTED, rubrique=Rubrique.CERCLE, outcome=Outcome.FAILED)
        return page(request, entry, "circle/sheet_not_made.html", {"error": error}, status=503)
    if made.pages > _agreed_pages(request):
        return page(request, entry, "circle/sheet_too_long.html", {"pages": made.pages})
    return _file(made.content, "application/pdf", "fiche-du-cercle.pdf", disposition="inline")


def _agreed_pages(request: HttpRequest) -> int:
    asked = request.GET.get("pages", "")
    return int(asked) if asked.isdecimal() and len(asked) <= 2 else 1


@require_safe
@recently_authenticated(act="exporter la liste du cercle", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.CERCLE, Niveau.LECTURE, right=Action.PRINT, action=EXPORTED)
def export_list(request: HttpRequest, entry) -> HttpResponse:
    """The list as the address asks it (who, which day, in which order), the reduced circle for who reads that one.

    The text looked for on the screen stays there: it may name someone, and an address must not.
    """
    filters, rows, kept = listing.found(entry, listing.read_filters(request))
    content = workbook.write_workbook(
        listing.ordered(kept, filters.sort),
        said=listing.said(filters, rows, entry),
        reduced=not entry.access.sees_whole_circle,
        reader=_name(entry.user),
        at=timezone.localtime(),
    )
    return _file(content, CONTENT_TYPE, "cercle-de-soins.xlsx")


@require_safe
@recently_authenticated(act="enregistrer un contact", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.CERCLE, Niveau.LECTURE, right=Action.PRINT, action=EXPORTED, object_kwarg="member_id")
def export_vcard(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """One member for the reader's telephone."""
    return _file(vcard.write_vcard(find_row(entry, member_id)), vcard.CONTENT_TYPE, "contact.vcf")


def _name(user) -> str:
    return person_name(user.family_name, user.given_name)


def _file(content: bytes, content_type: str, filename: str, *, disposition: str = "attachment") -> HttpResponse:
    """Return a file whose name says nothing of the person, and which no cache keeps."""
    headers = {"Content-Disposition": f'{disposition}; filename="{filename}"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=content_type, headers=headers)
