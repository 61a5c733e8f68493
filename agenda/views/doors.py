"""The door of one event: its rubric for who reads the agenda, none for who is invited (rule 6)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from agenda.models import Participation
from coordination.dossiers.door import rubric_view
from habilitations.rubriques import Rubrique


def event_view(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Make a view of one event a door: who is invited comes in whatever the matrix, the others by the agenda."""
    for_readers = rubric_view(Rubrique.AGENDA, object_kwarg="appointment_id")(view)
    for_the_invited = rubric_view(None, object_kwarg="appointment_id")(view)

    @functools.wraps(view)
    def wrapped(request: HttpRequest, dossier_id: UUID, appointment_id: UUID) -> HttpResponse:
        invited = Participation.objects.filter(dossier_id=dossier_id, appointment_id=appointment_id, user=request.user)
        enter = for_the_invited if invited.exists() else for_readers
        return enter(request, dossier_id, appointment_id=appointment_id)

    # What the architecture tests look for: both ways in are doors.
    wrapped.door = for_readers.door  # type: ignore[attr-defined]
    return wrapped
