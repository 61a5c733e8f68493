"""What every environment shares. Works with no variable set, except the database's address."""

from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF

from coordination.common import logging as product_logging
from coordination.settings import environment as env
from coordination.settings.accounts import *  # noqa: F403 - one file per owner, see docs

ROOT = Path(__file__).resolve().parents[2]

PRODUCT_NAME = env.text("PRODUCT_NAME", "Coordination")

# Production refuses this value; development needs one that survives a restart.
DEFAULT_SECRET_KEY = "insecure-development-key-refused-by-the-production-settings"  # noqa: S105 - not a secret
SECRET_KEY = env.text("SECRET_KEY", DEFAULT_SECRET_KEY)
DEBUG = False
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS")
# The address written in e-mails, which are made by workers that see no request.
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

# Who answers for this service: printed on « Mentions légales » and « Accessibilité ».
LEGAL_PUBLISHER = env.text("LEGAL_PUBLISHER")
LEGAL_DIRECTOR = env.text("LEGAL_DIRECTOR")
LEGAL_HOST = env.text("LEGAL_HOST")
LEGAL_DATA_PROTECTION = env.text("LEGAL_DATA_PROTECTION")
CONTACT_EMAIL = env.text("CONTACT_EMAIL")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "django_htmx",
    "csp",
    "coordination.common",
    "coordination.outbox",
    "coordination.accounts",
    "habilitations",
    "coordination.directory",
    "coordination.dossiers",
    "circle",
]

MIDDLEWARE = [
    "coordination.common.logging.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "coordination.common.compression.CompressionMiddleware",
    "coordination.common.headers.PrivacyHeadersMiddleware",
    "coordination.accounts.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "coordination.accounts.middleware.AuthenticationMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "coordination.accounts.middleware.LoginRequiredMiddleware",
    "coordination.accounts.middleware.SecondFactorMiddleware",
    # After allauth's own, so that it answers first to an exception.
    "coordination.accounts.middleware.ReauthenticationMiddleware",
]

ROOT_URLCONF = "coordination.urls"
WSGI_APPLICATION = "coordination.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "coordination.common.jinja.environment",
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "coordination.common.context.form_token",
                "coordination.common.context.interface",
                "coordination.accounts.context.session_limits",
            ],
        },
    },
    {
        # Third-party templates only (allauth's e-mails).
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Data ---------------------------------------------------------------------------------------
# Absent while nothing needs it (collectstatic); Django then refuses the first query in one sentence.
DATABASE_URL = env.text("DATABASE_URL")
DATABASES = {"default": env.database(DATABASE_URL) if DATABASE_URL else {}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

# --- Jobs ---------------------------------------------------------------------------------------
# Redis only rings the bell: due work is a row in PostgreSQL, so nothing here needs to survive (stack, §3).
REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL or "memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task, or it would run twice; the sweep below is what recovers quickly.
    "visibility_timeout": 900,
    # kombu's default looks for lost tasks every 100 s only.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Acknowledged once done, handed to another worker if this one is killed: tasks are idempotent.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 540
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Europe/Paris"
CELERY_BEAT_SCHEDULE = {
    "outbox-sweep": {
        "task": "coordination.outbox.tasks.sweep",
        "schedule": 5.0,
        # A worker that was away need not catch up with the sweeps it missed.
        "options": {"expires": 10},
    },
    "outbox-purge": {"task": "coordination.outbox.tasks.purge", "schedule": crontab(hour=3, minute=17)},
    "accounts-purge": {"task": "coordination.accounts.tasks.purge", "schedule": crontab(hour=3, minute=27)},
    "invitation-reminders": {"task": "circle.tasks.remind_invitations", "schedule": crontab(minute=37, hour="8-18")},
    "invitations-undelivered": {"task": "circle.tasks.tell_undelivered", "schedule": 300.0},
    "last-days": {"task": "circle.tasks.remind_last_days", "schedule": crontab(hour=6, minute=41)},
    "sleeping-accesses": {
        "task": "circle.tasks.close_sleeping_accesses",
        "schedule": crontab(hour=4, minute=47),
    },
    "journal-months": {"task": "habilitations.tasks.prepare_journal", "schedule": crontab(hour=4, minute=7)},
    "journal-root": {"task": "habilitations.tasks.sign_journal", "schedule": crontab(minute=2)},
    "journal-check": {"task": "habilitations.tasks.check_journal", "schedule": crontab(hour=6, minute=0)},
}

# The page of the mails kept on this machine: it opens links of sign-in to anybody, on a developer's machine only.
MAILBOX_PAGE = False

# --- Journal of accesses ------------------------------------------------------------------------
# Sign its roots: the first key signs, the others are former ones. Without any, a key drawn from SECRET_KEY: changing
# that one would then make every root false.
JOURNAL_KEYS = env.listed("JOURNAL_KEYS")
# Months kept besides the current one before `purge_journal` may remove them: 6 to 36 (SEC-14).
JOURNAL_RETENTION_MONTHS = env.number("JOURNAL_RETENTION_MONTHS", 12)
# What the journal points out as « À vérifier » (habilitations/unusual.py); 0 turns a rule off.
JOURNAL_UNUSUAL = {
    "opens": env.number("JOURNAL_HOURS_FROM", 7),
    "closes": env.number("JOURNAL_HOURS_TO", 21),
    "weekend": env.flag("JOURNAL_WEEKEND_IS_USUAL", default=True),
    "new_days": env.number("JOURNAL_NEW_MEMBER_DAYS", 30),
    "many": env.number("JOURNAL_MANY_DOSSIERS", 30),
    "many_minutes": env.number("JOURNAL_MANY_MINUTES", 30),
}

# --- Habilitations ------------------------------------------------------------------------------
# A version of the matrix is published by another administrator than the one who asked for it.
MATRIX_SECOND_APPROVER = env.flag("MATRIX_SECOND_APPROVER", default=True)
# With a single administrator, `manage.py publish_requested_matrix` does it after this delay.
MATRIX_ALONE_HOURS = env.number("MATRIX_ALONE_HOURS", 24)

# « Accès d’urgence » (bris de glace, SEC-8): off unless an installation decides it. How long one lasts, and within how
# many seconds who opens one has shown a second factor.
BRIS_DE_GLACE = env.flag("BRIS_DE_GLACE", default=False)
BRIS_DE_GLACE_MINUTES = env.number("BRIS_DE_GLACE_MINUTES", 120)
BRIS_DE_GLACE_FACTOR_SECONDS = 300
# « Revue des accès »: after how many months without use a grant is proposed for closing (and asked about again once
# kept), and every how many months a dossier is gone through.
ACCESS_UNUSED_MONTHS = env.number("ACCESS_UNUSED_MONTHS", 6)
ACCESS_REVIEW_MONTHS = env.number("ACCESS_REVIEW_MONTHS", 3)
# After how many months without use the access of an account closes by itself, and how many days before its holder is
# told; 0 closes none. At most JOURNAL_RETENTION_MONTHS: what the journal no longer knows would read as no use.
ACCESS_CLOSE_MONTHS = env.number("ACCESS_CLOSE_MONTHS", 0)
ACCESS_CLOSE_NOTICE_DAYS = env.number("ACCESS_CLOSE_NOTICE_DAYS", 15)

# --- Logs ---------------------------------------------------------------------------------------
LOGGING = product_logging.configuration(as_json=True)

# --- Invitations --------------------------------------------------------------------------------
# How long a link serves, and after how many days somebody who has not opened it is written to once more.
INVITATION_DAYS = env.number("INVITATION_DAYS", 14)
INVITATION_REMINDER_DAYS = env.number("INVITATION_REMINDER_DAYS", 5)

# --- Identity -----------------------------------------------------------------------------------
# Matricules of test and demonstration (OID .10 and .11) are no one's: refused where real people are followed.
INS_TEST_ALLOWED = env.flag("INS_TEST_ALLOWED", default=False)

# A message may name a member of a circle: it waits in the session, never in a cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "fr-fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

# --- Static files -------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(ROOT / "staticfiles")))
STATICFILES_DIRS = [ROOT / "static"]

# --- Browser protections ------------------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "coordination.common.error_pages.csrf_failure"
