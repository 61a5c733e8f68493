"""« Nouveau rendez-vous » and « Modifier »: one form, the same act as the API’s."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from agenda import letters
from agenda.actions import appointments, series
from agenda.actions.attending import participations_of
from agenda.actions.clashing import warnings
from agenda.actions.common import rubric_of
from agenda.errors import AlreadyOver
from agenda.forms.events import ASKED, DONE, EventForm
from agenda.models import Appointment, Room
from agenda.own import durations_of
from agenda.views.own_pages import kept_draft
from agenda.views.pages import attempt, draft_url, find, page, sheet_of
from circle import roles
from circle.models import Member
from coordination.accounts import drafts
from coordination.common.conflicts import both_texts, status_of
from coordination.common.htmx import redirect
from coordination.dossiers.door import rubric_view
from habilitations import access as habilitations
from habilitations.rubriques import Niveau, Rubrique

DRAFT, EDIT_DRAFT = "agenda-nouveau", "agenda-modifier"
LISTS, BOXES = ("members", "weekdays"), ("person", "me", "all_day", "on_behalf")


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE)
def create(request: HttpRequest, entry) -> HttpResponse:
    """Enter an event, once or repeated."""
    kept = kept_draft(request, DRAFT, entry.dossier.pk, LISTS, BOXES)
    form = EventForm(request.POST if request.method == "POST" else None, initial=kept, **_choices(entry))
    if form.is_bound and form.is_valid():
        done, made = attempt(form, _enter, entry, form)
        if done:
            drafts.clear(request.user, DRAFT, entry.dossier.pk)
            messages.success(request, _said_of_new(made))
            return _written(request, entry, made)
    return _form_page(request, entry, form, DRAFT, entry.dossier.pk, kept)


def _enter(entry, form: EventForm) -> Appointment:
    said, rule = form.cleaned_data, form.rule()
    key, on_behalf = said["creation_key"], said["on_behalf"]
    if rule is None:
        return appointments.create_appointment(
            entry, form.facts(), form.who(), creation_key=key, on_behalf=on_behalf, ask=said["how"] == ASKED,
            done=said["how"] == DONE,
        )  # fmt: skip
    starts, ends = form.first_time()
    said["local_starts"], said["local_ends"] = starts, ends
    return series.create_series(
        entry, form.facts(), form.who(), starts=starts, ends=ends, rule=rule, creation_key=key, on_behalf=on_behalf
    )


def _said_of_new(made: Appointment) -> str:
    """Say it back with the day of the week: a date typed for another is seen at once."""
    moment = letters.moment_of(made)
    if made.status == Appointment.Status.PROPOSED:
        return f"La demande est envoyée pour le {moment}. L’heure sera prise quand les participants auront accepté."
    if made.series_id:
        return f"Le rendez-vous est noté : le {moment}, puis à chaque répétition."
    return f"Le rendez-vous est noté : le {moment}."


@require_http_methods(["GET", "HEAD", "POST"])
@rubric_view(Rubrique.AGENDA, Niveau.ECRITURE, object_kwarg="appointment_id")
def edit(request: HttpRequest, entry, appointment_id: UUID) -> HttpResponse:
    """Change an event: what it says, when, who; of a series, this one or those that follow too."""
    found = find(entry, appointment_id)
    habilitations.require(entry.access, rubric_of(found.kind), Niveau.ECRITURE)
    if found.waits_for_a_time:
        return redirect(request, "reunions:meeting", found.dossier_id, found.pk)
    if found.status not in Appointment.LIVE:
        raise AlreadyOver(state=found.get_status_display().lower())
    kept = kept_draft(request, EDIT_DRAFT, found.pk, LISTS, BOXES)
    offered, attends = _choices(entry), _who_attends(entry, found)

    def stored(typed: dict | None = None) -> EventForm:
        return EventForm(
            appointment=found, attends=attends, initial={"version": found.version} | (typed or {}), **offered
        )

    form = stored(kept)
    if request.method == "POST":
        form = EventForm(request.POST, appointment=found, attends=attends, **offered)
    if form.is_bound and form.is_valid():
        done, changed = attempt(form, _change, entry, found, form)
        if done:
            drafts.clear(request.user, EDIT_DRAFT, found.pk)
            messages.success(request, f"Le rendez-vous est modifié : le {letters.moment_of(changed)}.")
            return _written(request, entry, changed)
    return _form_page(request, entry, form, EDIT_DRAFT, found.pk, kept, found, stored)


def _change(entry, found: Appointment, form: EventForm) -> Appointment:
    said = form.cleaned_data
    if form.follows:
        when = {} if form.keeps_its_time else {"starts": said["local_starts"], "ends": said["local_ends"]}
        words = {name: said[name] for name in series.TOLD}
        return series.move_following(entry, found.pk, **when, version=said["version"] or 0, said=words)
    return appointments.edit_appointment(entry, found.pk, form.facts(), form.who(), version=said["version"] or 0)


def _written(request: HttpRequest, entry, made: Appointment) -> HttpResponse:
    for sentence in warnings(entry, made, participations_of(made)):
        messages.warning(request, sentence)
    return redirect(request, sheet_of(made))


def _choices(entry) -> dict[str, Any]:
    """Return who may be invited, which rooms there are and what may be written here. Three SQL statements."""
    rows = [row for row in Member.objects.rows(entry) if row.kind != roles.STRUCTURE]
    own = next((row for row in rows if row.user_id == entry.user.pk), None)
    kinds = [kind for kind in Appointment.Kind.values if entry.access.can_write(rubric_of(kind))]
    return {
        "members": [(str(row.id), f"{row.name}, {row.second}" if row.second else row.name) for row in rows],
        "own_member": str(own.id) if own else "",
        "kinds": kinds,
        "rooms": Room.objects.offered_to(entry),
        "minutes": durations_of(entry.user),
    }


def _who_attends(entry, found: Appointment) -> dict[str, Any]:
    people = list(found.participations.all())
    return {
        "members": [str(one.member_id) for one in people if one.member_id and one.user_id != entry.user.pk],
        "me": any(one.user_id == entry.user.pk for one in people),
        "person": any(one.is_the_person for one in people),
    }


def _form_page(
    request, entry, form, draft: str, object_id: UUID, kept, found: Appointment | None = None, stored=None
) -> HttpResponse:
    context = both_texts(form, found.version if found else None, stored) | {
        "form": form, "one": found, "draft_url": draft_url(draft, object_id), "draft_found": bool(kept),
        "here": request.path,
    }  # fmt: skip
    return page(request, entry, "agenda/event_form.html", context, status=status_of(form))
