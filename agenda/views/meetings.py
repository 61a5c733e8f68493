"""« Réunions » of a dossier: the list, one meeting with its answers, what the organiser does, its minutes."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db.models import F, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agenda import events, history, naming, voted, zones
from agenda.actions import meetings as actions
from agenda.actions.appointments import cancel_appointment
from agenda.actions.attending import ANSWER, me
from agenda.errors import (
    AlreadyOver,
    MomentHeld,
    NobodyLeft,
    NobodyToRemind,
    NotAMeetingToFix,
    OrganiserStays,
    ProposalUnknown,
    TimeTaken,
)
from agenda.forms.events import CancelForm
from agenda.forms.votes import MinutesForm
from agenda.models import Appointment, Participation
from agenda.own import title_of
from agenda.views.own_pages import kept_draft
from agenda.views.pages import attempt, draft_url
from coordination.accounts import drafts
from coordination.common.addresses import address
from coordination.common.conflicts import both_texts, status_of
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.common.pagination import paginate
from coordination.dossiers.door import Entry, rubric_view
from coordination.dossiers.strip import strip_and_nav
from habilitations.rubriques import Niveau, Rubrique

PER_PAGE = 25
STATUS = Appointment.Status
CANCEL_DRAFT, MINUTES_DRAFT = "reunion-annuler", "reunion-compte-rendu"


def page(request: HttpRequest, entry: Entry, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    """Draw one page of the meetings inside its dossier."""
    around = strip_and_nav(entry, Rubrique.REUNIONS.value)
    said = {
        "meetings_url": address("reunions:list", entry.dossier.pk),
        "writes": entry.access.can_write(Rubrique.REUNIONS),
        "here": request.path,
    }
    return render(request, template, around | said | context, status=status)


def sheet_of(meeting: Appointment) -> str:
    return address("reunions:meeting", meeting.dossier_id, meeting.pk)


def find(entry: Entry, appointment_id: UUID) -> Appointment:
    """Return a meeting of this dossier that the reader sees. Raises Http404, the same for unknown and hidden."""
    seen = Appointment.objects.visible_to(entry).filter(kind=Appointment.Kind.MEETING)
    found = events.with_people(entry, seen.filter(pk=appointment_id))
    meeting = found.select_related("structure", "created_by", "organizer", "minutes_by", "series").first()
    if meeting is None:
        raise Http404
    return meeting


@require_safe
@rubric_view(Rubrique.REUNIONS)
def listed(request: HttpRequest, entry: Entry) -> HttpResponse:
    """Those to be fixed first, then those to come; what is past or cancelled on demand."""
    past = request.GET.get("passees") == "1"
    now = timezone.now()
    seen = Appointment.objects.visible_to(entry).filter(kind=Appointment.Kind.MEETING)
    over = [STATUS.FULFILLED, STATUS.NOSHOW, STATUS.CANCELLED]
    if past:
        found = seen.filter(Q(ends_at__lte=now) | Q(status__in=over)).exclude(status=STATUS.ERROR)
        found = found.order_by(F("starts_at").desc(nulls_last=True), "-id")
    else:
        found = seen.filter(Q(ends_at__gt=now) | Q(starts_at=None)).exclude(status__in=[*over, STATUS.ERROR])
        found = found.order_by(F("starts_at").asc(nulls_first=True), "id")
    shown = paginate(events.with_people(entry, found), request.GET.get("page"), per_page=PER_PAGE)
    everyone = [one for meeting in shown for one in meeting.participations.all()]
    names = naming.names_of(entry, everyone)
    context = {
        "lines": [_row(entry, meeting, names) for meeting in shown],
        "past": past,
        "shown": shown,
        "page_url": address("reunions:list", entry.dossier.pk) + ("?passees=1&page=" if past else "?page="),
    }
    return page(request, entry, "agenda/meetings.html", context)


def votes_open() -> list[str]:
    return [STATUS.PROPOSED, STATUS.PENDING]


def _row(entry: Entry, meeting: Appointment, names: dict[UUID, str]) -> dict:
    people = list(meeting.participations.all())
    waiting = sum(not one.has_answered for one in people)
    return {
        "title": title_of(meeting),
        "url": sheet_of(meeting),
        "moment": events.hours_of(meeting),
        "people": naming.in_words(people, names),
        "source": events.source_of(entry, meeting),
        "state": "À fixer" if meeting.starts_at is None and meeting.status in votes_open()
        else meeting.get_status_display(),
        "waits": plural(waiting, "réponse attendue", "réponses attendues")
        if waiting and meeting.status in votes_open() else "",
        "is_fixed": meeting.status == STATUS.BOOKED,
    }  # fmt: skip


@require_safe
@rubric_view(None, object_kwarg="appointment_id")
def meeting(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """One meeting. Whoever is invited reads it whatever the matrix (rule 6); the acts ask for the level."""
    found = find(entry, appointment_id)
    people = list(found.participations.all())
    names = naming.names_of(entry, people)
    mine = next((one for one in people if one.user_id == me(entry)), None)
    to_fix = found.status in votes_open() and found.kind == Appointment.Kind.MEETING
    vote = voted.of(found, people, names)
    context = {
        "one": found,
        "title": title_of(found),
        "when": events.hours_of(found),
        "zone": zones.said(found.zone),
        "source": events.source_of(entry, found),
        "vote": vote,
        "hidden": sum(one.pk not in names for one in people),
        "to_fix": to_fix and bool(vote.times),
        "is_live": found.status in Appointment.LIVE,
        "history": history.lines_of(entry, found),
        "may_write": entry.access.can_write(Rubrique.REUNIONS),
        "may_minute": found.status in (STATUS.BOOKED, STATUS.FULFILLED),
        "answer_url": _answer_url(found, mine, bool(vote.times)),
        "has_answered": mine is not None and mine.has_answered,
        "waiting": sum(not one.has_answered for one in people),
    }
    return page(request, entry, "agenda/meeting.html", context)


def _answer_url(found: Appointment, mine: Participation | None, has_times: bool) -> str:
    if mine is None or found.status not in Appointment.LIVE:
        return ""
    votes = has_times and found.status in votes_open()
    return address("reunions:answer" if votes else "agenda:answer", found.dossier_id, found.pk)


@require_POST
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def choose(request: HttpRequest, entry: Entry, appointment_id: UUID, proposal_id: UUID) -> HttpResponse:
    """« Retenir ce créneau »."""
    return _act(
        request, entry, appointment_id, lambda found: actions.choose_time(entry, found.pk, proposal_id),
        "La réunion est fixée : les participants sont prévenus.",
    )  # fmt: skip


@require_POST
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def add_time(request: HttpRequest, entry: Entry, appointment_id: UUID, proposal_id: UUID) -> HttpResponse:
    """« Ajouter au vote » another moment that somebody proposes."""
    return _act(
        request, entry, appointment_id, lambda found: actions.add_to_vote(entry, found.pk, proposal_id),
        "Le créneau est ajouté : les participants sont invités à répondre.",
    )  # fmt: skip


@require_POST
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def remind(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """« Relancer » those who have not answered."""
    return _act(
        request, entry, appointment_id, lambda found: actions.remind_participants(entry, found.pk),
        "Ceux qui n’ont pas répondu sont relancés.",
    )  # fmt: skip


@require_POST
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def remove(request: HttpRequest, entry: Entry, appointment_id: UUID, participation_id: UUID) -> HttpResponse:
    """« Retirer » a participant."""
    return _act(
        request, entry, appointment_id, lambda found: actions.remove_participant(entry, found.pk, participation_id),
        "La personne est retirée de la réunion, et prévenue.",
    )  # fmt: skip


SAID = (
    AlreadyOver, MomentHeld, NobodyLeft, NobodyToRemind, NotAMeetingToFix, OrganiserStays, ProposalUnknown, TimeTaken,
)  # fmt: skip


def _act(request: HttpRequest, entry: Entry, appointment_id: UUID, act, text: str) -> HttpResponse:
    found = find(entry, appointment_id)
    try:
        act(found)
    except SAID as refusal:
        messages.error(request, str(refusal))
    except DomainError as refusal:
        if refusal.status != 422:
            raise
        messages.error(request, str(refusal))
    else:
        messages.success(request, text)
    return redirect(request, sheet_of(found))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def cancel(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """« Annuler la réunion »: why; all are told."""
    found = find(entry, appointment_id)
    if found.status not in Appointment.LIVE:
        raise AlreadyOver(state=found.get_status_display().lower())
    kept = kept_draft(request, CANCEL_DRAFT, found.pk)
    initial = (kept or {"reason": Appointment.CancelReason.ORGANISER.value}) | {"version": found.version}
    form = CancelForm(request.POST if request.method == "POST" else None, initial=initial, repeats=False)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        done, _ = attempt(
            form, cancel_appointment, entry, found.pk, reason=said["reason"], note=said["note"],
            version=said["version"] or 0,
        )  # fmt: skip
        if done:
            drafts.clear(request.user, CANCEL_DRAFT, found.pk)
            messages.success(request, "La réunion est annulée : les participants sont prévenus.")
            return redirect(request, "reunions:list", entry.dossier.pk)
    context = both_texts(form, found.version) | {
        "form": form, "one": found, "title": title_of(found), "when": events.hours_of(found), "sheet": sheet_of(found),
        "draft_url": draft_url(CANCEL_DRAFT, found.pk), "draft_found": bool(kept),
    }  # fmt: skip
    return page(request, entry, "agenda/meeting_cancel.html", context, status=status_of(form))


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.REUNIONS, Niveau.ECRITURE, object_kwarg="appointment_id")
def minutes(request: HttpRequest, entry: Entry, appointment_id: UUID) -> HttpResponse:
    """« Compte rendu »: a template to fill in; participants are told once it is written."""
    found = find(entry, appointment_id)
    kept = kept_draft(request, MINUTES_DRAFT, found.pk)
    stored = {"minutes": found.minutes or _blank(entry, found), "version": found.version}
    form = MinutesForm(request.POST if request.method == "POST" else None, initial=stored | (kept or {}))
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        done, _ = attempt(form, actions.write_minutes, entry, found.pk, said["minutes"], version=said["version"] or 0)
        if done:
            drafts.clear(request.user, MINUTES_DRAFT, found.pk)
            messages.success(request, "Le compte rendu est enregistré.")
            return redirect(request, sheet_of(found))
    context = both_texts(form, found.version, lambda: MinutesForm(initial=stored)) | {
        "form": form, "one": found, "title": title_of(found), "sheet": sheet_of(found),
        "draft_url": draft_url(MINUTES_DRAFT, found.pk), "draft_found": bool(kept),
    }  # fmt: skip
    return page(request, entry, "agenda/meeting_minutes.html", context, status=status_of(form))


def _blank(entry: Entry, found: Appointment) -> str:
    """Return the template of minutes, with those who came as far as their answers say."""
    people = list(found.participations.all())
    names = naming.names_of(entry, people)
    own = entry.user.get_full_name()

    def said(*statuses) -> str:
        found = [one for one in people if one.status in statuses and one.pk in names and not one.room_id]
        return ", ".join(own if names[one.pk] == naming.YOU else names[one.pk] for one in found) or "personne"

    return "\n\n".join(
        [
            f"Présents : {said(ANSWER.ACCEPTED)}",
            f"Excusés : {said(ANSWER.DECLINED, ANSWER.TENTATIVE, ANSWER.NEEDS_ACTION)}",
            "Points abordés :\n- ",
            "Décisions :\n- ",
            "Prochaines étapes (qui, pour quand) :\n- ",
        ]
    )
