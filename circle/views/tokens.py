"""The second marker: pages reached by a personal link, without an account (house.md). Scope of one object."""

from __future__ import annotations

from functools import wraps
from typing import NamedTuple

from allauth.core import ratelimit
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse

from circle import links
from circle.models import Invitation

# What such a page reaches: one object, of this kind.
SCOPE = "invitation"


class Held(NamedTuple):
    """An invitation, by the link its holder came with."""

    invitation: Invitation
    link: links.Link
    token: str

    @property
    def serves(self) -> bool:
        """Whether the link may still be answered: of the last generation, and inside its term."""
        return self.link.generation == self.invitation.generation and self.invitation.is_valid

    @property
    def proves_address(self) -> bool:
        """Whether its holder reads the mailbox invited."""
        return self.link.proves(self.invitation.email)


def token_view(view):
    """Call `view(request, held)` for the holder of a signed link; anything else is a page that does not exist.

    The view carries `token_scope` for the architecture test, which counts such pages.
    """

    @login_not_required
    @wraps(view)
    def wrapped(request: HttpRequest, token: str) -> HttpResponse:
        if too_many := ratelimit.consume_or_429(request, action="invitation_link"):
            return too_many
        link = links.read(token)
        rows = Invitation.objects.with_names()
        invitation = rows.filter(pk=link.invitation_id).first() if link else None
        if link is None or invitation is None:
            raise Http404
        return view(request, Held(invitation, link, token))

    wrapped.token_scope = SCOPE
    return wrapped
