"""What the scheduler starts exists, and nothing that must run every day is forgotten."""

from django.conf import settings

from coordination.celery import app


def test_every_scheduled_task_is_known_to_the_workers():
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)
    # Without it the journal stops at the end of the months made at installation, and with it every page of a dossier.
    assert "habilitations.tasks.prepare_journal" in scheduled
