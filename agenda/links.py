"""The personal link of a participant without an account: a keyed signature, never stored, made when a mail leaves.

What it signs: the participation, its generation, and a keyed digest of the address it was mailed to. Removing the
participant, or correcting his address in the circle, voids it: the next letter carries a link of its own.
"""

from __future__ import annotations

from uuid import UUID

from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from agenda.keys import address_of as mailed_to
from agenda.models import Participation
from coordination.accounts.mails import absolute
from coordination.common import cipher


def _signer() -> signing.Signer:
    return signing.Signer(salt="agenda.participation")


def token_of(participation: Participation) -> str:
    """Return the signed part of the address."""
    digest = _digest(mailed_to(participation))
    return _signer().sign_object([participation.pk.hex, participation.generation, digest])


def address_of(participation: Participation) -> str:
    """Return the whole address, from the setting of the site."""
    return absolute(reverse("reponse:answer", args=[token_of(participation)]))


def participation_of(token: str) -> Participation | None:
    """Return whose link it is, None when it is not one of ours or serves no longer. One SQL statement."""
    try:
        key, generation, digest = _signer().unsign_object(token)
        pk, generation = UUID(key), int(generation)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = Participation.objects.select_related(
        "appointment__organizer", "appointment__structure", "member__professional"
    )
    found = rows.filter(pk=pk, generation=generation, user=None).first()
    address = mailed_to(found) if found else ""
    digests = (_digest(address, secret) for secret in cipher.secrets())
    if not address or not any(constant_time_compare(str(digest), one) for one in digests):
        return None
    return found


def _digest(email: str, secret: str | None = None) -> str:
    return salted_hmac("agenda.participation.address", email.lower(), secret, algorithm="sha256").hexdigest()[:32]
