"""« Revue des accès » of a dossier: what sleeps is closed or kept in one click; closing waits for nothing."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from circle import actions, reviewing
from circle.exports import review as workbook
from circle.models import Member
from circle.views.drawing import may_grant
from circle.views.pages import find_member, page
from coordination.accounts import reauthentication
from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.reauthentication import DOSSIER
from coordination.common.errors import DomainError
from coordination.common.french import date_fr, datetime_fr
from coordination.common.htmx import redirect
from coordination.common.text import person_name
from coordination.common.workbooks import CONTENT_TYPE
from coordination.dossiers.door import rubric_view
from habilitations.errors import NotAllowed
from habilitations.rubriques import Action, Niveau, Rubrique
from habilitations.usage import known_since


@require_safe
@rubric_view(Rubrique.CERCLE, right=Action.GRANT)
def review(request: HttpRequest, entry) -> HttpResponse:
    """The grants of a dossier, those that sleep first."""
    rows = Member.objects.rows(entry)
    lines = reviewing.lines_of(entry, rows)
    context = {
        "closed": reviewing.closed_of(entry, rows),
        "may_grant": lambda row: may_grant(row, entry),
        "closes_after": settings.ACCESS_CLOSE_MONTHS,
        "asleep": [line for line in lines if line.sleeps and may_grant(line.row, entry)],
        "others": [line for line in lines if not (line.sleeps and may_grant(line.row, entry))],
        "unknown": _unknown(),
        "since": timezone.make_aware(dt.datetime.combine(known_since(), dt.time.min)),
        "may_print": entry.access.may(Action.PRINT),
        "months": settings.ACCESS_UNUSED_MONTHS,
        "last": reviewing.last_review(entry.dossier.pk),
    }
    return page(request, entry, "circle/review.html", context)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.GRANT, object_kwarg="member_id")
def close_access(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Fermer l’accès ». It opens again on the sheet of the member."""
    return _act(
        request, entry, member_id, actions.close_access, "Accès fermé. Il se rouvre depuis la fiche du membre."
    )


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.GRANT, object_kwarg="member_id")
def keep_access(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Garder »: dated, and asked again later."""
    said = (
        f"Accès gardé. Il sera proposé de nouveau s’il reste sans usage pendant {settings.ACCESS_UNUSED_MONTHS} mois."
    )
    return _act(request, entry, member_id, actions.keep_access, said)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.GRANT, object_kwarg="member_id")
def restore_access(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Rouvrir » what the application closed. It opens a way in: the password is asked again."""
    reauthentication.require(request, "rouvrir un accès", DOSSIER)
    return _act(request, entry, member_id, actions.restore_access, "Accès rouvert, comme il était.")


def _act(request: HttpRequest, entry, member_id: UUID, act, said: str) -> HttpResponse:
    try:
        act(entry, find_member(entry, member_id))
    except NotAllowed:
        raise
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect(request, "circle:review", entry.dossier.pk)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.GRANT)
def finish_review(request: HttpRequest, entry) -> HttpResponse:
    """« Terminer la revue »: it leaves « À faire » until the next one."""
    actions.finish_review(entry)
    messages.success(request, "La revue des accès de ce dossier est terminée.")
    return redirect(request, "todo")


@require_safe
@recently_authenticated(act="exporter la revue des accès", within=DOSSIER, gives_file=True)
@rubric_view(Rubrique.CERCLE, right=Action.GRANT, action="export")
def export_review(request: HttpRequest, entry) -> HttpResponse:
    """The same grants as a spreadsheet, which says the reference of the dossier and not of whom it is."""
    entry.access.require(Action.PRINT)
    reader = person_name(entry.user.family_name, entry.user.given_name)
    about = f"Dossier {entry.dossier.pk}. Accès lus le {datetime_fr(timezone.localtime())} par {reader}."
    content = workbook.write_workbook(reviewing.lines_of(entry), about=about, unknown=_unknown())
    headers = {"Content-Disposition": 'attachment; filename="revue-des-acces.xlsx"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)


def _unknown() -> str:
    return f"Aucun depuis le {date_fr(known_since())}"
