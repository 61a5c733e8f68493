"""Months of the journal: ready ahead of time, removed once closed. Its tables are in migrations 0002 and 0006."""

import datetime as dt

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from coordination.common.ids import uuid7
from habilitations import roots
from habilitations.access import may_administer
from habilitations.errors import JournalIsWrong, MonthIsKept, MonthNotInJournal, NotAllowed
from habilitations.models import JournalRoot
from habilitations.verification import verify

MONTHS_AHEAD = 24


@transaction.atomic
def prepare_months(months: int = MONTHS_AHEAD) -> int:
    """Make the missing monthly partitions, last month to `months` ahead; return how many were made.

    Gives up after two seconds behind another transaction rather than make the journal's writers wait:
    two years are ready, tomorrow will do.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")
        cursor.execute("SELECT habilitations_ensure_partitions(%s)", [months])
        return cursor.fetchone()[0]


def last_closed_month(today: dt.date | None = None) -> dt.date:
    """Return the last month that JOURNAL_RETENTION_MONTHS allows to remove: so many whole months stay behind today."""
    today = today or timezone.now().astimezone(dt.UTC).date()
    count = today.year * 12 + today.month - 1 - settings.JOURNAL_RETENTION_MONTHS - 1
    return dt.date(count // 12, count % 12 + 1, 1)


@transaction.atomic
def purge_month(month: dt.date, *, by) -> JournalRoot:
    """Remove a closed month from the journal and return the signed root that keeps both ends of what was removed.

    `by`: a named administrator. The database refuses by itself a month less than six months old, or one that its
    root does not hold entirely, and writes the trace of the act (SEC-14). The journal is verified first: removing
    lines that are false would remove the proof. The traces of accounts of that month go with it.
    Raises NotAllowed, MonthIsKept, MonthNotInJournal, JournalIsWrong.
    """
    if by is None or not may_administer(by):
        raise NotAllowed("Seul un administrateur nommé peut faire cela.")
    month = month.replace(day=1)
    if month > last_closed_month():
        raise MonthIsKept(months=settings.JOURNAL_RETENTION_MONTHS)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '5s'")
        cursor.execute("SELECT to_regclass(%s)", [f"habilitations_trace_{month:%Y_%m}"])
        if cursor.fetchone()[0] is None:
            raise MonthNotInJournal(month=f"{month:%m/%Y}")
        if found := verify().faults:
            raise JournalIsWrong(found=found[0])
        root = roots.sign_month(month)
        cursor.execute(
            "SELECT habilitations_drop_month(%s, %s, %s, %s, %s)",
            [month, root.number, uuid7(), by.pk, by.get_full_name()],
        )
    return root
