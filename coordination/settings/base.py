"""What every environment shares. Works with no variable set, except the database's address."""

from pathlib import Path

from celery.schedules import crontab
from csp.constants import NONE, SELF
from kombu import Exchange, Queue

from coordination.common import logging as product_logging
from coordination.common.headers import on_files as static_headers
from coordination.settings import environment as env
from coordination.settings.accounts import *  # noqa: F403 - one file per owner, see docs
from coordination.settings.retention import *  # noqa: F403

ROOT = Path(__file__).resolve().parents[2]

PRODUCT_NAME = env.text("PRODUCT_NAME", "Coordination")

# Production refuses this value; development needs one that survives a restart.
DEFAULT_SECRET_KEY = "insecure-development-key-refused-by-the-production-settings"  # noqa: S105 - not a secret
SECRET_KEY = env.text("SECRET_KEY", DEFAULT_SECRET_KEY)
# Former keys, while what they signed or encrypted still serves (docs/operations.md, « Rotating the keys »).
SECRET_KEY_FALLBACKS = env.listed("SECRET_KEY_FALLBACKS")
DEBUG = False
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS")
# Production: the web server and the workers stop at once where a demand of a room does not hold (common/safety.py).
REFUSES_UNSAFE_START = False
# The address written in e-mails, which are made by workers that see no request.
SITE_URL = env.text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")

# What names our own things in FHIR: the addresses need not answer, and must not change once something was given out.
FHIR_IDENTIFIER_SYSTEM_CIRCLE = env.text("FHIR_IDENTIFIER_SYSTEM_CIRCLE", f"{SITE_URL}/fhir/identifiants/cercle")
FHIR_IDENTIFIER_SYSTEM_PATIENT = env.text("FHIR_IDENTIFIER_SYSTEM_PATIENT", f"{SITE_URL}/fhir/identifiants/patient")
FHIR_IDENTIFIER_SYSTEM_MEMBER = env.text("FHIR_IDENTIFIER_SYSTEM_MEMBER", f"{SITE_URL}/fhir/identifiants/membre")
FHIR_IDENTIFIER_SYSTEM_APPOINTMENT = env.text(
    "FHIR_IDENTIFIER_SYSTEM_APPOINTMENT", f"{SITE_URL}/fhir/identifiants/rendez-vous"
)
FHIR_SYSTEM_EVENT_KINDS = env.text("FHIR_SYSTEM_EVENT_KINDS", f"{SITE_URL}/fhir/codes/natures-d-evenement")
FHIR_SYSTEM_CANCEL_REASONS = env.text("FHIR_SYSTEM_CANCEL_REASONS", f"{SITE_URL}/fhir/codes/motifs-d-annulation")
FHIR_IDENTIFIER_SYSTEM_AGENDA = env.text("FHIR_IDENTIFIER_SYSTEM_AGENDA", f"{SITE_URL}/fhir/identifiants/agenda")
FHIR_IDENTIFIER_SYSTEM_RANGE = env.text("FHIR_IDENTIFIER_SYSTEM_RANGE", f"{SITE_URL}/fhir/identifiants/plage")
FHIR_IDENTIFIER_SYSTEM_SLOT = env.text("FHIR_IDENTIFIER_SYSTEM_SLOT", f"{SITE_URL}/fhir/identifiants/creneau")
FHIR_IDENTIFIER_SYSTEM_RESOURCE = env.text(
    "FHIR_IDENTIFIER_SYSTEM_RESOURCE", f"{SITE_URL}/fhir/identifiants/ressource"
)
FHIR_SYSTEM_SERVICE_TYPES = env.text("FHIR_SYSTEM_SERVICE_TYPES", f"{SITE_URL}/fhir/codes/types-de-rendez-vous")
FHIR_SYSTEM_ROLES = env.text("FHIR_SYSTEM_ROLES", f"{SITE_URL}/fhir/codes/roles")

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
    "rest_framework",
    "coordination.common",
    "coordination.fhir",
    "coordination.outbox",
    "coordination.accounts",
    "habilitations",
    "coordination.partners",
    "coordination.directory",
    "coordination.dossiers",
    "circle",
    "agenda",
    "coordination.operations",
]

MIDDLEWARE = [
    "coordination.common.logging.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "coordination.common.compression.CompressionMiddleware",
    "coordination.common.headers.PrivacyHeadersMiddleware",
    "coordination.common.headers.RefusalsMiddleware",
    # The API answers here: what is below serves browsers.
    "coordination.fhir.middleware.ApiMiddleware",
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
                "coordination.accounts.context.restored",
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
DATABASES = {"default": env.database(DATABASE_URL, env.text("DATABASE_POOLER")) if DATABASE_URL else {}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"

# --- Jobs ---------------------------------------------------------------------------------------
# Redis only rings the bell: due work is a row in PostgreSQL, so nothing here needs to survive (stack, §3).
REDIS_URL = env.text("REDIS_URL")
CELERY_BROKER_URL = env.broker(REDIS_URL) if REDIS_URL else "memory://"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than the longest task, or it would run twice; the sweep below is what recovers quickly.
    "visibility_timeout": 900,
    # kombu's default looks for lost tasks every 100 s only.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_connect_timeout": 2,
    # A broker that hangs says nothing, and the clock would wait for ever. A worker waits one second for a task.
    "socket_timeout": 5,
}
# The broker may be away for long: a worker looks again every few seconds, and never gives up (REL-3).
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CONSUMER = "coordination.worker:Consumer"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_RESULT_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True
# Acknowledged once done, handed to another worker if this one is killed: tasks are idempotent.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Calendars of elsewhere have a queue of their own: a slow site holds a process for 45 seconds, and letters do not wait
# behind it. A worker told nothing takes from both; in production each queue has its worker (deploy/systemd).
CALENDARS_QUEUE = "calendriers"
# Each with its own exchange: two queues of one would both be given every task.
CELERY_TASK_QUEUES = tuple(Queue(name, Exchange(name), routing_key=name) for name in ("celery", CALENDARS_QUEUE))
CELERY_TASK_ROUTES = {"agenda.tasks.refresh_calendar": {"queue": CALENDARS_QUEUE}}
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
    "purge": {"task": "coordination.operations.tasks.purge", "schedule": crontab(hour=3, minute=17)},
    "invitation-reminders": {"task": "circle.tasks.remind_invitations", "schedule": crontab(minute=37, hour="8-18")},
    "invitations-undelivered": {"task": "circle.tasks.tell_undelivered", "schedule": 300.0},
    # What it missed, it counts at its next turn.
    "todo-counts": {"task": "circle.tasks.count_todos", "schedule": 60.0, "options": {"expires": 50}},
    # Just after midnight: a departure planned for a day ends the access as the day begins.
    "planned-stays": {"task": "circle.tasks.carry_out_plans", "schedule": crontab(minute=1)},
    "last-days": {"task": "circle.tasks.remind_last_days", "schedule": crontab(hour=6, minute=41)},
    "sleeping-accesses": {
        "task": "circle.tasks.close_sleeping_accesses",
        "schedule": crontab(hour=4, minute=47),
    },
    "agenda-horizon": {"task": "agenda.tasks.extend_horizon", "schedule": crontab(hour=3, minute=47)},
    "agenda-reminders": {"task": "agenda.tasks.remind_meetings", "schedule": crontab(minute=7, hour="7-20")},
    "agenda-partners": {"task": "agenda.tasks.ask_partners", "schedule": crontab(minute="4,19,34,49")},
    "agenda-calendars": {"task": "agenda.tasks.refresh_calendars", "schedule": 300.0, "options": {"expires": 240}},
    "agenda-answers": {"task": "agenda.tasks.receive_answers", "schedule": 60.0, "options": {"expires": 50}},
    "agenda-holds": {"task": "agenda.tasks.let_go_expired", "schedule": crontab(minute=52)},
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

# --- Programs that call the API --------------------------------------------------------------------
# The address clients know the API by, when a proxy changes it; without a final slash.
FHIR_BASE_URL = env.text("FHIR_BASE_URL").rstrip("/")
# The engine knows nobody: it is told by this who calls.
FHIR_AUTHENTICATOR = "habilitations.clients.authenticate"
FHIR_RECORDER = "habilitations.clients.record_call"
# When what the CapabilityStatement says last changed, and the version it names.
FHIR_STATEMENT_DATE = "2026-11-29"
VERSION = "0.1.0"
# How many persons a caller may be told, in a minute, that somebody alike is already followed.
FHIR_LOOKALIKES_PER_MINUTE = env.number("FHIR_LOOKALIKES_PER_MINUTE", 10)
# How long the access token of a software serves.
FHIR_TOKEN_SECONDS = env.number("FHIR_TOKEN_SECONDS", 3600)
# Calls of one software, or of one person's programs, in a minute; 0 is no limit.
FHIR_CALLS_PER_MINUTE = env.number("FHIR_CALLS_PER_MINUTE", 600)
# Counted where all processes count together. Expendable: without it calls pass, and are not slowed down by waiting.
CACHES["calls"] = (  # noqa: F405
    {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "calls",
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2},
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "calls"}
)

# --- Partners -------------------------------------------------------------------------------------
# A partner's address is https and public; on a developer's machine it may be another port of the same machine.
PARTNERS_ALLOW_PRIVATE = False

# --- Calendars of one's own -----------------------------------------------------------------------
# How often one address of an agenda may be read in a minute; 0 is no limit.
AGENDA_FEED_READS_PER_MINUTE = env.number("AGENDA_FEED_READS_PER_MINUTE", 30)
# Where mail programs answer invitations: a mailbox that keeps what follows a "+". Empty: they only show them, and one
# answers on the page.
AGENDA_REPLY_ADDRESS = env.text("AGENDA_REPLY_ADDRESS")
# The Maildir where the mail server puts what comes there; empty when it calls `manage.py recevoir_reponse`.
AGENDA_REPLY_MAILDIR = env.text("AGENDA_REPLY_MAILDIR")

# --- Logs ---------------------------------------------------------------------------------------
LOGGING = product_logging.configuration(as_json=True)

# --- Metrics ------------------------------------------------------------------------------------
# Where `manage.py metrics` answers Prometheus: this machine alone, unless a token of 32 characters is asked.
METRICS_BIND = env.text("METRICS_BIND", "127.0.0.1:9464")
METRICS_TOKEN = env.text("METRICS_TOKEN")

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
# Ours alone, for our pages alone.
WHITENOISE_ALLOW_ALL_ORIGINS = False
WHITENOISE_ADD_HEADERS_FUNCTION = static_headers

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
        # No text becomes code: what is put in a page passes the policy of app.js, which lets nothing run (SECT-14).
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["default"],
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
