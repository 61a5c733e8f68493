"""Has this session shown a second factor? Answered from the session itself, with no query."""

import time

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, get_authentication_records
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.urls import reverse

# Set when a factor is enrolled: to enrol it one had to show it.
ENROLLED_HERE = "second_factor_enrolled_here"

# Where somebody was going when a first factor was asked of him.
THEN = "second_factor_then"


def passed(request) -> bool:
    """Return whether this session's person has used or enrolled a second factor in it."""
    if request.session.get(ENROLLED_HERE) == str(request.user.pk):
        return True
    return any(record.get("method") == "mfa" for record in get_authentication_records(request, request.user))


def shown_within(request, seconds: int) -> bool:
    """Return whether the second factor itself, not a password, was shown in this session so few seconds ago."""
    records = get_authentication_records(request, request.user)
    return any(one.get("method") == "mfa" and time.time() - one["at"] < seconds for one in records)


def enrolled(user) -> bool:
    """Return whether the account has a second factor at all (one query)."""
    return is_mfa_enabled(user)


def lacks_codes(user) -> bool:
    """Return whether the account has a second factor and no recovery codes: nothing replaces a lost one (one query).

    Enrolling gives codes; those of a restored backup are void (REL-13).
    """
    types = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
    return bool(types) and Authenticator.Type.RECOVERY_CODES not in types


def note_enrolment(request, user) -> None:
    """Count the factor just enrolled as shown in this session."""
    request.session[ENROLLED_HERE] = str(user.pk)


def forget_removed(request, user) -> None:
    """Once the last factor is taken away, what was shown of it protects nothing more: one is asked for again."""
    if enrolled(user):
        return
    request.session.pop(ENROLLED_HERE, None)
    kept = [record for record in get_authentication_records(request, user) if record.get("method") != "mfa"]
    request.session[AUTHENTICATION_METHODS_SESSION_KEY] = kept


def way_to(request, user, path: str) -> str:
    """Return where to send somebody who goes to `path`: through the enrolment of a key when he has no factor yet.

    The key is offered first, the application beside it; `resume` then leads to `path`.
    """
    if not settings.MFA_REQUIRED or passed(request) or enrolled(user):
        return path
    request.session[THEN] = path
    return reverse("mfa_add_webauthn")
