"""Marks on views."""

import time
from functools import wraps

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings


def account_page(view):
    """Let a signed-in person reach this page before a second factor: their own account, never a dossier."""

    @wraps(view)
    def marked(request, *args, **kwargs):
        return view(request, *args, **kwargs)

    marked.is_account_page = True
    return marked


def passive(view):
    """Keep a request that the page makes by itself from counting as activity."""

    @wraps(view)
    def marked(request, *args, **kwargs):
        request.is_passive = request.method in {"GET", "HEAD"}
        return view(request, *args, **kwargs)

    return marked


def recently_authenticated(view):
    """Ask for the password or second factor again when it was last shown more than ten minutes ago (SEC-18).

    For changes of rights and exports. A POST is kept and replayed once the identity is confirmed. allauth alone
    would ask right after a sign-in too: here signing in counts as showing who one is.
    """
    asking = reauthentication_required(view)

    @wraps(view)
    def guarded(request, *args, **kwargs):
        shown = get_authentication_records(request, request.user)
        recent = shown and time.time() - shown[-1]["at"] < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        return (view if recent else asking)(request, *args, **kwargs)

    return guarded
