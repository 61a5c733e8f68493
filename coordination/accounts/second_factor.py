"""Has this session shown a second factor? Answered from the session itself, with no query."""

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled

# Set when a factor is enrolled: to enrol it one had to show it.
ENROLLED_HERE = "second_factor_enrolled_here"


def passed(request) -> bool:
    """Return whether this session's person has used or enrolled a second factor in it."""
    if request.session.get(ENROLLED_HERE) == str(request.user.pk):
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def enrolled(user) -> bool:
    """Return whether the account has a second factor at all (one query)."""
    return is_mfa_enabled(user)


def note_enrolment(request, user) -> None:
    """Count the factor just enrolled as shown in this session."""
    request.session[ENROLLED_HERE] = str(user.pk)
