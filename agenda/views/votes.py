"""What one who is invited answers to the times proposed: with his account, or by a personal link without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from agenda import links, zones
from agenda.actions import votes as actions
from agenda.actions.attending import me
from agenda.errors import LinkVoid
from agenda.forms.votes import VoteForm, moment_of_time
from agenda.keys import present
from agenda.letters import moment_of
from agenda.models import Answer, Appointment, Participation, Proposal
from agenda.own import title_of
from agenda.views.meetings import find, page, sheet_of, votes_open
from agenda.views.own_pages import kept_draft
from agenda.views.pages import draft_url
from coordination.accounts import drafts
from coordination.accounts.personal_links import token_marker
from coordination.common.errors import DomainError
from coordination.common.htmx import redirect
from coordination.dossiers.door import Entry, rubric_view
from habilitations.traces import via_request

DRAFT = "reunion-reponse"


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(None, object_kwarg="appointment_id")
def answer(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """Answer with one’s account, whatever the matrix gives of the meetings (rule 6)."""
    found = find(entry, appointment_id)
    mine = found.participations.filter(user=me(entry)).first()
    times = actions.times_of(found)
    if mine is None or not times or found.status not in votes_open():
        return redirect(request, sheet_of(found))
    kept = kept_draft(request, DRAFT, found.pk)
    form = _form(request, found, mine, times, kept)
    if form.is_bound and form.is_valid() and _done(form, lambda said: actions.answer_times(entry, found.pk, said)):
        drafts.clear(request.user, DRAFT, found.pk)
        messages.success(request, _thanks(found))
        return redirect(request, sheet_of(found))
    context = _about(found, mine, form) | {
        "one": found, "title": title_of(found), "draft_url": draft_url(DRAFT, found.pk), "draft_found": bool(kept),
        "sheet": sheet_of(found),
    }  # fmt: skip
    return page(request, entry, "agenda/vote.html", context, status=422 if form.is_bound else 200)


class Held(NamedTuple):
    """A participation, by the link its holder came with."""

    participation: Participation
    token: str


def _held(token: str) -> Held | None:
    found = links.participation_of(token)
    return Held(found, token) if found and present([found]) else None


token_view = token_marker(scope="participation", rate="meeting_link", read=_held)


@require_http_methods(["GET", "HEAD", "POST"])
@token_view
def answer_by_link(request: HttpRequest, held: Held) -> HttpResponse:
    """Answer without an account, on a phone first. Neither the person nor the motive is said here."""
    mine, found = held.participation, held.participation.appointment
    times = actions.times_of(found)
    if found.status not in votes_open() or not times:
        return render(request, "agenda/vote_over.html", _about(found, mine, None))
    form = _form(request, found, mine, times, None)
    if form.is_bound and form.is_valid():
        try:
            done = _done(form, lambda said: actions.answer_by_link(mine, said, via=via_request(request)))
        except LinkVoid:
            return render(request, "agenda/vote_over.html", {"is_void": True}, status=404)
        if done:
            found.refresh_from_db()
            return render(request, "agenda/vote_over.html", _about(found, mine, None) | {"is_answered": True})
    return render(request, "agenda/vote_by_link.html", _about(found, mine, form), status=422 if form.is_bound else 200)


def _form(request: HttpRequest, found: Appointment, mine: Participation, times, kept) -> VoteForm:
    answered = dict(Answer.objects.filter(participation=mine).values_list("proposal_id", "choice"))
    return VoteForm(
        request.POST if request.method == "POST" else None, times=times, zone=found.zone, answered=answered,
        initial={"comment": mine.comment} | (kept or {}),
    )  # fmt: skip


def _done(form: VoteForm, act: Callable) -> bool:
    try:
        act(form.said())
    except LinkVoid:
        raise
    except DomainError as refusal:
        names = {"starts": "other_hour", "ends": "other_hour"}
        form.add_error(names.get(refusal.field), str(refusal))
        return False
    return True


def _thanks(found: Appointment) -> str:
    found.refresh_from_db()
    if found.status == Appointment.Status.BOOKED:
        return "Merci. Tous sont d’accord : la réunion est fixée."
    return "Merci, votre réponse est enregistrée."


def _about(found: Appointment, mine: Participation, form: VoteForm | None) -> dict:
    """What may be said without an account: who organises, when, how; never who is followed, nor why."""
    organiser = found.organizer.get_full_name() if found.organizer else ""
    house = found.structure.name if found.structure_id else ""
    # The frame of the page reads `form` when there is one.
    return ({"form": form} if form else {}) | {
        "organiser": ", ".join(filter(None, [organiser, house])),
        "modality": found.get_modality_display(),
        # Of who has no account, once he comes: a place may say who is followed.
        "place": found.place if mine.user_id or found.status == Appointment.Status.BOOKED else "",
        "video_url": found.video_url,
        "zone": zones.said(found.zone),
        "answer_by": moment_of(Appointment(starts_at=found.answer_by, zone=found.zone)),
        "is_fixed": found.status == Appointment.Status.BOOKED,
        "is_cancelled": found.status == Appointment.Status.CANCELLED,
        "when": moment_of_time(Proposal(starts_at=found.starts_at, ends_at=found.ends_at), found.zone)
        if found.starts_at else "",
        "has_answered": mine.has_answered,
    }  # fmt: skip
