"""The settings of the restore drill: those of `make run`, and a mail server that the test listens on."""

from coordination.settings.dev import *  # noqa: F403

OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = 5
