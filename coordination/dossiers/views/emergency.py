"""« Accès d’urgence » (SEC-8): opening a dossier to oneself, leaving it; reviewing what others opened.

These pages exist only where the setting is on (`coordination.dossiers.urls`). Who is looked for comes by POST.
"""

from __future__ import annotations

from typing import TypeGuard
from uuid import UUID

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication, second_factor
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers import emergencies
from coordination.dossiers.door import rubric_view
from coordination.dossiers.forms import BanForm, EmergencyForm, ReviewForm
from coordination.dossiers.journal.emergency import done_during
from coordination.dossiers.models import Dossier
from coordination.dossiers.strip import strip_and_nav
from habilitations import access, acting, traces
from habilitations import actions as habilitations
from habilitations.actions import emergency as rules
from habilitations.errors import EmergencyNotOpened, NotAllowed
from habilitations.models import EmergencyAccess, EmergencyBan, Outcome
from habilitations.officers import may_search_journals
from habilitations.rubriques import Action, Niveau, Rubrique

ACT = "ouvrir un dossier en urgence"
REVIEW_DRAFT, OFFICER_DRAFT, BAN_DRAFT = "revue-urgence", "revue-urgence-dpo", "interdiction-urgence"


@require_http_methods(["GET", "HEAD", "POST"])
def open_emergency(request: HttpRequest) -> HttpResponse:
    """The form, for doctors and nurses who have just shown their second factor; whoever else finds nothing."""
    if not rules.may_open(request.user):
        raise Http404
    if not second_factor.enrolled(request.user):
        return render(request, "dossiers/emergency.html", {"form": None, "running": []}, status=403)
    if not second_factor.shown_within(request, settings.BRIS_DE_GLACE_FACTOR_SECONDS):
        return reauthentication.ask_factor(request, ACT)
    if request.method == "POST" and (too_many := ratelimit.consume_or_429(request, action="emergency")):
        return too_many
    form = EmergencyForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid() and (opened := _open(request, form)):
        return redirect(request, "dossiers:home", opened)
    context = {
        "form": form,
        "running": emergencies.running_of(request.user),
        "lasts": emergencies.lasting(),
    }
    return render(request, "dossiers/emergency.html", context, status=422 if form.is_bound else 200)


def _open(request: HttpRequest, form: EmergencyForm) -> UUID | None:
    found = emergencies.find(request.user, form.traits())
    said, via = form.cleaned_data, traces.via_request(request)
    if _is_inside(request, found):
        return found.pk
    try:
        if found is None:
            raise EmergencyNotOpened
        habilitations.open_emergency(
            found.pk, by=request.user, reason=said["reason"], detail=said["detail"], via=via
        )  # fmt: skip
    except EmergencyNotOpened as refusal:
        if _is_inside(request, found):
            return found.pk
        traces.record_account(
            user=request.user, action=rules.OPENED, outcome=Outcome.REFUSED, object_kind="dossier", via=via
        )
        form.refuse(refusal)
        return None
    return found.pk


def _is_inside(request: HttpRequest, found: Dossier | None) -> TypeGuard[Dossier]:
    """Say whether the dossier is open to him already: only who is inside is told so."""
    if found is None or access.to_dossier(request.user, found.pk) is None:
        return False
    messages.info(request, "Ce dossier vous est déjà ouvert.")
    return True


@require_POST
@rubric_view(None, action=rules.LEFT)
def leave(request: HttpRequest, entry) -> HttpResponse:
    """« Quitter » in the banner: one click."""
    if not habilitations.leave_emergency(entry.dossier.pk, by=request.user, via=entry.via):
        # A member has nothing to leave: the act is rolled back, and the journal says that nothing was done.
        raise Http404
    messages.success(request, "Vous avez quitté l’accès d’urgence.")
    return redirect(request, "dossiers:list")


# ---- reviewing -------------------------------------------------------------------------------------


@require_safe
@rubric_view(None, right=Action.GRANT, object_kwarg="emergency_id")
def show_emergency(request: HttpRequest, entry, emergency_id: UUID) -> HttpResponse:
    """One emergency access, for who may grant in the dossier."""
    return _review_page(request, entry, _emergency_of(entry, emergency_id))


@require_POST
@rubric_view(None, right=Action.GRANT, action=rules.REVIEWED, object_kwarg="emergency_id")
def review(request: HttpRequest, entry, emergency_id: UUID) -> HttpResponse:
    """« Justifié » or « À examiner »."""
    found = _emergency_of(entry, emergency_id)
    form = ReviewForm(request.POST)
    if _reviewed(form, found, by=request.user, access=entry.access):
        drafts.clear(request.user, REVIEW_DRAFT, found.pk)
        messages.success(request, "La relecture de cet accès d’urgence est enregistrée.")
        return redirect(request, "todo")
    return _review_page(request, entry, found, form)


def _emergency_of(entry, emergency_id: UUID) -> EmergencyAccess:
    found = EmergencyAccess.objects.filter(dossier_id=entry.dossier.pk).select_related("user")
    return get_object_or_404(found, pk=emergency_id)


def _reviewed(form: ReviewForm, found: EmergencyAccess, **details) -> bool:
    if not form.is_valid():
        return False
    try:
        habilitations.review_emergency(found, **form.cleaned_data, **details)
    except NotAllowed:
        raise
    except DomainError as refusal:
        form.refuse(refusal)
        return False
    return True


def _review_page(request: HttpRequest, entry, found: EmergencyAccess, form: ReviewForm | None = None) -> HttpResponse:
    kept = drafts.load(request.user, REVIEW_DRAFT, found.pk) if form is None else None
    context = strip_and_nav(entry, "") | {
        "emergency": found,
        "done": done_during(found),
        "reviews": list(found.reviews.select_related("by").order_by("at")),
        "form": form or ReviewForm(initial=drafts.initial(ReviewForm, kept)),
        "is_own": acting.concerns(entry.access, found.user_id, request.user),
        **drafts.shown(REVIEW_DRAFT, found.pk, kept),
    }
    return render(request, "dossiers/emergency_review.html", context, status=422 if form else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def officer_reviews(request: HttpRequest, emergency_id: UUID | None = None) -> HttpResponse:
    """The same, across dossiers, for the data-protection officer: a reference, no identity. Others find nothing."""
    if not may_search_journals(request.user):
        raise Http404
    form, found, kept = None, None, None
    if emergency_id is not None:
        found = get_object_or_404(EmergencyAccess.objects.select_related("user"), pk=emergency_id)
        kept = drafts.load(request.user, OFFICER_DRAFT, found.pk) if request.method != "POST" else None
        form = ReviewForm(request.POST if request.method == "POST" else None, initial=drafts.initial(ReviewForm, kept))
        if form.is_bound and _reviewed_by_officer(request, form, found):
            drafts.clear(request.user, OFFICER_DRAFT, found.pk)
            messages.success(request, "La relecture de cet accès d’urgence est enregistrée.")
            return redirect(request, "dossiers:emergencies")
    rows = [] if found else emergencies.for_officer()
    traces.record_account(
        user=request.user, action="lecture", object_kind="urgences", count=len(rows), via=traces.via_request(request)
    )
    context = {
        "rows": rows,
        "emergency": found,
        "done": done_during(found) if found else [],
        "form": form,
        "reviews": list(found.reviews.select_related("by").order_by("at")) if found else [],
        **(drafts.shown(OFFICER_DRAFT, found.pk, kept) if found else {}),
    }
    return render(request, "dossiers/emergencies.html", context, status=422 if form and form.is_bound else 200)


@transaction.atomic
def _reviewed_by_officer(request: HttpRequest, form: ReviewForm, found: EmergencyAccess) -> bool:
    """Write the review and its trace: no door does it here."""
    done = _reviewed(form, found, by=request.user)
    if done:
        traces.record_account(
            user=request.user, action=rules.REVIEWED, object_kind=rules.KIND, object_id=found.pk,
            via=traces.via_request(request),
        )  # fmt: skip
    return done


# ---- the person's word beforehand ------------------------------------------------------------------


@require_safe
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL)
def ban(request: HttpRequest, entry) -> HttpResponse:
    """What the person said of emergency accesses, and the form of who may record a refusal."""
    return _ban_page(request, entry)


@require_POST
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, action=rules.BANNED)
def forbid(request: HttpRequest, entry) -> HttpResponse:
    """« Interdire l’accès d’urgence »: it closes, and waits for nothing."""
    form = BanForm(request.POST)
    if not form.is_valid():
        return _ban_page(request, entry, form)
    try:
        habilitations.forbid_emergency(
            entry.dossier.pk, by=request.user, access=entry.access, via=entry.via, **form.cleaned_data
        )
    except NotAllowed:
        raise
    except DomainError as refusal:
        form.refuse(refusal)
        return _ban_page(request, entry, form)
    drafts.clear(request.user, BAN_DRAFT, entry.dossier.pk)
    messages.success(request, "L’accès d’urgence est interdit dans ce dossier.")
    return redirect(request, "dossiers:emergency_ban", entry.dossier.pk)


@require_POST
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.RECORD_REFUSAL, action=rules.ALLOWED)
def allow(request: HttpRequest, entry) -> HttpResponse:
    """« Permettre de nouveau »: it opens a way in, and asks again who is there."""
    reauthentication.require(request, "permettre de nouveau l’accès d’urgence", reauthentication.DOSSIER)
    habilitations.allow_emergency(entry.dossier.pk, by=request.user, access=entry.access)
    messages.success(request, "L’accès d’urgence est de nouveau permis dans ce dossier.")
    return redirect(request, "dossiers:emergency_ban", entry.dossier.pk)


def _ban_page(request: HttpRequest, entry, form: BanForm | None = None) -> HttpResponse:
    if not entry.access.may_record_refusal:
        raise NotAllowed
    kept = drafts.load(request.user, BAN_DRAFT, entry.dossier.pk) if form is None else None
    bans = EmergencyBan.objects.filter(dossier_id=entry.dossier.pk).select_related("recorded_by", "withdrawn_by")
    context = strip_and_nav(entry, "") | {
        "bans": list(bans.order_by("-recorded_at")),
        "form": form or BanForm(initial=drafts.initial(BanForm, kept)),
        "may_allow": entry.access.may_withdraw_refusal,
        "lasts": emergencies.lasting(),
        **drafts.shown(BAN_DRAFT, entry.dossier.pk, kept),
    }
    return render(request, "dossiers/emergency_ban.html", context, status=422 if form else 200)
