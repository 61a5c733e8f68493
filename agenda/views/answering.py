"""An appointment that names the reader: what it says, his answer, and other times that were proposed."""

from __future__ import annotations

from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from agenda import own, zones
from agenda.actions import answering as actions
from agenda.actions.answering import moment_of_proposal
from agenda.actions.attending import me
from agenda.actions.common import read_as, rubric_of
from agenda.events import source_of
from agenda.forms.answering import ACCEPT, DECLINE, AnswerForm
from agenda.models import Appointment, Participation, Proposal
from agenda.naming import names_of
from agenda.views.doors import event_view
from agenda.views.own_pages import attempt, form_page, kept_draft
from coordination.accounts import drafts
from coordination.common.conflicts import keep_conflict
from coordination.common.french import long_date
from coordination.common.htmx import redirect
from coordination.dossiers.door import Entry, rubric_view
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.models import READ_ONLY
from coordination.dossiers.strip import strip_and_nav
from habilitations.rubriques import Niveau, Rubrique

DRAFT = "agenda-reponse"
DONE = {
    ACCEPT: "Vous avez accepté ce rendez-vous.",
    DECLINE: "Vous avez décliné ce rendez-vous : l’organisateur est prévenu.",
}
MOVED = "Ce rendez-vous a changé d’heure ou de lieu pendant votre saisie. Relisez-le avant de répondre."
PROPOSED = "Votre proposition est transmise à l’organisateur."


@require_http_methods(["GET", "HEAD", "POST"])
@event_view
def answer(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """What one is invited to, whatever the matrix (rule 6), and the answer one gives."""
    found = _find(entry, appointment_id)
    if found.waits_for_a_time:
        return redirect(request, "reunions:answer", found.dossier_id, found.pk)
    mine = _mine(entry, found)
    kept = kept_draft(request, DRAFT, found.pk)
    # What moved since a draft was typed is what the page says of it.
    initial = _initial(found, mine) | (kept or {}) | {"seen": read_as(found)}
    form = AnswerForm(request.POST if request.method == "POST" else None, appointment=found, initial=initial)
    if form.is_bound and form.is_valid():
        done, _ = attempt(form, _act, entry, found, form.cleaned_data)
        if done:
            drafts.clear(request.user, DRAFT, found.pk)
            messages.success(request, DONE.get(form.cleaned_data["answer"], PROPOSED))
            return redirect(request, "mon_agenda:list")
        if hasattr(form, "conflict"):
            found, form.conflict = _find(entry, appointment_id), MOVED
            mine = _mine(entry, found)
    return _shown(request, entry, found, mine, form, kept)


@require_POST
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def proposal(request: HttpRequest, entry: Entry, appointment_id: UUID, proposal_id: UUID) -> HttpResponse:
    """Take the time that somebody proposes, or leave the appointment where it is."""
    found, seen = _find(entry, appointment_id), request.POST.get("seen", "")
    takes = request.POST.get("reponse") == "oui"
    act = actions.take_proposal if takes else actions.refuse_proposal
    try:
        act(entry, appointment_id, proposal_id, seen=seen)
    except ChangedMeanwhile as refusal:
        found = _find(entry, appointment_id)
        mine = _mine(entry, found)
        form = AnswerForm(appointment=found, initial=_initial(found, mine) | {"seen": read_as(found)})
        keep_conflict(form, refusal, MOVED)
        return _shown(request, entry, found, mine, form, None)
    said = "est déplacé : les participants sont prévenus" if takes else "reste où il est : le participant est prévenu"
    messages.success(request, f"Le rendez-vous {said}.")
    return redirect(request, "mon_agenda:list")


def _mine(entry: Entry, found: Appointment) -> Participation | None:
    return found.participations.filter(user=me(entry)).first()


def _shown(
    request: HttpRequest, entry: Entry, found: Appointment, mine: Participation | None, form: AnswerForm,
    kept: dict[str, Any] | None,
) -> HttpResponse:  # fmt: skip
    context = strip_and_nav(entry, rubric_of(found.kind).value) | _context(entry, found, mine)
    url = reverse("agenda:answer", args=[found.dossier_id, found.pk])
    return form_page(
        request, "agenda/answer.html", form, DRAFT, found.pk, found=bool(kept), version=read_as(found),
        said_in="seen", here=url, **context,
    )  # fmt: skip


def _find(entry: Entry, appointment_id: UUID) -> Appointment:
    shown = Appointment.objects.visible_to(entry).select_related("structure", "created_by")
    found = shown.filter(pk=appointment_id).first()
    if found is None:
        raise Http404
    return found


def _act(entry: Entry, found: Appointment, data: dict) -> None:
    if data["answer"] == ACCEPT:
        actions.accept_appointment(entry, found.pk, comment=data["comment"], seen=data["seen"])
    elif data["answer"] == DECLINE:
        actions.decline_appointment(entry, found.pk, comment=data["comment"], seen=data["seen"])
    else:
        actions.propose_time(
            entry, found.pk, starts_at=data["starts_at"], ends_at=data["ends_at"], comment=data["comment"],
            seen=data["seen"],
        )  # fmt: skip


def _initial(found: Appointment, mine: Participation | None) -> dict:
    """Return the same hours, another day to be typed."""
    if found.starts_at is None or mine is None:
        return {}
    zone = ZoneInfo(found.zone)
    return {"starts": found.starts_at.astimezone(zone).time(), "ends": found.ends_at.astimezone(zone).time()}


def _context(entry: Entry, found: Appointment, mine: Participation | None) -> dict:
    can_write = found.status in Appointment.LIVE and entry.dossier.status not in READ_ONLY
    may_decide = can_write and entry.access.can_write(rubric_of(found.kind))
    return {
        "appointment": found,
        "title": own.title_of(found),
        "seen": read_as(found),
        "moment": _moment(found),
        "source": source_of(entry, found),
        "zone": zones.said(found.zone),
        "mine": mine,
        "has_answered": mine is not None and mine.has_answered,
        "may_answer": can_write and mine is not None,
        "proposals": _proposals(entry, found) if can_write else [],
        "may_decide": may_decide,
    }


def _moment(found: Appointment) -> str:
    """Return the day and the hours; "" for what has no time yet."""
    if found.starts_at is None:
        return ""
    zone = ZoneInfo(found.zone)
    # Naive: `long_date` would bring them back to the clock of the installation.
    start, end = (instant.astimezone(zone).replace(tzinfo=None) for instant in (found.starts_at, found.ends_at))
    return long_date(start) if found.all_day else f"{long_date(start)}, {start:%H:%M} à\u00a0{end:%H:%M}"


def _proposals(entry: Entry, found: Appointment) -> list[dict]:
    """Return the other times proposed that nobody has taken, each by whom it is for who may know it."""
    standing = Proposal.objects.filter(appointment=found, withdrawn_at=None, starts_at__gt=timezone.now())
    rows = list(standing.exclude(proposed_by=None).select_related("proposed_by__room").order_by("starts_at", "pk"))
    names = names_of(entry, [row.proposed_by for row in rows]) if rows else {}
    return [
        {
            "pk": row.pk,
            "moment": moment_of_proposal(found, row),
            "by": names.get(row.proposed_by_id, "Un participant"),
            "word": row.proposed_by.comment,
        }
        for row in rows
    ]
