"""The test suite: same engine as production, quick password hashes, jobs run in place."""

from coordination.settings.base import *  # noqa: F403
from coordination.settings.base import CACHES, DATABASES, INSTALLED_APPS, env

INSTALLED_APPS = [*INSTALLED_APPS, "coordination.demo"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
INS_TEST_ALLOWED = True
PARTNERS_ALLOW_PRIVATE = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
OUTBOX_EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WHITENOISE_USE_FINDERS = True
# The walks of tests/security read one address for everybody in a minute.
AGENDA_FEED_READS_PER_MINUTE = 0
WHITENOISE_AUTOREFRESH = True

# Whoever runs the suite beside a product running does not count in its Redis.
CACHES = CACHES | {"calls": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "calls"}}

if DATABASES["default"]:
    # A lock that is never given back fails the test that waits for it, and the transaction of who forgot it ends.
    limits = "-c lock_timeout=90s -c idle_in_transaction_session_timeout=180s"
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} {limits}".strip()
    # Several people may run the suite against one server: each names their own database.
    DATABASES["default"]["TEST"] = {"NAME": "_".join(filter(None, ["test_coordination", env.text("TEST_DB_SUFFIX")]))}
