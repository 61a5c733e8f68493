"""The role that the application is for PostgreSQL: a plain one, or its rules and grants hold nobody."""

from typing import Any

from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

TAG = "role"
SENTENCE = (
    "Le rôle de DATABASE_URL est superutilisateur de PostgreSQL, ou a BYPASSRLS : il traverse le second mur, et peut "
    "défaire le journal. Lui préférer un rôle ordinaire, propriétaire de la base."
)


def sees_through() -> bool:
    """Say whether this role walks through row-level security. Raises DatabaseError when nobody answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return bool(cursor.fetchone()[0])


def check_role(app_configs: Any, **_: Any) -> list[checks.CheckMessage]:
    """Refuse at `check --deploy` a role that no rule holds. A database that does not answer is said elsewhere."""
    try:
        return [checks.Error(SENTENCE, id="common.E100")] if sees_through() else []
    except (DatabaseError, ImproperlyConfigured):
        return []
