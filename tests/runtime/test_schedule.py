"""What the scheduler starts exists, and nothing that must run every day is forgotten."""

from django.conf import settings
from django.utils.module_loading import import_string

SCHEDULED = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}


def test_every_scheduled_task_exists_under_that_name():
    assert {import_string(path).name for path in SCHEDULED} == SCHEDULED


def test_the_journal_does_not_stop_two_years_after_the_installation():
    """Without a month ready for it no trace is written, and with it no page of a dossier."""
    assert "habilitations.tasks.prepare_journal" in SCHEDULED
