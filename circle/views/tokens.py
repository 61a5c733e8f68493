"""The pages of the personal link of an invitation."""

from __future__ import annotations

from typing import NamedTuple

from circle import links
from circle.models import Invitation
from coordination.accounts.personal_links import token_marker


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


def _held(token: str) -> Held | None:
    link = links.read(token)
    invitation = Invitation.objects.with_names().filter(pk=link.invitation_id).first() if link else None
    return Held(invitation, link, token) if link and invitation else None


token_view = token_marker(scope="invitation", rate="invitation_link", read=_held)
