"""Headers that keep a page private once it has left the server (SEC-21), and what is refused before any page."""

import re

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpResponse

from coordination.common import error_pages

PERMISSIONS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
)
# They would show a caller what proxies added to his request, or open a way through; no page has a use for them.
NO_METHODS = frozenset({"TRACE", "TRACK", "CONNECT"})
# What programs call. A browser that came without TLS is sent to https; a program would go on sending its token or its
# secret address in the clear, and nobody would see it (ASVS 4.1.2).
FOR_PROGRAMS = re.compile(r"/fhir(/|$)|/agenda/flux/")


class RefusalsMiddleware:
    """Refuse the methods that nobody needs, and programs that call without TLS where pages ask for it.

    A page that only answers a button says so to who opens its address.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.method in NO_METHODS:
            return HttpResponse("Méthode refusée.", status=405, content_type="text/plain; charset=utf-8")
        if settings.SECURE_SSL_REDIRECT and not request.is_secure() and FOR_PROGRAMS.match(request.path_info):
            return HttpResponse("TLS est obligatoire.", status=403, content_type="text/plain; charset=utf-8")
        response = self.get_response(request)
        if response.status_code == 405 and request.method == "GET" and not response.content:
            # Django says nothing then, and a browser shows an empty page.
            response.content = error_pages.not_opened()
            response.headers["Content-Length"] = str(len(response.content))
        return response


def on_files(headers, path, url):
    """Give a static file the policy of pages: an image opened by itself is a document too. Called by whitenoise."""
    headers["Content-Security-Policy"] = build_policy()
    # whitenoise says the encoding of texts, and not of what is written in XML.
    if (kind := headers.get("Content-Type") or "").endswith("+xml"):
        headers["Content-Type"] = f"{kind}; charset=utf-8"


class PrivacyHeadersMiddleware:
    """No page is kept by a cache or the browser's disk; static files answer before this one.

    The policy of contents is the same for every page, without a nonce or an exception: django-csp writes it once
    instead of twice in each answer.
    """

    def __init__(self, get_response):
        self.get_response = get_response
        self.policy = build_policy()

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers["Content-Security-Policy"] = self.policy
        return response
