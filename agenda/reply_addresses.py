"""The address to which a mail program answers: that of the installation, with a secret of the one invited.

agenda+SECRET@…: the invitation and a keyed signature of it and of the address it was mailed to, in letters that every
mail server keeps. Never stored: whoever reads the database answers for nobody.
"""

from __future__ import annotations

import base64
import re
from uuid import UUID

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from agenda.models import CalendarInvitation
from coordination.common import cipher

_TOKEN = re.compile(r"[a-z2-7]{52}")


def is_open() -> bool:
    """Return whether answers by mail are received here."""
    return bool(settings.AGENDA_REPLY_ADDRESS)


def address_of(invitation: CalendarInvitation) -> str:
    """Return where this one answers. Asked only where answers are received (`is_open`)."""
    name, _, host = settings.AGENDA_REPLY_ADDRESS.rpartition("@")
    return f"{name}+{_token(invitation.pk, invitation.email)}@{host}"


def invitation_of(address: str) -> CalendarInvitation | None:
    """Return whose answer comes to an address, None when it is not one of ours. One SQL statement at most."""
    name, _, host = address.lower().rpartition("@")
    ours, _, our_host = settings.AGENDA_REPLY_ADDRESS.lower().rpartition("@")
    base, _, token = name.rpartition("+")
    if not is_open() or (base, host) != (ours, our_host) or not _TOKEN.fullmatch(token):
        return None
    pk = UUID(bytes=base64.b32decode(token[:26].upper() + "======"))
    found = CalendarInvitation.objects.select_related("appointment", "user").filter(pk=pk).first()
    if found is None:
        return None
    tokens = (_token(found.pk, found.email, secret) for secret in cipher.secrets())
    return found if any(constant_time_compare(token, one) for one in tokens) else None


def _token(pk: UUID, email: str, secret: str | None = None) -> str:
    said = f"{pk.hex} {email.lower()}"
    signed = salted_hmac("agenda.reply", said, secret, algorithm="sha256").digest()[:16]
    return _letters(pk.bytes) + _letters(signed)


def _letters(sixteen: bytes) -> str:
    return base64.b32encode(sixteen).decode().rstrip("=").lower()
