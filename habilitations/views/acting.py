"""« Absences et remplaçants »: one's own absences, stand-ins and secretaries, and those for whom one acts.

What opens an access asks again who is there; ending never waits (SEC-18).
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from allauth.core import ratelimit
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coordination.accounts import drafts, reauthentication
from coordination.common.errors import DomainError
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.common.text import person_name
from habilitations import access, actions
from habilitations.acting_errors import ActingAnswered
from habilitations.acting_forms import AbsenceForm, SecretaryForm
from habilitations.models import ActingFor
from habilitations.rubriques import Rubrique
from habilitations.traces import via_request

ABSENCE_DRAFT, SECRETARY_DRAFT = "absence", "secretariat"
STAND_IN = ActingFor.Kind.STAND_IN
ASKED = "Si un compte répond à ce que vous avez indiqué, un message lui demande son accord. Rien n’est ouvert avant."
# How long a « no » is shown to who had asked.
TOLD_FOR = timedelta(days=30)


@require_safe
def acting(request: HttpRequest) -> HttpResponse:
    """One's own absences and secretaries, then those for whom one acts. One SQL statement."""
    user = request.user
    mine = Q(principal=user) | Q(substitute=user)
    standing = ActingFor.objects.standing().filter(mine)
    refused = ActingFor.objects.filter(
        ~Q(ended_by=user), principal=user, accepted_at=None, ended_at__gt=timezone.now() - TOLD_FOR
    )
    rows = list((standing | refused).select_related("principal", "substitute").order_by("first_day", "pk"))
    own = [row for row in rows if row.principal_id == user.pk]
    context = {
        "absences": [_own_line(row) for row in own if row.kind == STAND_IN],
        "secretaries": [_own_line(row) for row in own if row.kind != STAND_IN],
        "others": [_other_line(row) for row in rows if row.principal_id != user.pk],
        "is_vouched": bool(access.hat_of(user).profession),
    }
    return render(request, "habilitations/acting.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest) -> HttpResponse:
    """« Déclarer une absence », with or without a stand-in."""
    kept = None if request.method == "POST" else drafts.load(request.user, ABSENCE_DRAFT, request.user.pk)
    form = AbsenceForm(request.POST if request.method == "POST" else None, initial=drafts.initial(AbsenceForm, kept))
    if form.is_bound and form.is_valid():
        if form.cleaned_data["called"]:
            if too_many := ratelimit.consume_or_429(request, action="offers"):
                return too_many
            reauthentication.require(request, "vous faire remplacer")
        if _done(request, form, actions.declare_absence, holder=form.holder(), **form.cleaned_data):
            drafts.clear(request.user, ABSENCE_DRAFT, request.user.pk)
            messages.success(request, ASKED if form.cleaned_data["called"] else "Votre absence est déclarée.")
            return redirect(request, "acting:list")
    return _form_page(request, "habilitations/absence_form.html", form, ABSENCE_DRAFT, found=bool(kept))


@require_http_methods(["GET", "HEAD", "POST"])
def secretary(request: HttpRequest) -> HttpResponse:
    """« Confier mon secrétariat »: who, which rubrics, from when to when."""
    kept = None if request.method == "POST" else drafts.load(request.user, SECRETARY_DRAFT, request.user.pk)
    initial = drafts.initial(SecretaryForm, kept)
    form = SecretaryForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        if too_many := ratelimit.consume_or_429(request, action="offers"):
            return too_many
        reauthentication.require(request, "confier votre secrétariat")
        if _done(request, form, actions.name_secretary, holder=form.holder(), **form.cleaned_data):
            drafts.clear(request.user, SECRETARY_DRAFT, request.user.pk)
            messages.success(request, ASKED)
            return redirect(request, "acting:list")
    return _form_page(request, "habilitations/secretary_form.html", form, SECRETARY_DRAFT, found=bool(kept))


@require_http_methods(["GET", "HEAD", "POST"])
def answer(request: HttpRequest, acting_id: UUID) -> HttpResponse:
    """What is asked of the one who was called; nobody else finds it. Once over, he is told so: his mail leads here."""
    asked = ActingFor.objects.filter(substitute=request.user).select_related("principal")
    row = get_object_or_404(asked, pk=acting_id)
    if not ActingFor.objects.waiting().filter(pk=row.pk).exists():
        messages.info(request, ActingAnswered.message)
        return redirect(request, "acting:list")
    error = ""
    if request.method == "POST":
        says_yes = request.POST.get("reponse") == "oui"
        if says_yes:
            reauthentication.require(request, "agir pour une autre personne")
        act = actions.accept_acting if says_yes else actions.refuse_acting
        try:
            act(row, by=request.user, via=via_request(request))
        except DomainError as refusal:
            error = str(refusal)
        else:
            messages.success(request, "C’est noté : vous avez accepté." if says_yes else "Vous avez refusé.")
            return redirect(request, "acting:list")
    context = {
        "row": row,
        "name": _name(row.principal),
        "is_stand_in": row.kind == STAND_IN,
        "title": "Demande de remplacement" if row.kind == STAND_IN else "Demande de secrétariat",
        "days": _days(row),
        "rubriques": _rubrics(row),
        "error": error,
        "is_vouched": bool(access.hat_of(request.user).profession),
    }
    return render(request, "habilitations/acting_answer.html", context, status=422 if error else 200)


@require_POST
def end(request: HttpRequest, acting_id: UUID) -> HttpResponse:
    """« Mettre fin », by either of the two; one click, since it only closes."""
    mine = Q(principal=request.user) | Q(substitute=request.user, accepted_at__isnull=False)
    row = ActingFor.objects.filter(mine, pk=acting_id).first()
    if row is None:
        raise Http404
    actions.end_acting(row, by=request.user, via=via_request(request))
    messages.success(request, "C’est terminé : plus rien n’est ouvert par là.")
    return redirect(request, "acting:list")


def _done(request: HttpRequest, form, act, **details) -> bool:
    try:
        act(by=request.user, via=via_request(request), **details)
    except DomainError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
    return not form.errors


def _form_page(request: HttpRequest, template: str, form, draft: str, *, found: bool) -> HttpResponse:
    context = {
        "form": form,
        **drafts.shown(draft, request.user.pk, found),
    }
    return render(request, template, context, status=422 if form.is_bound else 200)


def _own_line(row: ActingFor) -> dict:
    """Return one of one's own lines: the days, who, and how far it has come."""
    who = _name(row.substitute) if row.accepted_at else row.called
    state = None
    if row.ended_at:
        state = {"label": "Refusé", "kind": "refus"}
    elif row.called and not row.accepted_at:
        state = {"label": "En attente de sa réponse", "kind": "att"}
    return {
        "days": _days(row), "who": who, "state": state, "rubriques": _rubrics(row),
        "is_under_way": row.first_day <= timezone.localdate(),
        "end_url": "" if row.ended_at else reverse("acting:end", args=[row.pk]),
    }  # fmt: skip


def _other_line(row: ActingFor) -> dict:
    url = reverse("acting:end" if row.accepted_at else "acting:answer", args=[row.pk])
    return {
        "who": _name(row.principal), "is_stand_in": row.kind == STAND_IN, "days": _days(row),
        "rubriques": _rubrics(row), "end_url": url if row.accepted_at else "",
        "answer_url": "" if row.accepted_at else url,
    }  # fmt: skip


def _days(row: ActingFor) -> str:
    if row.last_day is None:
        return f"Depuis le {date_fr(row.first_day)}"
    return f"Du {date_fr(row.first_day)} au {date_fr(row.last_day)}"


def _rubrics(row: ActingFor) -> str:
    return ", ".join(Rubrique(rubrique).label for rubrique in row.rubriques)


def _name(user) -> str:
    return person_name(user.family_name, user.given_name)
