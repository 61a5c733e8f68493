"""The personal link of an invitation: a keyed signature, never stored. Made when a mail leaves, or on demand.

What it signs: the invitation, its generation (raised by « Renvoyer », which voids the former ones), by which way the
link was given, and a keyed digest of the address it was mailed to. One that came by mail proves that its holder reads
that mailbox, no other; one copied by the inviter proves nothing: he could open it himself
(docs/decisions/2026-11-28-invitations.md).
"""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from coordination.accounts.mails import absolute
from coordination.common import cipher

MAILED, COPIED = "courriel", "copie"


class Link(NamedTuple):
    invitation_id: UUID
    generation: int
    way: str
    digest: str = ""

    def proves(self, email: str) -> bool:
        """Say whether its holder reads this mailbox: the link was mailed, and there."""
        digests = (_digest(email, secret) for secret in cipher.secrets())
        return self.way == MAILED and any(constant_time_compare(self.digest, digest) for digest in digests)


def _signer() -> signing.Signer:
    # The key is read from the settings of today: it may have been changed.
    return signing.Signer(salt="circle.invitation")


def token_of(invitation, way: str) -> str:
    """Return the signed part of the address."""
    digest = _digest(invitation.email) if way == MAILED else ""
    return _signer().sign_object([invitation.pk.hex, invitation.generation, way, digest])


def address_of(invitation, way: str) -> str:
    """Return the whole address, from the setting of the site."""
    return absolute(reverse("invitations:answer", args=[token_of(invitation, way)]))


def read(token: str) -> Link | None:
    """Return what a token says, None when it is not one of ours."""
    try:
        key, generation, way, digest = _signer().unsign_object(token)
        return Link(UUID(key), int(generation), way, digest)
    except (signing.BadSignature, ValueError, TypeError):
        return None


def _digest(email: str, secret: str | None = None) -> str:
    """Keyed, by the current key unless a former one is given: what a link shows of itself tells no address, even to
    who guesses."""
    return salted_hmac("circle.invitation.address", email.lower(), secret, algorithm="sha256").hexdigest()[:32]
