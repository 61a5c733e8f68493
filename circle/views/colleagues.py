"""« Inviter un confrère à utiliser l'application », one or several at once, without any dossier."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import wraps

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, granting, letters, several
from circle.forms.invitations import ColleagueForm, LinesForm
from circle.views.pages import draft_initial, drafted
from coordination.accounts import drafts
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.common.ids import uuid7
from coordination.common.text import squeeze
from habilitations.access import hat_of
from habilitations.traces import via_request

DRAFT, LINES_DRAFT = "inviter-confrere", "inviter-plusieurs"
BIGGEST_FILE = 100_000
# Signs that nobody types and no spreadsheet writes: a file that holds one is no list of people.
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def for_who_invites(view):
    """Answer 404 to those whose profession may not invite."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        if not granting.may_invite(request.user):
            raise Http404
        return view(request)

    return checked


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_invites
def invite(request: HttpRequest) -> HttpResponse:
    """One colleague: name, trade, address, a few words."""
    if request.method == "POST":
        if too_many := ratelimit.consume_or_429(request, action="invitations"):
            return too_many
        form = ColleagueForm(request.POST)
        if form.is_valid() and _invited(request, form):
            drafts.clear(request.user, DRAFT, request.user.pk)
            messages.success(request, f"L’invitation part à l’adresse {form.cleaned_data['email']}.")
            return redirect(request, "invitations:list")
    else:
        kept = draft_initial(request, DRAFT, request.user.pk, ColleagueForm)
        form = ColleagueForm(initial=kept)
    context = {
        "form": form,
        "letter": letter_preview(request, form["message"].value() or "", to_a_dossier=False),
        "may_vouch": granting.may_vouch(request.user),
        **drafted(DRAFT, request.user.pk, None if form.is_bound else form.initial),
    }
    return render(request, "circle/invite_colleague.html", context, status=form.http_status)


@require_POST
@for_who_invites
def preview(request: HttpRequest) -> HttpResponse:
    """The letter as it will leave, while the message is typed (htmx)."""
    # Every form that invites asks here; the one of a member has its own name for the field.
    to_a_dossier = bool({"invitation_message", "dossier"} & set(request.POST))
    message = request.POST.get("invitation_message", request.POST.get("message", ""))
    letter = letter_preview(request, message, to_a_dossier=to_a_dossier)
    return render(request, "circle/_letter_preview.html", {"letter": letter})


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_invites
def invite_several(request: HttpRequest) -> HttpResponse:
    """Pasted lines or a CSV file: who can be invited is, each other line says why not."""
    kept = {} if request.method == "POST" else draft_initial(request, LINES_DRAFT, request.user.pk, LinesForm)
    form = LinesForm(request.POST or None, request.FILES or None, initial=kept)
    left = ""
    done: list[str] = []
    refused: list[several.Line] = []
    if form.is_bound and form.is_valid():
        text = form.cleaned_data["lines"] + "\n" + text_of_file(form)
        if not form.errors and not text.strip():
            form.add_error("lines", "Écrivez au moins une ligne, ou choisissez un fichier.")
        if not form.errors:
            done, refused = _invite_each(request, several.read(text), form.cleaned_data["message"])
            left = several.kept(text, {line.number for line in refused})
    if done:
        drafts.clear(request.user, LINES_DRAFT, request.user.pk)
        sent = plural(len(done), "invitation envoyée", "invitations envoyées")
        messages.success(request, f"{sent}.")
        if not refused:
            return redirect(request, "invitations:list")
        # What is left to correct, and nothing else.
        form = LinesForm(initial={"lines": left, "message": form.cleaned_data["message"]})
    context = {
        "form": form, "refused": refused, "most": several.MOST,
        **drafted(LINES_DRAFT, request.user.pk, kept),
    }  # fmt: skip
    return render(request, "circle/invite_several.html", context, status=422 if form.errors or refused else 200)


def letter_preview(request: HttpRequest, message: str, *, to_a_dossier: bool) -> dict:
    """Return the letter as it would leave now: the same template, the same words."""
    return letters.letter_of(
        by=request.user, structure_name=hat_of(request.user).structure_name, message=squeeze(message)[:600],
        expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS), to_a_dossier=to_a_dossier,
    )  # fmt: skip


def _invited(request: HttpRequest, form: ColleagueForm) -> bool:
    said = form.cleaned_data
    try:
        actions.invite_colleague(
            by=request.user, email=said["email"], family_name=said["family_name"], given_name=said["given_name"],
            profession=said["profession"], message=said["message"], creation_key=said["creation_key"],
            via=via_request(request),
        )  # fmt: skip
    except DomainError as error:
        form.refuse(error)
    return not form.errors


def text_of_file(form: LinesForm) -> str:
    """Return the text of the file sent, whichever way a spreadsheet wrote it.

    The form says when it is too big, and when it is no text: a picture or a program has signs that no list of people
    holds, and would be shown and kept as lines to correct.
    """
    file = form.cleaned_data["file"]
    if file is None:
        return ""
    if file.size > BIGGEST_FILE:
        form.add_error("file", "Ce fichier est trop gros : 100 Ko au plus.")
        return ""
    content = file.read()
    # Neither by its name nor by what it holds: a workbook renamed is no list of people.
    if not file.name.lower().endswith((".csv", ".txt")) or NOT_TEXT.search(content):
        form.add_error("file", "Ce fichier n’est pas un CSV : enregistrez votre liste au format CSV.")
        return ""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _invite_each(
    request: HttpRequest, lines: list[several.Line], message: str
) -> tuple[list[str], list[several.Line]]:
    done, refused = [], []
    for line in lines:
        if line.error:
            refused.append(line)
        elif not ratelimit.consume(request, action="invitations"):
            refused.append(line._replace(error="Trop d’invitations en une heure : réessayez plus tard."))
        else:
            try:
                actions.invite_colleague(
                    by=request.user, email=line.email, family_name=line.family_name, given_name=line.given_name,
                    profession=line.profession, message=message, creation_key=uuid7(), via=via_request(request),
                )  # fmt: skip
                done.append(line.email)
            except DomainError as error:
                refused.append(line._replace(error=str(error)))
    return done, refused
