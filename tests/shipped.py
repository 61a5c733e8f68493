"""The shipped matrix, published for a test.

The first test of a process publishes it by the product's own action. What that wrote is written again for the others,
seven hundred rows in one statement: publishing anew takes forty milliseconds of processor, before thousands of tests.
The two are compared (tests/habilitations/test_actions.py); who tries publishing itself calls `publish_matrix`.
"""

from django.db import connection, transaction
from django.utils import timezone

from coordination.common.ids import uuid7
from habilitations import defaults, published
from habilitations.actions import publish_matrix
from habilitations.traces import record_account

REASON = "Tests"
TABLES = {
    "habilitations_matrixrow": ("profile", "rubrique", "niveau"),
    "habilitations_actionright": ("profile", "action", "scope"),
    "habilitations_profilerule": ("profession", "fonction", "profile"),
}
_VERSION = """version AS (
INSERT INTO habilitations_matrixversion (id, number, published_at, reason)
SELECT %s, coalesce(max(number), 0) + 1, %s, %s FROM habilitations_matrixversion RETURNING id)"""
# The columns of each table as PostgreSQL writes them, from the first publication of this process.
_columns: list[str] = []


def publish_default_matrix():
    """Publish the shipped matrix as the command line does; return it."""
    published.forget()
    if _columns:
        _write_again()
    else:
        shipped = defaults.load()
        version = publish_matrix(shipped.levels, shipped.action_rights, shipped.profile_rules, by=None, reason=REASON)
        _columns.extend(_read(version))
    return published.current()


def _read(version) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for table, columns in TABLES.items():
            lists = ", ".join(f"array_agg({column} ORDER BY id)::text" for column in columns)
            cursor.execute(f"SELECT {lists} FROM {table} WHERE version_id = %s", [version.pk])  # noqa: S608 - our names
            found += cursor.fetchone()
    return found


@transaction.atomic
def _write_again() -> None:
    version = uuid7()
    statements = [_VERSION]
    for table, columns in TABLES.items():
        lists = ", ".join("%s::smallint[]" if column == "niveau" else "%s::text[]" for column in columns)
        names = ", ".join(columns)
        statements.append(
            f"{table} AS (INSERT INTO {table} (version_id, {names})"  # noqa: S608 - our names
            f" SELECT version.id, line.* FROM version, unnest({lists}) line)"
        )
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(statements)} SELECT 1", [version, timezone.now(), REASON, *_columns])
    record_account(user=None, action="publication", object_kind="matrice", object_id=version)
