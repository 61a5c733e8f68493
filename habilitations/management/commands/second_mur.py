"""`manage.py second_mur [monter|baisser]`: row-level security before dossiers (habilitations/second_wall.py)."""

import time

from django.conf import settings
from django.core.management.base import CommandError
from django.db import OperationalError
from psycopg.errors import LockNotAvailable

from coordination.common import commands
from coordination.common.database import role
from coordination.common.french import plural
from habilitations import second_wall

# As `manage.py migrate`: what is done stays so, and the next try begins at the table that somebody kept.
TRIES, PAUSE = 30, 5.0


class Command(commands.Command):
    help = (
        "Le second mur : la base ne montre les dossiers qu'à une session qui dit pour qui elle lit. À monter une fois "
        "que tous les programmes sont de cette version ; à baisser avant de revenir à une version qui ne le dit pas."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "geste", nargs="?", choices=["monter", "baisser"], help="sans rien : combien de tables il garde"
        )

    def handle(self, *args, geste, **options):
        gestures = {"monter": second_wall.raise_wall, "baisser": second_wall.lower_wall}
        try:
            others = self._patiently(gestures[geste]) if geste else []
        except second_wall.BehindAPooler:
            raise CommandError(
                "Derrière un répartiteur de transactions, une session dirait pour qui lit une autre : le second mur "
                "n'est pas monté."
            ) from None
        found = second_wall.tables()
        standing = sum(table.stands for table in found)
        self.stdout.write(f"Second mur devant {plural(standing, 'table')} sur {len(found)}.")
        if role.sees_through():
            if settings.REFUSES_UNSAFE_START:
                raise CommandError(role.SENTENCE)
            self.stderr.write(role.SENTENCE)
        if others:
            raise CommandError(
                f"{plural(len(others), 'table')} d'un autre rôle ({others[0]}…) : l'administrateur de PostgreSQL "
                "passe deploy/journal-role.sql, qui fait de même devant elles."
            )

    def _patiently(self, gesture):
        for attempt in range(1, TRIES + 1):
            try:
                return gesture()
            except OperationalError as error:
                if not isinstance(error.__cause__, LockNotAvailable):
                    raise
                told = f"Une table est prise depuis {second_wall.LOCK_WAIT} : la place est laissée à qui travaille."
                if attempt == TRIES:
                    raise CommandError(
                        f"{told} {TRIES} essais : voir qui la tient dans pg_stat_activity, puis recommencer. Ce qui "
                        "est fait reste fait."
                    ) from None
                self.stderr.write(f"{told} Nouvel essai dans {PAUSE:.0f} s ({attempt}/{TRIES}).")
                time.sleep(PAUSE)
        raise AssertionError("unreachable")
