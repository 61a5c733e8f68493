import logging

import pytest
from django.db import transaction

from habilitations import published
from tests.security import world as made


@pytest.fixture(scope="module")
def world(request, django_db_setup, django_db_blocker):
    """The world of the tables, made once for a module and taken back at its end. `NEEDS`: what a module asks of it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield made.build(**getattr(request.module, "NEEDS", {}))
        transaction.set_rollback(True)
    published.forget()


@pytest.fixture(autouse=True)
def _same_work_at_each_request(settings, request):
    """Neither the mark of activity, written once a minute, nor lines of log that nobody reads."""
    settings.SESSION_TOUCH_SECONDS = 10**6
    if not request.node.get_closest_marker("reads_logs"):
        logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
