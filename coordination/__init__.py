"""The house. Importing it loads the Celery application, so that `@shared_task` finds it."""

from coordination.celery import app as celery_app

__all__ = ["celery_app"]
