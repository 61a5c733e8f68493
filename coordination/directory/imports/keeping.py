"""How long what a load of the directory leaves behind is kept. Its staging tables go with its transaction."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from coordination.directory.models import ImportRefusal, ImportRun


def purge_refusals() -> int:
    """Delete the lines refused by the loads of long ago (RETENTION_DAYS); return how many."""
    return ImportRefusal.objects.filter(run__started_at__lt=_long_ago("import_refusals")).delete()[0]


def purge_runs() -> int:
    """Delete the reports of the loads of long ago (RETENTION_DAYS); return how many.

    The last good one of each kind stays: the next load compares itself with it.
    """
    done = ImportRun.objects.filter(state=ImportRun.State.DONE).order_by("kind", "-started_at").distinct("kind")
    old = ImportRun.objects.filter(started_at__lt=_long_ago("imports"))
    return old.exclude(pk__in=list(done.values_list("pk", flat=True))).delete()[0]


def _long_ago(kind: str) -> datetime:
    return timezone.now() - timedelta(days=settings.RETENTION_DAYS[kind])
