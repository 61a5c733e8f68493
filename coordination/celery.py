"""The Celery application: a doorbell for rows that wait in PostgreSQL, never their home."""

import logging.config
import re
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d|\d{1,9}", re.IGNORECASE)


class IdentifiersOnly(Task):
    """Refuses at the door any argument that is not an identifier or a date: the broker learns nothing (SECT-6)."""

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        """As Celery's; raises TypeError, without quoting it, for an argument that could be a name."""
        for value in [*(args or ()), *(kwargs or {}).values()]:
            if not IDENTIFIER.fullmatch(str(value)):
                raise TypeError(f"{self.name} takes identifiers only.")
        return super().apply_async(args, kwargs, *rest, **options)


# No default for DJANGO_SETTINGS_MODULE here: importing the house must not choose its settings.
app = Celery("coordination", task_cls=IdentifiersOnly)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_web_does(**_signal: Any) -> None:
    """Celery would otherwise write its own format, with results and exceptions quoted."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
