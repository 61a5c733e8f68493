"""Production: refuses to start, with every reason at once, rather than run unsafely."""

from django.core.exceptions import ImproperlyConfigured

from coordination.settings.base import *  # noqa: F403
from coordination.settings.base import env
from coordination.settings.guard import reasons_to_refuse

# TLS ends at a proxy, which says so in a header it always overwrites, or at gunicorn itself.
TLS_PROXY_HEADER = env.text("TLS_PROXY_HEADER")
TLS_CERTIFICATE, TLS_KEY = env.text("TLS_CERTIFICATE"), env.text("TLS_KEY")
if TLS_PROXY_HEADER:
    SECURE_PROXY_SSL_HEADER = (f"HTTP_{TLS_PROXY_HEADER.upper().replace('-', '_')}", "https")

REFUSES_UNSAFE_START = True
SECURE_SSL_REDIRECT = True
# Probes come from inside, without TLS; programs are refused without it, not redirected (RefusalsMiddleware).
SECURE_REDIRECT_EXEMPT = [r"^sante/", r"^fhir(/|$)", r"^agenda/flux/"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# No health data behind a password alone.
MFA_REQUIRED = True
# The prefix makes the browser itself refuse a cookie set by another host or without TLS.
SESSION_COOKIE_NAME = "__Host-session"
CSRF_COOKIE_NAME = "__Host-csrf"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

if _reasons := reasons_to_refuse(globals()):
    raise ImproperlyConfigured("Production refuses to start:\n" + "\n".join(f"- {reason}" for reason in _reasons))
