"""What pages need to announce the end of a session (static/js/session.js)."""

from django.conf import settings

from coordination.accounts import reauthentication


def session_limits(request):
    """Context processor of the Jinja2 engine: seconds before an idle session ends, 0 for a visitor; `asked_act`, the
    act of a question, for the pages that ask one.
    """
    signed_in = getattr(getattr(request, "user", None), "is_authenticated", False)
    return {
        "session_seconds": settings.SESSION_IDLE_SECONDS if signed_in else 0,
        "asked_act": reauthentication.asked_act,
    }
