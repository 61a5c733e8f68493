"""The Celery application: a doorbell for rows that wait in PostgreSQL, never their home."""

import logging.config
import re
from typing import Any

from celery import Celery, Task
from celery.signals import beat_init, setup_logging, task_prerun, worker_init

IDENTIFIER = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\d|\d{1,9}", re.IGNORECASE)
# What sends nothing, takes nothing from elsewhere and forgets nothing. A new task waits until it is listed.
DONE_IN_QUARANTINE = frozenset({"habilitations.tasks.prepare_journal", "habilitations.tasks.check_journal"})
logger = logging.getLogger(__name__)


class IdentifiersOnly(Task):
    """Refuses at the door any argument that is not an identifier or a date: the broker learns nothing (SECT-6).

    And runs nothing while a quarantine stands.
    """

    abstract = True

    def apply_async(self, args: Any = None, kwargs: Any = None, *rest: Any, **options: Any) -> Any:
        """As Celery's; raises TypeError, without quoting it, for an argument that could be a name."""
        for value in [*(args or ()), *(kwargs or {}).values()]:
            if not IDENTIFIER.fullmatch(str(value)):
                raise TypeError(f"{self.name} takes identifiers only.")
        return super().apply_async(args, kwargs, *rest, **options)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task; in a restored installation that nobody has released, only what keeps its journal (REL-13)."""
        from coordination.common import away, declaring
        from coordination.outbox import quarantine

        if self.name not in DONE_IN_QUARANTINE and quarantine.stands():
            logger.info("quarantine.task_not_run", extra={"task": self.name})
            return None
        with declaring.declared_as_system(self.name):
            try:
                return self.run(*args, **kwargs)
            except Exception as error:
                away.note(error)
                raise


# No default for DJANGO_SETTINGS_MODULE here: importing the house must not choose its settings.
app = Celery("coordination", task_cls=IdentifiersOnly)
# For every thread: made current, it is so in this one alone, and another that rings would look for a broker elsewhere.
app.set_default()
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def log_as_the_web_does(**_signal: Any) -> None:
    """Celery would otherwise write its own format, with results and exceptions quoted."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@app.on_configure.connect
def read_settings(**_signal: Any) -> None:
    """Read them a moment before Celery does, which would tell a refusal under the trace of its own code."""
    from django.conf import settings

    from coordination.common import terminal

    try:
        settings.INSTALLED_APPS  # noqa: B018 - asked, hence read
    except Exception as refusal:
        terminal.stop(refusal)


@task_prerun.connect
def leave_when_worn(task: Task, **_signal: Any) -> None:
    """Who was refused memory takes nothing more: another is forked, and the ring that came is given to it (REL-18).

    As the web does after its request (deploy/gunicorn.conf.py). Here before the next ring, which is then given back:
    what wore this one out is over, and is not begun again by it.
    """
    from coordination.common import away

    if away.is_worn() and not task.request.is_eager:
        logger.warning("worker.renewed", extra={"reason": "memory"})
        raise SystemExit


@worker_init.connect
@beat_init.connect
def refuse_unsafe_start(**_signal: Any) -> None:
    """As the web server does (SECT-15). Celery logs the exception of a receiver and goes on: this ends."""
    from coordination.common import safety, terminal

    try:
        safety.refuse_unsafe_start()
    except Exception as refusal:
        terminal.stop(refusal)
