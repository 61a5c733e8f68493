"""« Revue des accès » of a structure: how many dossiers each of its accounts may enter and how many it leaves asleep.

Counts only: whoever looks after accounts enters no dossier by it, and is told of none. He ends a profession, which
closes everything it opened, or leaves the account; each grant that sleeps is proposed in its own dossier.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from openpyxl import Workbook

from coordination.accounts.decorators import recently_authenticated
from coordination.accounts.models import User
from coordination.common.errors import DomainError
from coordination.common.french import date_fr, datetime_fr
from coordination.common.htmx import redirect
from coordination.common.text import person_name
from coordination.common.workbooks import CONTENT_TYPE, text_cell
from coordination.directory import search
from coordination.directory.actions.reviewing import keep_account
from coordination.directory.views.accounts import for_who_looks_after
from habilitations.models import AccountKept, VouchedProfession
from habilitations.traces import record_account, via_request
from habilitations.usage import Use, is_due, known_since, last_kept_accounts, uses_of

HEADS = (
    ("Compte", 34), ("Profession", 40), ("Structure", 40), ("Dossiers ouverts", 18), ("Sans usage", 12),
    ("Dernier usage", 24), ("À revoir", 10), ("Gardé le", 14), ("Gardé par", 30),
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One account of the structure: what it does of its own grants, and what was last chosen for it."""

    user: User
    trade: str
    structure: str
    use: Use
    kept: AccountKept | None
    is_due: bool
    is_own: bool

    @property
    def name(self) -> str:
        return person_name(self.user.family_name, self.user.given_name)


@require_safe
@for_who_looks_after
def review(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """The accounts of the structure, those to be looked at first. Five SQL statements, however many."""
    lines = lines_of(request.user, mine)
    _trace(request, "lecture", len(lines))
    context = {
        "due": [line for line in lines if line.is_due],
        "others": [line for line in lines if not line.is_due],
        "months": settings.ACCESS_UNUSED_MONTHS,
        "unknown": _unknown(),
    }
    return render(request, "directory/account_review.html", context)


@require_POST
@for_who_looks_after
def keep(request: HttpRequest, mine: list[UUID], user_id: UUID) -> HttpResponse:
    """« Garder »: dated, and shown again later."""
    people = VouchedProfession.objects.current().filter(structure__in=mine).values("user")
    user = get_object_or_404(User.objects.filter(pk__in=people), pk=user_id)
    try:
        keep_account(user, by=request.user, via=via_request(request))
    except DomainError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(
            request, f"Compte gardé. Il sera de nouveau proposé dans {settings.ACCESS_UNUSED_MONTHS} mois."
        )
    return redirect(request, "directory:account_review")


@require_safe
@for_who_looks_after
@recently_authenticated(act="exporter la revue des comptes", gives_file=True)
def export_review(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """The same as a spreadsheet, for who answers for the protection of data."""
    lines = lines_of(request.user, mine)
    _trace(request, "export", len(lines))
    content = write_workbook(lines, reader=request.user, at=timezone.localtime())
    headers = {"Content-Disposition": 'attachment; filename="revue-des-comptes.xlsx"', "Cache-Control": "no-store"}
    return HttpResponse(content, content_type=CONTENT_TYPE, headers=headers)


def lines_of(reader: User, mine: list[UUID]) -> list[Line]:
    """Return the accounts whose profession is confirmed for these structures. Three SQL statements."""
    rows = VouchedProfession.objects.current().filter(structure__in=mine, user__is_active=True).select_related("user")
    vouched = list(rows.order_by("user__family_name", "user__given_name", "pk"))
    ids = [row.user_id for row in vouched]
    uses, kept = uses_of(ids), last_kept_accounts(ids)
    found = []
    for row in vouched:
        use, choice = uses.get(row.user_id, Use()), kept.get(row.user_id)
        own = row.user_id == reader.pk
        due = not own and is_due(use, choice.at if choice else None)
        trade = search.trade(row.profession, row.fonction)
        found.append(Line(row.user, trade, row.structure_name, use, choice, due, own))
    return sorted(found, key=lambda line: not line.is_due)


def write_workbook(lines: list[Line], *, reader: User, at: dt.datetime) -> bytes:
    """Return the file of these accounts: counts and days, no dossier."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Revue des comptes")
    for column, (_, width) in zip("ABCDEFGHI", HEADS, strict=True):
        sheet.column_dimensions[column].width = width
    sheet.freeze_panes = "A3"
    about = f"Accès lus le {datetime_fr(at)} par {person_name(reader.family_name, reader.given_name)}."
    sheet.append([text_cell(sheet, about, bold=True)])
    sheet.append([text_cell(sheet, head, bold=True) for head, _ in HEADS])
    for line in lines:
        said = (
            line.name, line.trade, line.structure, line.use.opened, line.use.asleep,
            date_fr(line.use.last) if line.use.last else _unknown(), "Oui" if line.is_due else "",
            date_fr(line.kept.at) if line.kept else "", line.kept.by.get_full_name() if line.kept else "",
        )  # fmt: skip
        sheet.append([value if isinstance(value, int) else text_cell(sheet, value) for value in said])
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def _unknown() -> str:
    return f"Aucun depuis le {date_fr(known_since())}"


def _trace(request: HttpRequest, action: str, count: int) -> None:
    record_account(
        user=request.user, action=action, object_kind="revue des comptes", count=count, via=via_request(request)
    )
