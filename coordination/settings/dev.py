"""A developer's machine and `make run`: plain HTTP on 127.0.0.1, embedded services."""

from coordination.settings.base import *  # noqa: F403

DEBUG = env.flag("DEBUG", default=True)  # noqa: F405
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *env.listed("ALLOWED_HOSTS")]  # noqa: F405
INTERNAL_IPS = ["127.0.0.1"]
# Serve static/ straight from the sources: no collectstatic between an edit and a reload.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
