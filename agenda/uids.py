"""What names our events in the calendars of others: the same in a feed and in a mail, for ever."""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings


def host() -> str:
    """Return what ends a UID: the name of this installation."""
    return urlsplit(settings.SITE_URL).hostname or "localhost"


def uid_of(pk: UUID) -> str:
    """Return the UID of an appointment, an opening or an agenda."""
    return f"{pk}@{host()}"
