"""What the pages of the circle share: the frame, the addresses of one member, an act and its refusal."""

from __future__ import annotations

import datetime as dt
import functools
from uuid import UUID

from django.forms import BaseForm, Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from circle.models import Member
from coordination.accounts import drafts, reauthentication
from coordination.common.addresses import address
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
    return address("circle:list", entry.dossier.pk)


class MemberLinks:
    """The addresses of one member's pages, each written when asked: `links.edit`. Keys: those of _ROUTES."""

    __slots__ = ("sheet",)

    def __init__(self, sheet: str) -> None:
        self.sheet = sheet

    def __getattr__(self, key: str) -> str:
        try:
            return self.sheet + _tails()[key]
        except KeyError:
            raise AttributeError(key) from None


_ROUTES = {
    "edit": "circle:edit_member", "role": "circle:change_role", "habilitation": "circle:habilitation",
    "preview": "circle:preview_habilitation",
    "withdrawal": "circle:withdraw_refusal", "request": "circle:request", "discreet": "circle:discreet",
    "link": "circle:link", "remove": "circle:remove", "undo": "circle:undo_removal",
    "join": "circle:join", "refusal": "circle:record_refusal", "call_off": "circle:call_off_plan",
    "invite": "circle:invite_member", "history": "circle:member_history", "vcard": "circle:export_vcard",
    "consent": "circle:consent", "end_consent": "circle:end_consent", "limits": "circle:limits",
    "extend": "circle:extend",
}  # fmt: skip


@functools.cache
def _tails() -> dict[str, str]:
    """What each address adds to that of the sheet: thirty members would otherwise cost more than their data."""
    sheet = links_of_nobody().sheet
    return {key: address(name, _NOBODY, _NOBODY).removeprefix(sheet) for key, name in _ROUTES.items()}


def links_of(dossier_id, member_id) -> MemberLinks:
    """Return the addresses of one member."""
    return MemberLinks(address("circle:member", dossier_id, member_id))


@functools.cache
def links_of_nobody() -> MemberLinks:
    """Return the addresses with no dossier and no member in them, for what is drawn once for all."""
    return links_of(_NOBODY, _NOBODY)


def find_row(entry, member_id):
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


def show_identity_to_open(request: HttpRequest, form) -> None:
    """Ask who is there again when the answer given opens the dossier to somebody; « non » and a refusal never wait.

    Called once the form is valid. Raises IdentityNotShown: the form comes back by itself, done, once it is confirmed.
    """
    if form.opens:
        reauthentication.require(request, "donner accès au dossier", reauthentication.DOSSIER)


def day_of(text: str) -> dt.date:
    """Return the day that a button says its page showed; one that nothing is on when it says none."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return dt.date.min


def draft_initial(request: HttpRequest, key: str, object_id, form_class: type[BaseForm] = Form) -> dict:
    """Return what this person was typing, without what belongs to one sending only.

    With the version it was typed on: what changed since is then compared, not overwritten.
    `form_class`: needed by a form with boxes, of which one that is not ticked says nothing.
    """
    typed = drafts.initial(form_class, drafts.load(request.user, key, object_id))
    return {name: value for name, value in typed.items() if name not in ("creation_key", "duplicate_reason")}


def drafted(key: str, object_id, kept: dict | None = None) -> dict:
    """Return what the page of a form needs to keep its draft, and to say that it shows one."""
    return drafts.shown(key, object_id, kept)
