"""One event of a person’s agenda: what it says, who attends, what may be done, what happened."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from agenda import events, history, naming, zones
from agenda.actions.attending import me
from agenda.actions.common import rubric_of
from agenda.models import Appointment, Participation
from agenda.rule_formats import rule_from_text
from agenda.service_types import label_of
from agenda.views.doors import event_view
from agenda.views.pages import find, page
from agenda.wording import said_rule
from agenda.zones import wall
from coordination.common.addresses import address
from coordination.common.htmx import redirect

ANSWERS = {
    Participation.Status.NEEDS_ACTION: "att", Participation.Status.TENTATIVE: "att",
    Participation.Status.DECLINED: "refus",
}  # fmt: skip


@require_safe
@event_view
def appointment(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """The page of an event, for who reads the agenda; for who is invited, whatever the matrix (rule 6)."""
    found = find(entry, appointment_id)
    if found.waits_for_a_time:
        return redirect(request, "reunions:meeting", found.dossier_id, found.pk)
    people = list(found.participations.all())
    names = naming.names_of(entry, people)
    mine = next((one for one in people if one.user_id == me(entry)), None)
    writes = entry.access.can_write(rubric_of(found.kind)) and found.status in Appointment.LIVE
    context = {
        "event": events.event_of(entry, found, names) if found.starts_at else None,
        "one": found,
        "zone": zones.said(found.zone),
        "type": label_of(found.service_type),
        "people": [_line(one, names[one.pk]) for one in people if one.pk in names],
        "hidden": sum(one.pk not in names for one in people),
        "repeats": _repeats(found),
        "history": history.lines_of(entry, found),
        "may_write": writes,
        "has_begun": bool(found.starts_at and found.starts_at <= timezone.now()),
        "answer_url": _answer_url(found, mine),
        "has_answered": mine is not None and mine.has_answered,
        "meeting_url": address("reunions:meeting", found.dossier_id, found.pk)
        if found.kind == Appointment.Kind.MEETING
        else "",
    }
    return page(request, entry, "agenda/appointment.html", context)


def _line(one: Participation, name: str) -> dict:
    """Return who attends and what he answered; the person and a room answer nothing."""
    answers = not one.is_the_person and not one.room_id
    return {
        "name": name,
        "icon": "geo-alt" if one.room_id else "person",
        "need": "" if one.need == Participation.Need.REQUIRED else one.get_need_display(),
        "answer": one.get_status_display() if answers and one.status in ANSWERS else "",
        "kind": ANSWERS.get(one.status, ""),
        "comment": one.comment,
    }


def _repeats(found: Appointment) -> str:
    if not found.series_id:
        return ""
    if found.detached:
        return "Changé à part de sa série"
    return said_rule(rule_from_text(found.series.rule), wall(found.series.starts))


def _answer_url(found: Appointment, mine: Participation | None) -> str:
    if mine is None or found.status not in Appointment.LIVE:
        return ""
    return address("agenda:answer", found.dossier_id, found.pk)
