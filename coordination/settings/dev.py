"""A developer's machine and `make run`: plain HTTP on 127.0.0.1, embedded services."""

from coordination.common import logging as product_logging
from coordination.settings.base import *  # noqa: F403
from coordination.settings.base import INSTALLED_APPS, env

# Off, as the product is: pages of error in French, and absent or forbidden alike. DEBUG=1 for Django's own.
DEBUG = env.flag("DEBUG")
# Invented people; the production settings know nothing of them.
INSTALLED_APPS = [*INSTALLED_APPS, "coordination.demo"]
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]", *env.listed("ALLOWED_HOSTS")]
INS_TEST_ALLOWED = True
PARTNERS_ALLOW_PRIVATE = True
# Mails stay on this machine, on the page /dev/courriels/.
OUTBOX_EMAIL_BACKEND = "coordination.outbox.mailbox.LocalMailboxBackend"
MAILBOX_PAGE = True
# Serve static/ straight from the sources: no collectstatic between an edit and a reload.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
LOGGING = product_logging.configuration(as_json=False)
