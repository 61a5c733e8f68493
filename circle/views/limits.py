"""« Réduire pour ce dossier »: less than the profession opens, for one member, and until when."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, roles
from circle.forms.access import YES
from circle.forms.limits import LimitsForm
from circle.views import answering
from circle.views.drawing import can_be_granted, may_grant
from circle.views.pages import attempt, draft_initial, drafted, find_member, find_row, links_of, page
from coordination.accounts import drafts, reauthentication
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from habilitations import published
from habilitations.access import hat_of
from habilitations.actions.limits import opens, standing
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
    pair = _pair(found)
    form, kept = _form(request, found, pair)
    asked = form.is_bound and form.is_valid()
    preview = _preview(found, pair, form, asked)
    if PREVIEW in request.GET:
        return render(request, "circle/_limits_preview.html", {"preview": preview})
    if request.method == "POST" and asked and PREVIEW not in request.POST:
        wanted = {"ceilings": form.ceilings(), "until": form.cleaned_data["until"]}
        if opens(found.habilitation, **wanted):
            # Only what gives something back waits for a password: closing is never delayed (SEC-18).
            reauthentication.require(request, "rendre un accès au dossier", reauthentication.DOSSIER)
        if attempt(form, actions.limit_access, entry, found, **wanted) is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, _said(wanted))
            return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)
    context = {
        "row": row,
        "form": form,
        "preview": preview,
        "links": links_of(entry.dossier.pk, found.pk),
        "until": found.habilitation.access_until,
        "is_structure": found.kind == roles.STRUCTURE,
        **drafted(DRAFT, found.pk, kept),
    }
    return page(request, entry, "circle/limits.html", context, status=422 if form.errors else 200)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def extend(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Prolonger de trois mois », in one click."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    _require_grantable(entry, row)
    reauthentication.require(request, "prolonger un accès au dossier", reauthentication.DOSSIER)
    member = actions.extend_access(entry, found)
    if member.habilitation.access_until:
        messages.success(request, f"Fin d’accès le {date_fr(member.habilitation.access_until)}.")
    return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)


def _require_grantable(entry, row) -> None:
    if row.ends_on or not can_be_granted(row):
        raise Http404
    if not may_grant(row, entry):
        raise GrantNotAllowed


def _pair(found) -> tuple[str, str]:
    user = found.habilitation.user
    hat = hat_of(user) if user else None
    return (hat.profession, hat.fonction) if hat and hat.profession else found.profession_codes


def _form(request: HttpRequest, found, pair) -> tuple[LimitsForm, dict]:
    matrix = published.current()
    profile = matrix.profile_of(*pair)
    is_structure = found.kind == roles.STRUCTURE
    # Each delegate has his own profession: what is reduced for a structure may be any rubric.
    cells = {r: Niveau.ECRITURE if is_structure else matrix.level(profile, r) for r in matrix.rubrics}
    told = {"cells": cells, "standing": standing(found.habilitation)}
    if request.method == "POST":
        return LimitsForm(request.POST, **told), {}
    if PREVIEW in request.GET:
        return LimitsForm(request.GET, **told), {}
    kept = draft_initial(request, DRAFT, found.pk)
    return LimitsForm(initial={"until": found.habilitation.access_until} | kept, **told), kept


def _preview(found, pair, form: LimitsForm, asked: bool) -> dict | None:
    if found.kind == roles.STRUCTURE:
        return None
    answer = YES if found.habilitation.state == YES else ""
    reduced = form.ceilings() if asked else standing(found.habilitation)
    return answering.preview_of(pair, answer, ceilings=reduced | closed_by_the_person(found.habilitation))


def _said(wanted: dict) -> str:
    until = f" Fin d’accès le {date_fr(wanted['until'])}." if wanted["until"] else ""
    return f"L’accès de ce membre dans ce dossier est à jour.{until}"
