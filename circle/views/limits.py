"""« Réduire pour ce dossier »: less than the profession opens, for one member, and until when."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, roles
from circle.errors import LastDayMoved
from circle.forms.access import YES
from circle.forms.limits import LimitsForm
from circle.views import answering
from circle.views.drawing import can_be_granted, may_grant
from circle.views.pages import attempt, day_of, draft_initial, drafted, find_member, find_row, links_of, page
from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import published
from habilitations.access import trade_of
from habilitations.actions.limits import opens, read_as, standing
from habilitations.closures import closed_by_the_person
from habilitations.errors import GrantNotAllowed
from habilitations.rubriques import Niveau, Rubrique

DRAFT = "cercle-limites"
PREVIEW = "apercu"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def limits(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """The lists, the last day, and « Ce que cette personne verra » as they would be, before anything is saved.

    Each change of a list asks for the preview (a reading); without JavaScript, « Voir l'aperçu » does.
    """
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    _require_grantable(entry, row)
    pair = trade_of(found.habilitation.user, found.profession_codes)
    form, kept = _form(request, found, pair)
    asked = form.is_bound and form.is_valid()
    preview, said = _preview(found, pair, form, asked), both_texts(form, None)
    if PREVIEW in request.GET:
        return render(request, "circle/_limits_preview.html", {"preview": preview})
    if request.method == "POST" and asked and PREVIEW not in request.POST:
        wanted = {"ceilings": form.ceilings(), "until": form.cleaned_data["until"]}
        if opens(found.habilitation, **wanted):
            # Only what gives something back waits for a password: closing is never delayed (SEC-18).
            reauthentication.require(request, "rendre un accès au dossier", reauthentication.DOSSIER)
        try:
            done = attempt(form, actions.limit_access, entry, found, seen=form.cleaned_data["seen"], **wanted)
        except ChangedMeanwhile as refusal:
            found = find_member(entry, member_id)
            form, said = _compared(request, found, pair, refusal)
            preview = _preview(found, pair, form, asked=form.is_valid())
            # What stands is what is asked: the same form sent twice.
            done = None if said["differences"] else found
        if done is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, _said(wanted))
            return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)
    context = said | {
        "row": row,
        "form": form,
        "preview": preview,
        "links": links_of(entry.dossier.pk, found.pk),
        "until": found.habilitation.access_until,
        "is_structure": found.kind == roles.STRUCTURE,
        **drafted(DRAFT, found.pk, kept),
    }
    # A preview that was asked for is no refusal.
    status = status_of(form) if form.errors or said["conflict"] else 200
    return page(request, entry, "circle/limits.html", context, status=status)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def extend(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Prolonger de trois mois », in one click."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    _require_grantable(entry, row)
    reauthentication.require(request, "prolonger un accès au dossier", reauthentication.DOSSIER)
    try:
        member = actions.extend_access(entry, found, day=day_of(request.POST.get("fin", "")))
    except LastDayMoved as error:
        messages.info(request, str(error))
    else:
        messages.success(request, f"Fin d’accès le {date_fr(member.habilitation.access_until)}.")
    return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)


def _require_grantable(entry, row) -> None:
    if row.ends_on or not can_be_granted(row):
        raise Http404
    if not may_grant(row, entry):
        raise GrantNotAllowed


def _form(request: HttpRequest, found, pair) -> tuple[LimitsForm, dict]:
    matrix = published.current()
    profile = matrix.profile_of(*pair)
    is_structure = found.kind == roles.STRUCTURE
    # Each delegate has his own profession: what is reduced for a structure may be any rubric.
    cells = {r: Niveau.ECRITURE if is_structure else matrix.level(profile, r) for r in matrix.rubrics}
    stands, until = standing(found.habilitation), found.habilitation.access_until
    told = {"cells": cells, "standing": stands}
    if request.method == "POST":
        return LimitsForm(request.POST, **told), {}
    if PREVIEW in request.GET:
        return LimitsForm(request.GET, **told), {}
    kept = draft_initial(request, DRAFT, found.pk, LimitsForm)
    return LimitsForm(initial={"until": until, "seen": read_as(stands, until)} | kept, **told), kept


def _compared(request: HttpRequest, found, pair, refusal: ChangedMeanwhile) -> tuple[LimitsForm, dict]:
    """Return the form of who is second, and what the page says of it; what is sent again has been read."""
    form, _ = _form(request, found, pair)
    keep_conflict(form, refusal, "L’accès de ce membre a changé pendant votre saisie.")
    stands, until = standing(found.habilitation), found.habilitation.access_until
    theirs = LimitsForm(initial={"until": until}, cells=form.cells, standing=stands)
    return form, both_texts(form, read_as(stands, until), lambda: theirs, said_in="seen")


def _preview(found, pair, form: LimitsForm, asked: bool) -> dict | None:
    if found.kind == roles.STRUCTURE:
        return None
    answer = YES if found.habilitation.state == YES else ""
    reduced = form.ceilings() if asked else standing(found.habilitation)
    return answering.preview_of(pair, answer, ceilings=reduced | closed_by_the_person(found.habilitation))


def _said(wanted: dict) -> str:
    until = f" Fin d’accès le {date_fr(wanted['until'])}." if wanted["until"] else ""
    return f"L’accès de ce membre dans ce dossier est à jour.{until}"
