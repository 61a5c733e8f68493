"""« Changer de rôle », and the hand-over that was planned: moved by the same form, called off by a button."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from circle import actions, roles
from circle.errors import NothingPlanned
from circle.forms.access import RoleForm
from circle.views import picking
from circle.views.pages import attempt, day_of, draft_initial, drafted, find_member, find_row, links_of, page
from circle.views.planned import Planned, planned_for
from circle.views.wording import role_said
from coordination.accounts import drafts
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations.rubriques import Niveau, Rubrique

DRAFT = "cercle-role"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def change_role(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Changer de rôle », with the hand-over of a role that someone else holds."""
    kept = {} if request.method == "POST" else draft_initial(request, DRAFT, member_id, RoleForm)
    row, found, planned, form = _drawn(request, entry, member_id, kept)
    differences: list[dict[str, str]] = []
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            changed = attempt(
                form, actions.change_role, entry, found, role=said["role"], handover=said["handover"],
                starts_on=said["starts_on"], version=said["version"] or 0,
            )  # fmt: skip
        except ChangedMeanwhile as refusal:
            row, found, planned, form = _drawn(request, entry, member_id, kept)
            keep_conflict(form, refusal, "Ce membre ou son rôle a changé pendant votre saisie.")
            differences = _differences(form, said, row)
            changed = found if _is_done(said, row, planned) else None
        if changed is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            is_kept = said["role"] == row.role_code and not said["handover"]
            first = "Le rôle est à jour." if is_kept else role_said(form, row.name)
            messages.success(request, " ".join([first, *_said(planned, planned_for(entry, row))]))
            return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)
    context = both_texts(form, found.version) | {
        "row": row,
        "form": form,
        "planned": planned,
        "newcomer": row.name,
        "role_options": picking.options,
        "links": links_of(entry.dossier.pk, found.pk),
        "differences": differences,
        **drafted(DRAFT, found.pk, kept),
    }
    return page(request, entry, "circle/change_role.html", context, status=status_of(form))


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def call_off_plan(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Annuler la passation prévue », on the sheet of either of the two: everybody keeps his role."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    planned = planned_for(entry, row)
    try:
        actions.call_off_plan(entry, found, day=day_of(request.POST.get("prevu", "")))
    except NothingPlanned as error:
        messages.error(request, str(error))
    else:
        messages.success(request, planned.undone if planned else "Le changement prévu est annulé.")
    return redirect(request, links_of(entry.dossier.pk, found.pk).sheet)


def _drawn(request: HttpRequest, entry, member_id: UUID, kept: dict):
    """Return the line of a member, himself, what is planned for him, and the form.

    He is read before the rest: what changes in between is a version that the form does not have. What was being typed
    (`kept`) comes before what is planned.
    """
    found = find_member(entry, member_id)
    row = find_row(entry, member_id)
    planned = planned_for(entry, row)
    offered = picking.picker(
        entry, kind=row.kind, profession=row.profession_code, fonction=row.fonction_code, feminine=row.feminine,
        words=row.profession, but=row.id, current=row.role_code, required=row.kind != roles.STRUCTURE,
    )  # fmt: skip
    # A form that opens on a hand-over to come starts from it, so that sending it changes nothing.
    taking = planned if planned and planned.role in offered.holders else None
    initial = {
        "role": taking.role if taking else row.role_code,
        "starts_on": taking.day if taking else timezone.localdate(),
    }
    initial |= {"version": found.version} | kept
    form = RoleForm(request.POST if request.method == "POST" else None, initial=initial, picker=offered)
    if not kept and taking and taking.role in form.handovers:
        form.handovers[taking.role].initial["starts_on"] = taking.day
    return row, found, planned, form


def _is_done(said: dict, row, planned: Planned | None) -> bool:
    """Say whether what is asked is what stands, or is planned: the same form sent twice."""
    day = (said["handover"] or said)["starts_on"]
    if planned:
        return (planned.role, planned.day) == (said["role"], day)
    return said["role"] == row.role_code and day <= timezone.localdate()


def _differences(form: RoleForm, said: dict, row) -> list[dict[str, str]]:
    """Return the role that was asked for beside the one that stands; what is planned is said above."""
    if said["role"] == row.role_code:
        return []
    yours = form.picker.full_label(said["role"]) if said["role"] else ""
    return [{"label": "Rôle", "yours": yours, "theirs": row.role}]


def _said(before: Planned | None, after: Planned | None) -> list[str]:
    """Return what became of the plan, when there was one and it is no longer what it was."""
    if before is None or (after and (after.day, after.role) == (before.day, before.role)):
        return []
    if after and after.role == before.role:
        return [f"Le changement prévu est déplacé au {date_fr(after.day)}."]
    return [] if after else ["Ce qui était prévu est annulé."]
