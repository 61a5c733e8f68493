"""What the pages of the circle share: the frame, the addresses of one member, an act and its refusal."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from circle.models import Member
from coordination.accounts import drafts
from coordination.common.errors import DomainError
from coordination.dossiers.errors import ChangedMeanwhile
from coordination.dossiers.strip import strip_and_nav
from habilitations.errors import NotAllowed
from habilitations.rubriques import Rubrique

_NOBODY = UUID(int=0)


def page(request: HttpRequest, entry, template: str, context: dict, *, status: int = 200) -> HttpResponse:
    """Draw one page of the circle inside its dossier."""
    around = strip_and_nav(entry, Rubrique.CERCLE.value)
    return render(request, template, around | {"circle_url": circle_url(entry)} | context, status=status)


def circle_url(entry) -> str:
    return reverse("circle:list", args=[entry.dossier.pk])


@dataclass(frozen=True)
class MemberLinks:
    """The addresses of one member's pages."""

    sheet: str
    edit: str
    role: str
    habilitation: str
    withdrawal: str
    request: str
    discreet: str
    link: str
    remove: str
    undo: str
    history: str
    vcard: str


_ROUTES = {
    "sheet": "circle:member", "edit": "circle:edit_member", "role": "circle:change_role",
    "habilitation": "circle:habilitation", "withdrawal": "circle:withdraw_refusal", "request": "circle:request",
    "discreet": "circle:discreet", "link": "circle:link", "remove": "circle:remove", "undo": "circle:undo_removal",
    "history": "circle:member_history", "vcard": "circle:export_vcard",
}  # fmt: skip


@functools.cache
def _patterns() -> dict[str, str]:
    # Resolved once: a circle of thirty members would otherwise spend more on addresses than on its data.
    return {key: reverse(name, args=[_NOBODY, _NOBODY]) for key, name in _ROUTES.items()}


def links_of(dossier_id, member_id) -> MemberLinks:
    """Return the addresses of one member."""
    return MemberLinks(**{key: filled(pattern, dossier_id, member_id) for key, pattern in _patterns().items()})


def filled(pattern: str, dossier_id, member_id) -> str:
    """Put a dossier and a member in an address, or in a text made of addresses, drawn for nobody."""
    address = f"/{_NOBODY}/cercle/membres/{_NOBODY}/"
    return pattern.replace(address, f"/{dossier_id}/cercle/membres/{member_id}/")


def links_of_nobody() -> MemberLinks:
    """Return the addresses with no dossier and no member in them: what `filled` completes."""
    return MemberLinks(**_patterns())


def find_row(entry, member_id, *, on=None):
    """Return a member as the reader may see him, also once he has left. Raises Http404 (unknown or hidden)."""
    row = Member.objects.row(entry, member_id)
    if row is None:
        raise Http404
    return row


def find_member(entry, member_id) -> Member:
    """Return the member to change. Raises Http404 like `find_row`: what one may not see, one may not change."""
    find_row(entry, member_id)
    return Member.objects.select_related("habilitation", "professional", "activity", "structure").get(
        pk=member_id, dossier_id=entry.dossier.pk
    )


def attempt(form, act, *args, **details):
    """Return what an action returns, or None after having put its refusal on the form.

    NotAllowed goes through: the door answers 403 and records it. So does ChangedMeanwhile, which has its own page.
    """
    try:
        return act(*args, **details)
    except (NotAllowed, ChangedMeanwhile):
        raise
    except DomainError as error:
        form.refuse(error)
        return None


def draft_initial(request: HttpRequest, key: str, object_id) -> dict:
    """Return what this person was typing, without what belongs to one sending only."""
    kept = drafts.load(request.user, key, object_id)
    if not kept:
        return {}
    return {name: value for name, value in kept.items() if name not in ("creation_key", "version", "duplicate_reason")}


def draft_url(key: str, object_id) -> str:
    return reverse("accounts:draft", args=[key, object_id])
