"""« Salles de ma structure »: for the person named to look after it. Whoever looks after none finds nothing here."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from agenda.actions import rooms as actions
from agenda.errors import RoomUnknown
from agenda.forms.rooms import RoomForm
from agenda.models import Room
from agenda.views.own_pages import attempt, form_page, kept_draft
from coordination.accounts import drafts
from coordination.common.french import plural
from coordination.common.htmx import redirect
from coordination.directory.models import Structure
from habilitations import access
from habilitations.traces import via_request

DRAFT = "agenda-salle"


def for_who_looks_after(view):
    """Answer 404 to everybody but the administrators of structures; the view gets the ids of theirs as `mine`."""

    @wraps(view)
    def checked(request: HttpRequest, **kwargs) -> HttpResponse:
        mine = access.administered_structures(request.user)
        if not mine:
            raise Http404
        return view(request, mine=mine, **kwargs)

    return checked


@require_safe
@for_who_looks_after
def rooms(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """The rooms of his structures, by their names."""
    found = Room.objects.filter(structure__in=mine, retired_at=None).select_related("structure")
    context = {"rooms": list(found.order_by("name", "pk")), "several": len(_places(mine)) > 1}
    return render(request, "agenda/rooms.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_looks_after
def add(request: HttpRequest, mine: list[UUID]) -> HttpResponse:
    """« Ajouter une salle »."""
    user = request.user
    kept = kept_draft(request, DRAFT, user.pk)
    form = RoomForm(request.POST if request.method == "POST" else None, places=_places(mine), initial=kept)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        done, _ = attempt(
            form, actions.add_room, form.place.pk, by=user, name=said["name"], address=said["address"],
            via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(user, DRAFT, user.pk)
            messages.success(request, "La salle est ajoutée.")
            return redirect(request, "mon_agenda:rooms")
    return form_page(request, "agenda/room_form.html", form, DRAFT, user.pk, found=bool(kept), room=None)


@require_http_methods(["GET", "HEAD", "POST"])
@for_who_looks_after
def change(request: HttpRequest, mine: list[UUID], room_id: UUID) -> HttpResponse:
    """Rename a room, or withdraw it."""
    room = Room.objects.filter(structure__in=mine, retired_at=None, pk=room_id).first()
    if room is None:
        raise Http404
    kept = kept_draft(request, DRAFT, room.pk)
    form = RoomForm(request.POST if request.method == "POST" else None, initial=_said_of(room) | (kept or {}))
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        done, _ = attempt(
            form, actions.change_room, room.pk, by=request.user, name=said["name"], address=said["address"],
            version=said["version"] or 0, via=via_request(request),
        )  # fmt: skip
        if done:
            drafts.clear(request.user, DRAFT, room.pk)
            messages.success(request, "La salle est mise à jour.")
            return redirect(request, "mon_agenda:rooms")
        # Somebody may have saved since this page began.
        room.refresh_from_db()
    return form_page(
        request, "agenda/room_form.html", form, DRAFT, room.pk, found=bool(kept), room=room,
        version=room.version, stored=lambda: RoomForm(initial=_said_of(room)),
    )  # fmt: skip


def _said_of(room: Room) -> dict[str, Any]:
    return {"name": room.name, "address": room.address, "version": room.version}


@require_POST
@for_who_looks_after
def withdraw(request: HttpRequest, mine: list[UUID], room_id: UUID) -> HttpResponse:
    """« Retirer cette salle »: it is offered no longer, what is planned in it stays."""
    try:
        left = actions.withdraw_room(room_id, by=request.user, via=via_request(request))
    except RoomUnknown:
        raise Http404 from None
    drafts.clear(request.user, DRAFT, room_id)
    stays = f" {plural(left, 'rendez-vous', 'rendez-vous')} à venir la garde{'nt' if left > 1 else ''}."
    messages.success(request, "La salle n’est plus proposée." + (stays if left else ""))
    return redirect(request, "mon_agenda:rooms")


def _places(mine: list[UUID]):
    """Return the structures a room may be of: where two entries are one, that which stays."""
    return Structure.objects.filter(pk__in=mine, merged_into=None).order_by("name", "pk")
