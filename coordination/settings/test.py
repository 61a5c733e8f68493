"""The test suite: same engine as production, quick password hashes, jobs run in place."""

from coordination.settings.base import *  # noqa: F403
from coordination.settings.base import DATABASES, INSTALLED_APPS, env

INSTALLED_APPS = [*INSTALLED_APPS, "coordination.demo"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
INS_TEST_ALLOWED = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]:
    # Several people may run the suite against one server: each names their own database.
    DATABASES["default"]["TEST"] = {"NAME": "_".join(filter(None, ["test_coordination", env.text("TEST_DB_SUFFIX")]))}
