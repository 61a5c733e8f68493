"""Months of the journal: ready ahead of time, removed once closed. Its tables are in migrations 0002 and 0006."""

import datetime as dt
import time
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone
from psycopg.errors import LockNotAvailable

from coordination.common.ids import uuid7
from habilitations import archive, roots, second_wall
from habilitations.access import require_administrator
from habilitations.errors import (
    JournalIsBusy,
    JournalIsWrong,
    MonthIsArchived,
    MonthIsKept,
    MonthNotInJournal,
)
from habilitations.models import JournalRoot
from habilitations.verification import verify

MONTHS_AHEAD = 24


# Who waits for a lock of the whole journal holds back all those that come after him: so long, and so many times.
PATIENCE, TRIES, BETWEEN = "40ms", 25, 0.2


def prepare_months(months: int = MONTHS_AHEAD) -> int:
    """Make the missing monthly partitions, last month to `months` ahead; return how many were made.

    Never makes the journal's writers wait: behind another transaction it lets them pass and tries again, then gives
    up (OperationalError): two years are ready, tomorrow will do.
    """
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [PATIENCE])
                cursor.execute("SELECT habilitations_ensure_partitions(%s)", [months])
                made = cursor.fetchone()[0]
                # Nobody but this transaction knows the new months: the wall before them makes nobody wait.
                if made:
                    second_wall.keep_up()
                return made
        except OperationalError as error:
            if not left or not _is_locked(error):
                raise
        time.sleep(BETWEEN)
    raise AssertionError("unreachable")


def _is_locked(error: DatabaseError) -> bool:
    return isinstance(error.__cause__, LockNotAvailable)


def last_closed_month(today: dt.date | None = None) -> dt.date:
    """Return the last month that JOURNAL_RETENTION_MONTHS allows to remove: so many whole months stay behind today."""
    today = today or timezone.now().astimezone(dt.UTC).date()
    count = today.year * 12 + today.month - 1 - settings.JOURNAL_RETENTION_MONTHS - 1
    return dt.date(count // 12, count % 12 + 1, 1)


def purge_month(month: dt.date, *, by, archived: Path | None = None) -> JournalRoot:
    """Remove a closed month from the journal and return the signed root that keeps both ends of what was removed.

    `by`: a named administrator. The database refuses by itself a month less than six months old, or one that its
    root does not hold entirely, and writes the trace of the act (SEC-14). The journal is verified first: removing
    lines that are false would remove the proof; at one instant, and so outside of the transaction that removes, or a
    line written meanwhile would be one too many. The traces of accounts of that month go with it. `archived`: a new
    file where the month is written with its root and read again before it leaves (habilitations/archive.py).
    Raises NotAllowed, MonthIsKept, MonthNotInJournal, JournalIsWrong, JournalIsBusy, MonthIsArchived, OSError.
    """
    require_administrator(by)
    month = month.replace(day=1)
    if month > last_closed_month():
        raise MonthIsKept(months=settings.JOURNAL_RETENTION_MONTHS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"habilitations_trace_{month:%Y_%m}"])
        if cursor.fetchone()[0] is None:
            raise MonthNotInJournal(month=f"{month:%m/%Y}")
    if found := verify().faults:
        raise JournalIsWrong(found=found[0])
    return _remove(month, by, archived)


@transaction.atomic
def _remove(month: dt.date, by, archived: Path | None) -> JournalRoot:
    """Sign what leaves, write it in its file if it has one, remove it."""
    root = roots.sign_month(month)
    with connection.cursor() as cursor:
        if archived:
            _put_away(archived, root)
        try:
            cursor.execute(
                "SELECT habilitations_drop_month(%s, %s, %s, %s, %s)",
                [month, root.number, uuid7(), by.pk, by.get_full_name()],
            )
        except BaseException as error:
            if archived:
                archived.unlink(missing_ok=True)  # its root goes with this transaction
            if isinstance(error, DatabaseError) and _is_locked(error):
                raise JournalIsBusy from error
            raise
    return root


def _put_away(path: Path, root: JournalRoot) -> None:
    """Write the month of a root in a file, then read it: what leaves the base is there, and holds."""
    try:
        archive.write(path, root)
    except FileExistsError:
        raise MonthIsArchived from None
    try:
        if fault := archive.read(path).fault:
            raise JournalIsWrong(found=fault)
    except BaseException:
        # Whatever stopped the reading: the month stays in the base, and its name is free for the next time.
        path.unlink(missing_ok=True)
        raise
