"""Settings that a production must not have, one a line, and what refuses each (SECT-15).

A callable makes the wrong value of the one that production has.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

JUST_BACKEND = "django.contrib.auth.backends.ModelBackend"
MIDDLEWARE = "coordination.accounts.middleware"


def policy(**directives: list[str]):
    """Return the production's policy of contents with other directives; an empty list removes one."""

    def made(value: dict[str, Any]) -> dict[str, Any]:
        named = {name.replace("_", "-"): given for name, given in directives.items()}
        return {"DIRECTIVES": {name: given for name, given in (value["DIRECTIVES"] | named).items() if given}}

    return made


def without(*gone: str):
    return lambda value: [one for one in value if one not in gone]


def but(**changes: Any):
    return lambda value: value | changes


def _swapped(value: list[str]) -> list[str]:
    first, second = f"{MIDDLEWARE}.AuthenticationMiddleware", f"{MIDDLEWARE}.LoginRequiredMiddleware"
    return [{first: second, second: first}.get(one, one) for one in value]


def _unescaped(value: list[dict]) -> list[dict]:
    first, *rest = value
    return [first | {"OPTIONS": first["OPTIONS"] | {"autoescape": False}}, *rest]


def _mailing(value: dict) -> dict:
    handlers = value["handlers"] | {"mail": {"class": "django.utils.log.AdminEmailHandler"}}
    return value | {"handlers": handlers}


def _talkative(value: dict) -> dict:
    return value | {"loggers": value["loggers"] | {"django.db.backends": {"level": "DEBUG"}}}


def _database(**changes: Any):
    return lambda value: {"default": value["default"] | changes}


WRONG: list[tuple[str, str, Any]] = [
    ("common.E001", "CONTENT_SECURITY_POLICY", policy(default_src=["'self'"])),
    ("common.E001", "CONTENT_SECURITY_POLICY", policy(default_src=[])),
    ("common.E002", "CONTENT_SECURITY_POLICY", policy(script_src=["'self'", "'unsafe-inline'"])),
    ("common.E002", "CONTENT_SECURITY_POLICY", policy(script_src=["'self'", "'unsafe-eval'"])),
    ("common.E002", "CONTENT_SECURITY_POLICY", policy(script_src=["'self'", "https://cdn.example"])),
    ("common.E002", "CONTENT_SECURITY_POLICY", policy(script_src=["*"])),
    ("common.E002", "CONTENT_SECURITY_POLICY", policy(style_src=["'self'", "'unsafe-inline'"])),
    ("common.E003", "CONTENT_SECURITY_POLICY", policy(frame_ancestors=["'self'"])),
    ("common.E003", "CONTENT_SECURITY_POLICY", policy(frame_ancestors=[])),
    ("common.E004", "CONTENT_SECURITY_POLICY", policy(base_uri=["'self'"])),
    ("common.E004", "CONTENT_SECURITY_POLICY", policy(form_action=["*"])),
    ("common.E005", "CONTENT_SECURITY_POLICY", policy(require_trusted_types_for=[])),
    ("common.E005", "CONTENT_SECURITY_POLICY", policy(trusted_types=[])),
    ("common.E006", "CONTENT_SECURITY_POLICY", but(EXCLUDE_URL_PREFIXES=["/fhir/"])),
    ("common.E007", "MIDDLEWARE", without("coordination.common.headers.PrivacyHeadersMiddleware")),
    ("common.E008", "MIDDLEWARE", without("django.middleware.security.SecurityMiddleware")),
    ("common.E009", "SECURE_CROSS_ORIGIN_OPENER_POLICY", "same-origin-allow-popups"),
    ("common.E010", "SECURE_REFERRER_POLICY", "origin"),
    ("common.E011", "TEMPLATES", _unescaped),
    ("common.E012", "MESSAGE_STORAGE", "django.contrib.messages.storage.cookie.CookieStorage"),
    ("common.E013", "LOGGING", _mailing),
    ("common.E014", "LOGGING", _talkative),
    ("common.E015", "DEBUG_PROPAGATE_EXCEPTIONS", True),
    ("common.E016", "DATA_UPLOAD_MAX_MEMORY_SIZE", None),
    ("common.E016", "DATA_UPLOAD_MAX_MEMORY_SIZE", 10**9),
    ("common.E016", "DATA_UPLOAD_MAX_NUMBER_FIELDS", None),
    ("common.E017", "INSTALLED_APPS", lambda value: [*value, "coordination.demo"]),
    ("common.E018", "WHITENOISE_USE_FINDERS", True),
    ("common.E018", "STORAGES", but(staticfiles={"BACKEND": "django.core.files.storage.FileSystemStorage"})),
    ("common.E019", "USE_TZ", False),
    ("common.E020", "DATABASES", _database(OPTIONS={"sslmode": "disable"})),
    ("common.E020", "DATABASES", _database(ENGINE="django.db.backends.postgresql")),
    ("common.E021", "SILENCED_SYSTEM_CHECKS", ["security.W004"]),
    ("accounts.E001", "PASSWORD_HASHERS", ["django.contrib.auth.hashers.MD5PasswordHasher"]),
    ("accounts.E002", "AUTH_PASSWORD_VALIDATORS", lambda value: [
        one | ({"OPTIONS": {"min_length": 8}} if one["NAME"].endswith("MinimumLengthValidator") else {})
        for one in value
    ]),
    ("accounts.E003", "AUTH_PASSWORD_VALIDATORS", lambda value: [
        one for one in value if not one["NAME"].endswith("CommonPasswordValidator")
    ]),
    ("accounts.E004", "MFA_REQUIRED", False),
    ("accounts.E005", "MFA_TRUST_ENABLED", True),
    ("accounts.E006", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN", True),
    ("accounts.E007", "AUTHENTICATION_BACKENDS", lambda value: [*value, JUST_BACKEND]),
    ("accounts.E008", "MIDDLEWARE", without(f"{MIDDLEWARE}.LoginRequiredMiddleware")),
    ("accounts.E008", "MIDDLEWARE", without(f"{MIDDLEWARE}.SecondFactorMiddleware")),
    ("accounts.E008", "MIDDLEWARE", _swapped),
    ("accounts.E009", "SESSION_COOKIE_SAMESITE", "None"),
    ("accounts.E009", "CSRF_COOKIE_SAMESITE", None),
    ("accounts.E010", "SESSION_COOKIE_NAME", "session"),
    ("accounts.E010", "CSRF_COOKIE_DOMAIN", ".gouv.example"),
    ("accounts.E011", "SESSION_EXPIRE_AT_BROWSER_CLOSE", False),
    ("accounts.E011", "ACCOUNT_SESSION_REMEMBER", None),
    ("accounts.E012", "SESSION_IDLE_SECONDS", 0),
    ("accounts.E012", "SESSION_IDLE_SECONDS", 7200),
    ("accounts.E013", "SESSION_ABSOLUTE_SECONDS", 7 * 24 * 3600),
    ("accounts.E014", "ACCOUNT_RATE_LIMITS", but(login_failed=None)),
    ("accounts.E014", "ACCOUNT_RATE_LIMITS", but(api_token="")),
    ("accounts.E015", "CACHES", but(default={"BACKEND": "django.core.cache.backends.locmem.LocMemCache"})),
    ("accounts.E016", "ACCOUNT_PREVENT_ENUMERATION", False),
    ("accounts.E017", "ACCOUNT_EMAIL_VERIFICATION", "optional"),
    ("accounts.E018", "ACCOUNT_REAUTHENTICATION_REQUIRED", False),
    ("accounts.E018", "DOSSIER_REAUTHENTICATION_SECONDS", 24 * 3600),
    ("accounts.E019", "PASSWORD_RESET_TIMEOUT", 30 * 24 * 3600),
    ("accounts.E020", "SESSION_ENGINE", "django.contrib.sessions.backends.signed_cookies"),
    ("outbox.E001", "EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend"),
    ("outbox.E002", "CELERY_ACCEPT_CONTENT", ["json", "pickle"]),
    ("outbox.E003", "CELERY_TASK_ALWAYS_EAGER", True),
    ("outbox.E004", "CELERY_TASK_ACKS_LATE", False),
    ("outbox.E004", "CELERY_BROKER_TRANSPORT_OPTIONS", but(visibility_timeout=60)),
    ("fhir.E001", "FHIR_AUTHENTICATOR", ""),
    ("fhir.E002", "FHIR_CALLS_PER_MINUTE", 0),
    ("fhir.E003", "FHIR_TOKEN_SECONDS", 86400),
    ("fhir.E004", "FHIR_BASE_URL", "http://coordination.gouv.example/fhir"),
    ("habilitations.E001", "MATRIX_ALONE_HOURS", 0),
    ("habilitations.E002", "BRIS_DE_GLACE_MINUTES", 10_000),
    ("habilitations.E003", "ACCESS_CLOSE_MONTHS", 24),
    ("habilitations.E004", "ACCESS_CLOSE_NOTICE_DAYS", 0),
    ("habilitations.E005", "JOURNAL_UNUSUAL", but(opens=22)),
    ("partners.E001", "PARTNERS_ALLOW_PRIVATE", True),
    ("dossiers.E001", "INS_TEST_ALLOWED", True),
    ("circle.E001", "INVITATION_DAYS", 365),
    ("circle.E002", "ACCOUNT_RATE_LIMITS", but(invitations="0/3600s/user")),
    ("agenda.E001", "AGENDA_FEED_READS_PER_MINUTE", 0),
    ("agenda.E002", "AGENDA_REPLY_ADDRESS", "agenda"),
    ("operations.E001", "METRICS_BIND", "0.0.0.0:9464"),  # noqa: S104 - the wrong value of the case
]  # fmt: skip
# What Django's own checks see, each with its own number.
DJANGO_SEES = [
    ("security.W001", "MIDDLEWARE", without("django.middleware.security.SecurityMiddleware")),
    ("security.W002", "MIDDLEWARE", without("django.middleware.clickjacking.XFrameOptionsMiddleware")),
    ("security.W003", "MIDDLEWARE", without("django.middleware.csrf.CsrfViewMiddleware")),
    ("security.W004", "SECURE_HSTS_SECONDS", 0),
    ("security.W005", "SECURE_HSTS_INCLUDE_SUBDOMAINS", False),
    ("security.W006", "SECURE_CONTENT_TYPE_NOSNIFF", False),
    ("security.W008", "SECURE_SSL_REDIRECT", False),
    ("security.W009", "SECRET_KEY", "short"),
    ("security.W010", "SESSION_COOKIE_SECURE", False),
    ("security.W013", "SESSION_COOKIE_HTTPONLY", False),
    ("security.W016", "CSRF_COOKIE_SECURE", False),
    ("security.W018", "DEBUG", True),
    ("security.W019", "X_FRAME_OPTIONS", "SAMEORIGIN"),
    ("security.W020", "ALLOWED_HOSTS", []),
    ("security.W021", "SECURE_HSTS_PRELOAD", False),
    ("security.W022", "SECURE_REFERRER_POLICY", None),
    ("security.W025", "SECRET_KEY_FALLBACKS", ["short"]),
]  # fmt: skip


@contextmanager
def set_wrong(name: str, value: Any) -> Iterator[None]:
    """Set one setting as it must not be. Not `override_settings`: nothing is to follow, applications even less."""
    missing = object()
    right = getattr(settings, name, missing)
    setattr(settings, name, value(right) if callable(value) else value)
    try:
        yield
    finally:
        delattr(settings, name)
        if right is not missing:
            setattr(settings, name, right)


def said() -> list[list[str]]:
    """Return what is said of the production this process runs with, then of each wrong setting alone."""
    from coordination.common.safety import unsafe_settings

    answers = [unsafe_settings()]
    for _, name, value in [*WRONG, *DJANGO_SEES]:
        with set_wrong(name, value):
            answers.append(unsafe_settings())
    return answers
