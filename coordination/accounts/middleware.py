"""Session, user and second factor of each request. Their order is given in the settings and matters."""

from urllib.parse import urlencode

from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth import middleware as auth
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions import middleware as sessions
from django.http import HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.functional import SimpleLazyObject
from django_htmx.http import HttpResponseClientRedirect

from coordination.accounts import reauthentication, second_factor
from coordination.accounts.devices import describe
from coordination.common import declaring
from coordination.common.htmx import is_fragment


class SessionMiddleware(sessions.SessionMiddleware):
    """Django's, plus the device's name and the mark of activity."""

    def process_request(self, request):
        super().process_request(request)
        request.session.device = describe(request.META.get("HTTP_USER_AGENT", ""))

    def process_response(self, request, response):
        response = super().process_response(request, response)
        # A page that asks by itself how long is left must not keep the session alive.
        if not getattr(request, "is_passive", False):
            request.session.touch()
        return response


def user_of(session):
    """Return the user of a session by the query that loaded it; end a session that no longer holds.

    Django's own `get_user` asks for the user a second time. The checks are the same: known backend, open account,
    and the hash that a new password makes void.
    """
    user_id, backend = session.get(SESSION_KEY), session.get(BACKEND_SESSION_KEY)
    row = session.row
    if not user_id or row is None or backend not in settings.AUTHENTICATION_BACKENDS:
        return _nobody()
    user = row.user
    if user is None or str(user.pk) != user_id or not user.is_active:
        return _nobody()
    if not _hash_holds(session.get(HASH_SESSION_KEY, ""), user):
        session.flush()
        return AnonymousUser()
    return user


def _nobody():
    declaring.withdraw("session")
    return AnonymousUser()


def _hash_holds(given, user):
    if constant_time_compare(given, user.get_session_auth_hash()):
        return True
    return any(constant_time_compare(given, old) for old in user.get_session_auth_fallback_hash())


class AuthenticationMiddleware(auth.AuthenticationMiddleware):
    def process_request(self, request):
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: user_of(request.session))

    def process_view(self, request, view, args, kwargs):
        # Read anyway by the pages that ask for a user, a hundred times: not through a proxy.
        if getattr(view, "login_required", True):
            request.user = user_of(request.session)


class LoginRequiredMiddleware(auth.LoginRequiredMiddleware):
    """Django's, but a session that ended while a page was open sends back to that page.

    A plain redirect is followed by htmx itself, which would draw the sign-in page inside the list being searched.
    """

    def handle_no_permission(self, request, view_func):
        return _entrance(request, self.get_login_url(view_func), self.get_redirect_field_name(view_func))


def _entrance(request, page, field="next"):
    url = f"{resolve_url(page)}?{urlencode({field: _page_of(request)}, safe='/')}"
    return HttpResponseClientRedirect(url) if is_fragment(request) else HttpResponseRedirect(url)


def _page_of(request):
    """Return the address where the person was: a fragment or a form sent has no page of its own to come back to."""
    if is_fragment(request):
        return request.htmx.current_url_abs_path or "/"
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    return reauthentication.came_from(request)


class SecondFactorMiddleware:
    """No page but the account's own before a second factor, when the setting asks for one (issue 2 §3)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if not settings.MFA_REQUIRED or not getattr(view, "login_required", True):
            return None
        if getattr(view, "is_account_page", False) or not request.user.is_authenticated:
            return None
        if second_factor.passed(request):
            return None
        page = "mfa_reauthenticate" if second_factor.enrolled(request.user) else "mfa_index"
        return _entrance(request, reverse(page))


class ReauthenticationMiddleware:
    """Send who must show his identity again to the question, and back to his act (SEC-18)."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        # allauth asks in its own pages too (password, second factor), and would answer them with what we kept.
        if isinstance(exception, ReauthenticationRequired):
            reauthentication.forget(request)
        if isinstance(exception, reauthentication.IdentityNotShown):
            return reauthentication.ask(request, exception)
        return None
