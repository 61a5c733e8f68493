"""« Consentements et refus » of a dossier, and « Accord et équipe de soins » of one member (SEC-3, SEC-4, SEC-5)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import BaseForm
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from circle import actions, ledger, roles
from circle.forms.sharing import ConsentForm, EndForm, OppositionForm, OppositionWithdrawalForm
from circle.models import Member
from circle.views.drawing import is_reader
from circle.views.pages import (
    attempt,
    draft_initial,
    drafted,
    find_member,
    find_row,
    links_of,
    page,
)
from coordination.accounts import drafts, reauthentication
from coordination.accounts.decorators import recently_authenticated
from coordination.common.addresses import address
from coordination.common.conflicts import both_texts, keep_conflict, status_of
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import information
from habilitations.actions.consents import current, read_as, stands, widens
from habilitations.errors import NotAllowed
from habilitations.models import Consent, Opposition
from habilitations.rubriques import Action, Niveau, Rubrique

DRAFT, END_DRAFT = "cercle-accord", "cercle-fin-accord"
OPPOSITION_DRAFT, WITHDRAWAL_DRAFT = "cercle-opposition", "cercle-retrait-opposition"
CHANGED = "Ce qui est noté pour ce membre a changé pendant votre saisie."
SHOWN = (
    ("", "Tout"),
    (ledger.STANDING, "En cours"),
    (ledger.MISSING, "À recueillir"),
    (ledger.CONSENTS, "Accords et équipe de soins"),
    (ledger.REFUSALS, "Refus et oppositions"),
    (ledger.PAST, "Terminés"),
)


@require_safe
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL)
def consents(request: HttpRequest, entry) -> HttpResponse:
    """Every fact of the dossier that the reader may know, standing and past."""
    _require_noting(entry)
    shown = request.GET.get("afficher", "")
    facts = ledger.facts_of(entry)
    context = {
        "facts": ledger.kept(facts, shown),
        "all": len(facts),
        "shown": shown if shown in dict(SHOWN) else "",
        "choices": SHOWN,
        "url_of": lambda member_id: links_of(entry.dossier.pk, member_id).consent,
        "here": consents_url(entry),
        "may_print": entry.access.may(Action.PRINT),
        "withdraw": (lambda opposition_id: address("circle:withdraw_opposition", entry.dossier.pk, opposition_id))
        if entry.access.may_withdraw_refusal
        else None,
    }
    return page(request, entry, "circle/consents.html", context)


@require_safe
@recently_authenticated(act="imprimer les consentements et les refus", within=reauthentication.DOSSIER)
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, action="impression")
def print_consents(request: HttpRequest, entry) -> HttpResponse:
    """What stands today, the information text, and where the person signs: a page made for paper."""
    _require_noting(entry)
    entry.access.require(Action.PRINT)
    facts = [fact for fact in ledger.facts_of(entry) if fact.is_standing]
    context = {
        "consents": [fact for fact in facts if fact.kind == ledger.CONSENTS],
        "refusals": [fact for fact in facts if fact.kind == ledger.REFUSALS],
        "closed": any(fact.is_whole for fact in facts),
        "information": information.TEXT,
        "version": information.VERSION,
        "today": timezone.localdate(),
        "here": consents_url(entry),
    }
    return page(request, entry, "circle/consents_print.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, object_kwarg="member_id")
def consent(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """On what the sharing with one member rests: what stands, what was, and a new fact."""
    _require_noting(entry)
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    now = current(found.habilitation)
    may_open = entry.access.may_withdraw_refusal and not is_reader(row, entry) and not row.ends_on
    form, kept = _consent_form(request, entry, found, now) if may_open else (None, {})
    said: dict[str, Any] = {"conflict": "", "differences": []}
    if form is not None and form.is_bound and form.is_valid():
        rests = form.rests()
        if widens(now, rubriques=rests["rubriques"], last_day=rests["last_day"]):
            # Only what opens something waits for a password: a narrower consent never does (SEC-18).
            reauthentication.require(request, "noter l’accord de la personne", reauthentication.DOSSIER)
        try:
            done = attempt(form, actions.record_consent, entry, found, **rests) is not None
        except ChangedMeanwhile as refusal:
            now = current(found.habilitation)
            said = _compared(entry, found, form, now, refusal)
            # What stands is what is noted: the same form sent twice.
            done = stands(now) and not said["differences"]
        if done:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, "C’est noté : l’accès suit dès maintenant.")
            return redirect(request, links.consent)
    elif request.method == "POST" and form is None:
        raise NotAllowed
    context = said | {
        "row": row,
        "now": now if now and stands(now) else None,
        "facts": ledger.facts_of(entry, member_id=found.pk),
        "may_note": form is not None,
        "is_own": is_reader(row, entry),
        "links": links,
        "may_end": bool(now and stands(now)) and not row.ends_on,
        "list_url": consents_url(entry),
        "oppose_url": f"{address('circle:oppose', entry.dossier.pk)}?membre={found.pk}",
        **drafted(DRAFT, found.pk, kept),
    }
    if form is None:
        return page(request, entry, "circle/consent.html", context)
    context["form"] = form
    return page(request, entry, "circle/consent.html", context, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL, object_kwarg="member_id")
def end_consent(request: HttpRequest, entry, member_id: UUID) -> HttpResponse:
    """The person withdraws her consent, or the member leaves the équipe de soins: the access stops at once."""
    _require_noting(entry)
    row, found = find_row(entry, member_id), find_member(entry, member_id)
    links = links_of(entry.dossier.pk, found.pk)
    now = current(found.habilitation)
    if now is None or now.end or row.ends_on:
        messages.info(request, "Aucun accord ni équipe de soins n’est en cours pour ce membre.")
        return redirect(request, links.consent)
    kept = _kept(request, END_DRAFT, found.pk, EndForm)
    # The one that ends is the one that the page says, whatever a draft was typed on.
    initial = {"ended_on": timezone.localdate()} | kept | {"seen": read_as(now)}
    form = EndForm(request.POST if request.method == "POST" else None, initial=initial, express=now.is_express)
    if form.is_bound and request.POST.get("seen", "") != read_as(now):
        form = _of_another(request, now)
    elif form.is_bound and form.is_valid():
        try:
            done = attempt(form, actions.end_consent, entry, found, **form.cleaned_data)
        except ChangedMeanwhile:
            now, done = current(found.habilitation) or now, None
            form = _of_another(request, now)
        if done is not None:
            drafts.clear(request.user, END_DRAFT, found.pk)
            messages.success(request, "C’est noté : l’accès est fermé.")
            # Who ended his own has nothing left to see here.
            return redirect(request, "dossiers:list" if is_reader(row, entry) else links.consent)
    context = {
        "row": row, "now": now, "form": form, "links": links,
        "conflict": getattr(form, "conflict", ""), **drafted(END_DRAFT, found.pk, kept),
    }  # fmt: skip
    return page(request, entry, "circle/end_consent.html", context, status=status_of(form))


def _of_another(request: HttpRequest, now: Consent) -> EndForm:
    """Return what was typed of the end of a fact, for the one that stands instead: nothing ends unread."""
    form = EndForm(initial=request.POST.dict() | {"seen": read_as(now)}, express=now.is_express)
    keep_conflict(form, ChangedMeanwhile(), CHANGED)
    return form


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, right=Action.RECORD_REFUSAL)
def oppose(request: HttpRequest, entry) -> HttpResponse:
    """« Noter une opposition »: to a rubric, for a member or for everybody, or to the whole dossier."""
    _require_noting(entry)
    kept = _kept(request, OPPOSITION_DRAFT, entry.dossier.pk, OppositionForm)
    initial = {"refused_on": timezone.localdate(), "whom": request.GET.get("membre", "")} | kept
    rows = Member.objects.rows(entry)
    asked = {
        "rubrics": entry.access.matrix.rubrics,
        "members": [(str(row.id), row.name) for row in rows if row.kind != roles.PERSON or row.user_id],
        "inside": [
            (str(row.user_id), row.name) for row in rows
            if row.user_id and row.has_access and row.user_id != entry.user.pk
        ],
    }  # fmt: skip
    form = OppositionForm(request.POST if request.method == "POST" else None, initial=initial, **asked)
    if form.is_bound and form.is_valid():
        member = find_member(entry, form.member_id) if form.member_id else None
        done = attempt(form, actions.record_opposition, entry, member=member, **form.opposition())
        if done is not None:
            drafts.clear(request.user, OPPOSITION_DRAFT, entry.dossier.pk)
            messages.success(request, "Opposition notée : elle s’applique dès maintenant.")
            return redirect(request, consents_url(entry))
    context = {"form": form, "here": consents_url(entry), **drafted(OPPOSITION_DRAFT, entry.dossier.pk, kept)}
    return page(request, entry, "circle/oppose.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.CERCLE, Niveau.ECRITURE, right=Action.RECORD_REFUSAL, object_kwarg="opposition_id")
def withdraw_opposition(request: HttpRequest, entry, opposition_id: UUID) -> HttpResponse:
    """« Retirer l'opposition »: what profession and habilitation open is open again."""
    shown = Opposition.objects.standing().shown_to(entry.user, entry.access)
    found = shown.filter(dossier_id=entry.dossier.pk, pk=opposition_id).first()
    if found is None:
        # Unknown, withdrawn, or aimed at the reader: the same answer (SEC-6).
        raise Http404
    fact = next((fact for fact in ledger.facts_of(entry) if fact.opposition_id == found.pk), None)
    if fact is None:
        raise Http404
    kept = _kept(request, WITHDRAWAL_DRAFT, found.pk, OppositionWithdrawalForm)
    initial = {"withdrawn_on": timezone.localdate()} | kept
    form = OppositionWithdrawalForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        reauthentication.require(request, "retirer une opposition au partage", reauthentication.DOSSIER)
        if attempt(form, actions.withdraw_opposition, entry, found, **form.cleaned_data) is not None:
            drafts.clear(request.user, WITHDRAWAL_DRAFT, found.pk)
            messages.success(request, "L’opposition est retirée.")
            return redirect(request, consents_url(entry))
    context = {"fact": fact, "form": form, "here": consents_url(entry), **drafted(WITHDRAWAL_DRAFT, found.pk, kept)}
    return page(request, entry, "circle/withdraw_opposition.html", context, status=422 if form.is_bound else 200)


def consents_url(entry) -> str:
    return address("circle:consents", entry.dossier.pk)


def _kept(request: HttpRequest, key: str, object_id: UUID, form_class: type[BaseForm]) -> dict:
    """Return the draft of a form that is shown, nothing of one that is sent."""
    return {} if request.method == "POST" else draft_initial(request, key, object_id, form_class)


def _require_noting(entry) -> None:
    """Raise NotAllowed unless the reader may note what the person says: the right, and a profile that writes there."""
    if not entry.access.may_record_refusal:
        raise NotAllowed


def _consent_form(request: HttpRequest, entry, found: Member, now: Consent | None) -> tuple[ConsentForm, dict]:
    if request.method == "POST":
        return _form(entry, found, request.POST), {}
    kept = draft_initial(request, DRAFT, found.pk, ConsentForm)
    # What stands is where one starts from to limit it or to move its end.
    known = _known(now) or {"starts_on": timezone.localdate()}
    return _form(entry, found, initial=known | {"seen": read_as(now)} | kept), kept


def _form(entry, found: Member, *args, **kwargs) -> ConsentForm:
    return ConsentForm(*args, may_be_team=found.kind != roles.PERSON, rubrics=entry.access.matrix.rubrics, **kwargs)


def _known(now: Consent | None) -> dict:
    """Return what the form says of a fact that stands; nothing of one from before consents were collected."""
    if now is None or not stands(now) or now.ground == Consent.Ground.TAKEN_OVER:
        return {}
    return {name: getattr(now, name) for name in ConsentForm.base_fields if name != "seen"}


def _compared(entry, found: Member, form: ConsentForm, now: Consent | None, refusal: ChangedMeanwhile) -> dict:
    """Return what the page says to who is second; what is sent again has been read."""
    keep_conflict(form, refusal, CHANGED)
    return both_texts(form, read_as(now), lambda: _form(entry, found, initial=_known(now)), said_in="seen")
