"""What the pages of a person’s agenda share: the frame, a refused act, one event."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from agenda import events
from agenda.models import Appointment
from agenda.views.own_pages import FIELDS
from coordination.common.addresses import address
from coordination.common.conflicts import keep_conflict
from coordination.common.errors import DomainError
from coordination.common.resending import AlreadySent
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.strip import strip_and_nav
from habilitations.errors import LevelMissing, NotAllowed
from habilitations.rubriques import Rubrique


def page(request: HttpRequest, entry, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    """Draw one page of the agenda inside its dossier."""
    around = strip_and_nav(entry, Rubrique.AGENDA.value)
    urls = {"agenda_url": url_of(entry.dossier.pk), "writes": entry.access.can_write(Rubrique.AGENDA)}
    return render(request, template, around | urls | context, status=status)


def url_of(dossier_id: UUID) -> str:
    return address("agenda:list", dossier_id)


def sheet_of(appointment: Appointment) -> str:
    return address("agenda:appointment", appointment.dossier_id, appointment.pk)


def find(entry, appointment_id: UUID) -> Appointment:
    """Return one event of this dossier that the reader sees. Raises Http404, the same for unknown and hidden."""
    found = events.with_people(entry, Appointment.objects.visible_to(entry)).filter(pk=appointment_id).first()
    if found is None:
        raise Http404
    return found


def draft_url(key: str, object_id: UUID) -> str:
    return reverse("accounts:draft", args=[key, object_id])


def attempt(form, act, *args, through: tuple[type[DomainError], ...] = (), **details) -> tuple[bool, Any]:
    """Do an act; return whether it was done and what it gave. A refusal is said beside its field.

    What closes the page goes through to the door: it answers and records it. So do those of `through`, to the caller.
    """
    try:
        return True, act(*args, **details)
    except (LevelMissing, NotAllowed, *through):
        raise
    except ChangedMeanwhile as refusal:
        keep_conflict(form, refusal, "Ce rendez-vous a changé pendant votre saisie.")
    except AlreadySent as refusal:
        form.refuse(refusal)
    except DomainError as refusal:
        field = {**FIELDS, "out_of_time": "day", "until_before_start": "until"}.get(refusal.code, refusal.field)
        form.add_error(field if field in form.fields else None, str(refusal))
    return False, None
