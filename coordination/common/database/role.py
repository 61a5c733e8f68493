"""What PostgreSQL is to the application: its role is a plain one, or rules and grants hold nobody; and the log of the
server does not quote the people that rows name."""

from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

TAG = "role"
SENTENCE = (
    "Le rôle de DATABASE_URL est superutilisateur de PostgreSQL, ou a BYPASSRLS : il traverse le second mur, et peut "
    "défaire le journal. Lui préférer un rôle ordinaire, propriétaire de la base."
)
QUOTED = (
    "PostgreSQL cite dans son propre journal les lignes qu’il refuse et leurs instructions, noms et numéros compris. "
    "Son administrateur passe deploy/journal-role.sql, ou règle log_error_verbosity = terse et "
    "log_min_error_statement = panic."
)


def sees_through() -> bool:
    """Say whether this role walks through row-level security. Raises DatabaseError when nobody answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def is_quoted() -> bool:
    """Say whether an error of this server writes rows or statements in its log. Raises DatabaseError as above."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('log_error_verbosity') <> 'terse'"
            " OR current_setting('log_min_error_statement') NOT IN ('log', 'fatal', 'panic')"
        )
        return bool(cursor.fetchone()[0])


def check_role(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:
    """Refuse at `check --deploy` a role that no rule holds, and warn of a log that names people.

    A database that does not answer is said by `common.reached`.
    """
    try:
        said: list[checks.CheckMessage] = [checks.Error(SENTENCE, id="common.E100")] if sees_through() else []
        return [*said, checks.Warning(QUOTED, id="common.W101")] if is_quoted() else said
    except (DatabaseError, ImproperlyConfigured):
        return []
