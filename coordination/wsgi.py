"""The entry point of gunicorn. The environment names the settings; production is the default."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.template import engines
from django.urls import get_resolver

from coordination.common import jinja, terminal
from coordination.common.safety import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.production")

try:
    application = get_wsgi_application()
    refuse_unsafe_start()
except Exception as refusal:
    terminal.stop(refusal, code=terminal.NOT_STARTED)
if settings.REFUSES_UNSAFE_START:
    # Two seconds once, before gunicorn forks. Not for `make run`: nobody changes its files but who runs it.
    jinja.read_all(engines["jinja2"].env)
# Load every room now, before gunicorn forks, and not during somebody's first request.
get_resolver().url_patterns  # noqa: B018 - a cached property
