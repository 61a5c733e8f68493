"""Keeping months ready for the journal. Its tables, triggers and grants are in migration 0002_journal."""

from django.db import connection, transaction

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
