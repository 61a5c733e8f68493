"""The database of the tests: the migrations make it once, and each process of tests has a copy of it.

Making it takes twenty seconds of a core and more, copying it less than one. What is copied carries in its name what it
was made from: a migration that changes makes another.
"""

import hashlib
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

PREFIX = "template_of_tests_"
# One at a time makes what is copied; the others wait for it, however slow the machine.
LOCK = 0x7E57DB


def copy(name: str, *, anew: bool) -> None:
    """Give the database `name` what the migrations make; one that is there stays, unless it is wanted anew."""
    with _administering() as cursor:
        if not anew and _exists(cursor, name):
            return
        template = _template(cursor)
        _drop(cursor, name)
        # Its files are copied as they are: written through the log, they would be copied page by page.
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')


@contextmanager
def _administering():
    """Give a cursor on a database that no test uses, while no other process of tests makes or copies anything."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield cursor


def _template(cursor) -> str:
    """Return the name of what is copied, made now if there is none of these migrations."""
    name = f"{PREFIX}{_made_from()}"
    if _exists(cursor, name):
        return name
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [PREFIX])
    for (other,) in cursor.fetchall():
        _drop(cursor, other)
    draft = f"{name}_draft"
    cursor.execute(f'CREATE DATABASE "{draft}"')
    _migrate(draft)
    # Nobody connects to it any more, the cleaner of PostgreSQL neither: what is in use is not copied.
    cursor.execute(f'ALTER DATABASE "{draft}" WITH ALLOW_CONNECTIONS false')
    # Named once complete: a kill in between leaves nothing half made under this name.
    cursor.execute(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
    return name


def _migrate(name: str) -> None:
    kept = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0, interactive=False, run_syncdb=True)
        call_command("createcachetable")
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept


def _drop(cursor, name: str) -> None:
    """Not WITH (FORCE): that is refused while the cleaner of PostgreSQL is there, which a plain one sends away."""
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    cursor.execute(ended, [name])
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}"')


def _exists(cursor, name: str) -> bool:
    cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
    return cursor.fetchone() is not None


def _made_from() -> str:
    """Return what tells two sets of migrations apart, and two months: migrating prepares those of the journal."""
    said = hashlib.sha256(f"{metadata.version('Django')} {timezone.localdate():%Y-%m}".encode())
    for app in apps.get_app_configs():
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            said.update(path.name.encode() + path.read_bytes())
    return said.hexdigest()[:16]
