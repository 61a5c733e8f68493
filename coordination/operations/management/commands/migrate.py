"""`manage.py migrate`: Django's own, which waits half a second for a lock at most, gives way and comes back (REL-14).

A change of a table asks for a lock that waits behind every transaction that reads it, and everybody who comes after
waits behind the change: a statement that waits for a minute stops the product for a minute. Here it gives up after
`LOCK_WAIT`, those behind it go on, and it comes back later. What was migrated stays so: each migration is whole or
not at all, and the next try begins at the one that gave way.

Half of the second after which PostgreSQL looks for a deadlock, of which it ends the one who was waiting: a change that
holds a table and waits for another must have left before a reader of both is ended in its place. It may still be the
one who is ended, and comes back likewise.

Not for a migration that is not atomic: it builds its indexes aside and waits for nobody who works, and one that is
stopped leaves half an index behind.
"""

import time
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import OperationalError, connections
from django.db.migrations import Migration

LOCK_WAIT = "500 ms"
TRIES, PAUSE = 60, 3.0
_LOCK_NOT_AVAILABLE, _DEADLOCK = "55P03", "40P01"


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        self._database = options["database"]
        for attempt in range(1, TRIES + 1):
            try:
                super().handle(*args, **options)
                return
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", None) not in (_LOCK_NOT_AVAILABLE, _DEADLOCK):
                    raise
                told = f"Un verrou n’a pas été obtenu en {LOCK_WAIT} : la place est laissée à qui travaille."
                if attempt == TRIES:
                    raise CommandError(f"{told} {TRIES} essais : voir qui le tient dans pg_stat_activity.") from None
                self.stderr.write(f"{told} Nouvel essai dans {PAUSE:.0f} s ({attempt}/{TRIES}).")
            finally:
                self._wait_for_locks(None)
            time.sleep(PAUSE)

    def migration_progress_callback(self, action: str, migration: Any = None, fake: bool = False) -> None:
        """Say what Django says, and bound the locks of the migration that begins."""
        if action in ("apply_start", "unapply_start") and isinstance(migration, Migration):
            self._wait_for_locks(LOCK_WAIT if migration.atomic else "0")
        super().migration_progress_callback(action, migration, fake)

    def _wait_for_locks(self, most: str | None) -> None:
        """Bound how long a statement waits for a lock; None: as the connection was opened."""
        with connections[self._database].cursor() as cursor:
            cursor.execute("RESET lock_timeout" if most is None else f"SET lock_timeout = '{most}'")
