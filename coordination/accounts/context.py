"""What pages need to announce: the end of a session (static/js/session.js), a restored installation."""

import datetime as dt
import time

from django.conf import settings
from django.db import DatabaseError

from coordination.accounts import reauthentication
from coordination.outbox.models import Quarantine

# The attribute under which the query of the session brings the answer (accounts/apps.py).
CARRIED = "quarantined_since"
# A visitor's page has no query of its own: this process asks for all of them, once in so many seconds.
VISITORS_TOLD_EVERY = 10.0
# When it was asked (monotonic clock), and the answer.
_told: tuple[float, dt.datetime | None] | None = None


def session_limits(request):
    """Context processor of the Jinja2 engine: seconds before an idle session ends, 0 for a visitor, and whose it is;
    `asked_act`, the act of a question, for the pages that ask one.
    """
    signed_in = getattr(getattr(request, "user", None), "is_authenticated", False)
    return {
        "session_seconds": settings.SESSION_IDLE_SECONDS if signed_in else 0,
        "session_account": request.user.pk if signed_in else "",
        "asked_act": reauthentication.asked_act,
    }


def restored(request):
    """Context processor of the Jinja2 engine: `quarantined_since()`, which the base template calls (REL-13)."""
    return {"quarantined_since": lambda: _quarantined_since(getattr(request, "user", None))}


def _quarantined_since(user) -> dt.datetime | None:
    """Return the date of the backup while its quarantine stands. No query for who is signed in."""
    if hasattr(user, CARRIED):
        return getattr(user, CARRIED)
    global _told
    if _told is None or time.monotonic() - _told[0] > VISITORS_TOLD_EVERY:
        try:
            found = Quarantine.objects.standing().values_list("backup_at", flat=True).first()
        except DatabaseError:
            # A page of error is drawn when the database is away too.
            return None
        _told = time.monotonic(), found
    return _told[1]


def forget() -> None:
    """Ask again for the next visitor."""
    global _told
    _told = None
