"""What is done with an event: cancelled, done, joined to its double; and the consent of the person."""

from __future__ import annotations

import datetime as dt
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from agenda import events
from agenda.actions import appointments, consents, merging, series
from agenda.actions.common import rubric_of
from agenda.errors import AlreadyOver, ConsentStands, NoConsentToWithdraw, NotDoubles, NotYetPast, TimeTaken
from agenda.forms.events import FOLLOWING, THIS, CancelForm, ConsentForm
from agenda.models import AgendaConsent, Appointment
from agenda.views.own_pages import kept_draft
from agenda.views.pages import attempt, draft_url, find, page, sheet_of, url_of
from coordination.accounts import drafts, reauthentication
from coordination.common.conflicts import both_texts, status_of
from coordination.common.french import date_fr
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from habilitations import access as habilitations
from habilitations.rubriques import Niveau, Rubrique

CANCEL_DRAFT, CONSENT_DRAFT = "agenda-annuler", "agenda-accord"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def cancel(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """« Annuler ce rendez-vous »: why; of a series, this one or those that follow too."""
    found = find(entry, appointment_id)
    habilitations.require(entry.access, rubric_of(found.kind), Niveau.ECRITURE)
    if found.waits_for_a_time:
        return redirect(request, "reunions:cancel", found.dossier_id, found.pk)
    if found.status not in Appointment.LIVE:
        raise AlreadyOver(state=found.get_status_display().lower())
    kept = kept_draft(request, CANCEL_DRAFT, found.pk)
    initial = {"scope": THIS} | (kept or {}) | {"version": found.version}
    repeats = bool(found.series_id) and not found.detached
    form = CancelForm(request.POST if request.method == "POST" else None, initial=initial, repeats=repeats)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        follows = said.get("scope") == FOLLOWING
        act = series.cancel_following if follows else appointments.cancel_appointment
        done, _ = attempt(
            form, act, entry, found.pk, reason=said["reason"], note=said["note"], version=said["version"] or 0
        )
        if done:
            drafts.clear(request.user, CANCEL_DRAFT, found.pk)
            text = "Ce rendez-vous et les suivants sont annulés." if follows else "Le rendez-vous est annulé."
            messages.success(request, text)
            return redirect(request, sheet_of(found))
    context = both_texts(form, found.version) | {
        "form": form, "one": found, "event": events.event_of(entry, found, {}), "sheet": sheet_of(found),
        "draft_url": draft_url(CANCEL_DRAFT, found.pk), "draft_found": bool(kept), "here": request.path,
    }  # fmt: skip
    return page(request, entry, "agenda/cancel.html", context, status=status_of(form))


@require_POST
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def done(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """« Réalisé »."""
    return _mark(request, entry, appointment_id, appointments.mark_done, "C’est noté : le rendez-vous a eu lieu.")


@require_POST
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def not_come(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """« La personne n’est pas venue »."""
    return _mark(request, entry, appointment_id, appointments.mark_not_come, "C’est noté : elle n’est pas venue.")


def _mark(request: HttpRequest, entry, appointment_id: UUID, act, text: str) -> HttpResponse:
    found = find(entry, appointment_id)
    try:
        act(entry, found.pk)
    except (AlreadyOver, NotYetPast) as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, text)
    return redirect(request, sheet_of(found))


@require_POST
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def join(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """« Réunir »: the event of the address stays, with who attends the other."""
    try:
        kept = merging.merge_appointments(entry, appointment_id, _other(request))
    except (NotDoubles, AlreadyOver, TimeTaken) as refusal:
        messages.info(request, str(refusal))
        return redirect(request, url_of(entry.dossier.pk))
    messages.success(request, "Les deux rendez-vous n’en font plus qu’un.")
    return redirect(request, sheet_of(kept))


@require_POST
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def keep_apart(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """« Ce sont deux rendez-vous »: they are proposed no longer."""
    try:
        merging.keep_apart(entry, appointment_id, _other(request))
    except (NotDoubles, AlreadyOver) as refusal:
        messages.info(request, str(refusal))
    else:
        messages.success(request, "C’est noté : ce sont deux rendez-vous.")
    return redirect(request, url_of(entry.dossier.pk))


def _other(request: HttpRequest) -> UUID:
    """Return the other event of the pair. Raises NotDoubles when the form says none."""
    try:
        return UUID(request.POST.get("other", ""))
    except ValueError:
        raise NotDoubles from None


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE)
def consent(request: HttpRequest, entry) -> HttpResponse:
    """« Accord de la personne »: what it changes, and since when; giving it opens, taking it back closes at once.

    What was read decides which of the two is done: sent twice, it is done once.
    """
    now = events.consent_of(entry)
    kept = kept_draft(request, CONSENT_DRAFT, entry.dossier.pk)
    if kept and kept.get("seen", "") != _shown(now):
        # Typed for the other of the two acts, which the page no longer proposes.
        kept = None
    form = ConsentForm(request.POST if request.method == "POST" else None, initial=_of_today(now) | (kept or {}))
    if form.is_bound and form.is_valid():
        on, seen = form.cleaned_data["on"], form.cleaned_data["seen"]
        if seen is None:
            # Only what opens something waits for a password (SEC-18).
            reauthentication.require(request, "noter l’accord de la personne", reauthentication.DOSSIER)
        try:
            done, _ = _note_consent(form, entry, on, seen)
        except (ConsentStands, NoConsentToWithdraw, ChangedMeanwhile):
            now = events.consent_of(entry)
            done = _is_noted(entry, now, on, seen)
            if not done:
                form = ConsentForm(initial=_of_today(now))
                form.conflict = _other_noted(now, on, seen)
        if done:
            drafts.clear(request.user, CONSENT_DRAFT, entry.dossier.pk)
            shown = "masqués" if seen else "affichés"
            messages.success(request, f"C’est noté : les rendez-vous des autres structures sont {shown}.")
            return redirect(request, url_of(entry.dossier.pk))
    context = {
        "form": form, "now": now, "here": request.path, "draft_found": bool(kept),
        "withdrawing": bool(form["seen"].value()), "conflict": getattr(form, "conflict", ""),
        "past": AgendaConsent.objects.filter(dossier_id=entry.dossier.pk).order_by("-given_on", "-given_at")[:20],
        "draft_url": draft_url(CONSENT_DRAFT, entry.dossier.pk),
    }  # fmt: skip
    return page(request, entry, "agenda/consent.html", context, status=status_of(form))


def _shown(now: AgendaConsent | None) -> str:
    return str(now.pk) if now else ""


def _of_today(now: AgendaConsent | None) -> dict[str, Any]:
    return {"on": timezone.localdate(), "seen": _shown(now)}


def _note_consent(form: ConsentForm, entry, on: dt.date, seen: UUID | None) -> tuple[bool, Any]:
    if seen is None:
        return attempt(form, consents.record_consent, entry, on=on, through=(ConsentStands,))
    through = (NoConsentToWithdraw, ChangedMeanwhile)
    return attempt(form, consents.withdraw_consent, entry, on=on, seen=seen, through=through)


def _is_noted(entry, now: AgendaConsent | None, on: dt.date, seen: UUID | None) -> bool:
    """Say whether what is asked is what stands, word for word: the same form sent twice, or two people who agree."""
    if seen is None:
        return now is not None and now.given_on == on
    ended = AgendaConsent.objects.filter(dossier_id=entry.dossier.pk, pk=seen, withdrawn_on=on)
    return now is None and ended.exists()


def _other_noted(now: AgendaConsent | None, on: dt.date, seen: UUID | None) -> str:
    """Return the sentence of who was second: what stands, and what he said that is not noted."""
    stands = f"l’accord noté est du {date_fr(now.given_on)}" if now else "l’accord est déjà retiré"
    mine = "votre retrait" if seen else "l’accord"
    return f"Quelqu’un l’a changé pendant votre saisie : {stands}. Rien n’est noté de {mine} du {date_fr(on)}."
