"""Leaving the circle, coming back, being found in the directory; and what happened, told in plain French."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from circle import actions, circles, granting, history, roles
from circle.errors import NotDouble, NothingToUndo, RemovalTooOld, StayNotPlanned
from circle.forms.removal import RemovalForm
from circle.models import Change, Period, PlannedStay
from circle.views import options
from circle.views.pages import attempt, circle_url, draft_initial, drafted, find_member, find_row, links_of, page
from circle.views.sheet import may_undo
from circle.views.wording import is_back, was_removed, were_joined
from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.context import offer_undo
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.common.pagination import paginate
from coordination.common.text import fold
from coordination.directory.models import Activity
from coordination.directory.search import find_similar, search
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.forms import TidyForm
from habilitations.rubriques import Action, Niveau, Rubrique

DRAFT = "cercle-retrait"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def remove(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Retirer du cercle »: a reason, what it closes, and an undo for 30 days."""
    found, row = find_member(entry, member_id), find_row(entry, member_id)
    entry.access.require(Action.GRANT, structure_id=row.structure_id)
    kept = {} if request.method == "POST" else draft_initial(request, DRAFT, found.pk, RemovalForm)
    initial = _planned_initial(row) | {"version": found.version} | kept
    form = RemovalForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        try:
            details = {"reason": said["reason"], "note": said["note"], "version": said["version"]}
            if said["day"] > timezone.localdate():
                done = attempt(form, actions.plan_departure, entry, found, on=said["day"], **details)
            else:
                done = attempt(form, actions.remove_member, entry, found, **details)
        except ChangedMeanwhile as error:
            # Who he is before what is planned of him: what changes in between is another version still.
            found, row = find_member(entry, member_id), find_row(entry, member_id)
            keep_conflict(form, error, f"{error} Relisez sa fiche avant de le retirer.")
            done = None
        if done is not None:
            drafts.clear(request.user, DRAFT, found.pk)
            _offer_undo(request, row, done)
            return redirect(request, circle_url(entry))
    # Nothing was planned: there is no text of another beside one's own.
    stored = (lambda: RemovalForm(initial=_planned_initial(row))) if row.plan_id else None
    context = both_texts(form, found.version, stored) | {
        "row": row,
        "form": form,
        "links": links_of(entry.dossier.pk, found.pk),
        "is_last": row.has_access and granting.is_last_able_to_grant(entry.dossier.pk, found),
        **drafted(DRAFT, found.pk, kept),
    }
    return page(request, entry, "circle/remove.html", context, status=status_of(form))


def _planned_initial(row) -> dict:
    """Return what was noted of the departure, which the same form changes; today when there is none."""
    plan = PlannedStay.objects.waiting().filter(pk=row.plan_id).first() if row.plan_id else None
    if plan is None:
        return {"day": timezone.localdate()}
    return {"day": max(plan.ends_on, timezone.localdate()), "reason": plan.reason, "note": plan.note}


def _offer_undo(request: HttpRequest, row, done: Period | PlannedStay) -> None:
    if isinstance(done, PlannedStay):
        said = f"Départ prévu le {date_fr(done.ends_on)} : {row.name}. D’ici là, rien ne change."
        undo = reverse("circle:call_off_stay", args=[done.dossier_id, done.pk])
        offer_undo(request, said, url=undo, label="Annuler le départ prévu")
    else:
        gender = row.feminine or (None if not row.civility else False)
        undo = links_of(done.dossier_id, row.id).undo
        offer_undo(request, was_removed(row.name, gender), url=undo, label="Annuler le retrait")


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="plan_id")
def call_off_stay(request: HttpRequest, entry, plan_id: UUID) -> HttpResponse:
    """« Annuler le départ prévu », « Annuler l’arrivée »: from the sheet, the list or the toast."""
    try:
        plan = actions.call_off_stay(entry, plan_id)
    except StayNotPlanned as error:
        messages.error(request, str(error))
        return redirect(request, circle_url(entry))
    if plan.period_id is None:
        messages.success(request, "L’arrivée prévue est annulée.")
        return redirect(request, circle_url(entry))
    messages.success(request, "Le départ prévu est annulé.")
    return redirect(request, links_of(entry.dossier.pk, plan.member_id).sheet)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def undo_removal(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """Undo, from the toast or from the history: same period, access as it was, the role unless it was taken."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    # A removal was never delayed; what gives the access back is an opening like another.
    if found.habilitation.gives_access_back():
        reauthentication.require(request, "rendre un accès au dossier", reauthentication.DOSSIER)
    try:
        undone = actions.undo_removal(entry, found)
    except (NothingToUndo, RemovalTooOld) as error:
        messages.error(request, str(error))
    else:
        back = messages.warning if undone.lost else messages.success
        back(request, " ".join([is_back(row.name, row.feminine or None, as_before=not undone.lost), *undone.lost]))
    return redirect(request, circle_url(entry))


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, object_kwarg="member_id")
def join(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Réunir les deux entrées » of one structure: from the list, undone from the toast."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    try:
        joined = actions.join_doubles(entry, found)
    except NotDouble as error:
        messages.info(request, str(error))
    else:
        links = links_of(entry.dossier.pk, joined.left.pk)
        said = " ".join([*were_joined(row.name, joined), *joined.lost])
        offer_undo(request, said, url=links.undo, label="Annuler")
    return redirect(request, circle_url(entry))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.ADD_MEMBER, object_kwarg="member_id")
def link(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """« Relier à l'annuaire »: who the hand-entered professional is, among those who look like him."""
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    if row.kind != roles.MANUAL:
        raise Http404
    form = TidyForm(request.POST if request.method == "POST" else None)
    links = links_of(entry.dossier.pk, found.pk)
    if form.is_bound and form.is_valid() and "activite" in request.POST:
        activity = _activity(request.POST["activite"])
        linked = attempt(
            form, actions.link_to_directory, entry, found, professional=activity.professional, activity=activity
        )
        if linked is not None:
            messages.success(request, "Ce membre est relié à l’annuaire. Il peut maintenant être habilité.")
            return redirect(request, links.sheet)
    text = request.POST.get("q", "").replace("\0", "").strip()[:100]
    if len(fold(text)) >= 2:
        found_there = search(
            text, near=entry.dossier.postal_code or None, kinds=("professional",)
        ).professionals.results
    else:
        found_there = find_similar(row.family_name, row.given_name, profession=row.profession_code, town=row.town)
    context = {
        "row": row,
        "form": form,
        "text": text,
        "links": links,
        "people": [options.person_option(result, entry.dossier.pk) | {"activity": result.activity_id}
                   for result in found_there],
    }  # fmt: skip
    return page(request, entry, "circle/link.html", context, status=422 if form.errors else 200)


def _activity(text: str) -> Activity:
    try:
        activity = Activity.objects.select_related("professional").filter(pk=text).first()
    except ValidationError:
        activity = None
    if activity is None:
        raise Http404
    return activity


# ---- History -------------------------------------------------------------------------------------


@require_safe
@rubric_view(Rubrique.CERCLE)
def circle_history(request: HttpRequest, entry) -> HttpResponse:
    """What happened in the circle, newest first."""
    return _history(request, entry, Change.objects.filter(dossier_id=entry.dossier.pk), None)


@require_safe
@rubric_view(Rubrique.CERCLE, object_kwarg="member_id")
def member_history(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """What happened to one member, roles handed over included."""
    row = find_row(entry, member_id)
    return _history(request, entry, Change.objects.filter(dossier_id=entry.dossier.pk, member=member_id), row)


def _history(request, entry, changes, row) -> HttpResponse:
    seen = changes.visible_to(entry.access).with_names().order_by("-at", "-id")
    shown = paginate(seen, request.GET.get("page"))
    context = {
        "row": row,
        "state": "" if row else circles.state_of(entry.dossier.pk),
        "lines": [_line(act) for act in history.acts_of(shown.items)],
        "shown": shown,
        "links": links_of(entry.dossier.pk, row.id) if row else None,
        "may_undo": bool(row) and may_undo(row, entry),
        "here": request.path,
    }
    return page(request, entry, "circle/history.html", context)


def _line(act) -> dict:
    tolds = [history.told_of(change) for change in act]
    return {"at": act[-1].at, "icon": history.ICONS[act[0].kind], "sentence": history.tell(tolds)}
