"""The entry point of gunicorn. The environment names the settings; production is the default."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from coordination.common.safety import refuse_unsafe_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coordination.settings.production")

application = get_wsgi_application()
refuse_unsafe_start()
# Load every room now, before gunicorn forks, and not during somebody's first request.
get_resolver().url_patterns  # noqa: B018 - a cached property
