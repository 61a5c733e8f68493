"""The test suite: same engine as production, quick password hashes, jobs run in place."""

from coordination.settings.base import *  # noqa: F403

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True

if DATABASES["default"]:  # noqa: F405
    # Several people may run the suite against one server: each names their own database.
    _suffix = env.text("TEST_DB_SUFFIX")  # noqa: F405
    DATABASES["default"]["TEST"] = {  # noqa: F405
        "NAME": "_".join(filter(None, ["test_coordination", _suffix]))
    }
