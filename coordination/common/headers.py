"""Headers that keep a page private once it has left the server (SEC-21)."""

from csp.utils import build_policy

PERMISSIONS = (
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()"
)


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
