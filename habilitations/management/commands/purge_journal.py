"""`manage.py purge_journal AAAA-MM --par …`: remove a closed month of the journal, keeping its anchor."""

import datetime as dt
from pathlib import Path

from django.core.management.base import CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.common.french import plural
from coordination.common.terminal import in_french
from habilitations.journal import purge_month


class Command(commands.Command):
    help = "Retire du journal un mois clos dont la durée de conservation est écoulée ; la vérification reste possible."

    def add_arguments(self, parser):
        parser.add_argument("mois", metavar="AAAA-MM", help="le mois à retirer")
        parser.add_argument("--par", required=True, help="Adresse de l'administrateur qui purge.")
        parser.add_argument(
            "--archive",
            metavar="FICHIER",
            type=Path,
            help="Y écrire d'abord le mois avec sa racine ; « verify_journal --archive » le vérifie. À chiffrer.",
        )

    def handle(self, *args, mois, par, archive=None, **options):
        try:
            month = dt.datetime.strptime(mois, "%Y-%m").date()
        except ValueError as error:
            raise CommandError("Le mois s'écrit AAAA-MM.") from error
        try:
            root = purge_month(month, by=account(par, "--par"), archived=archive)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        except OSError as error:
            raise CommandError(f"L'archive ne s'écrit pas, rien n'est retiré ({in_french(error)}).") from error
        self.stdout.write(f"Mois {month:%m/%Y} retiré du journal : {plural(root.lines, 'suite')} de lignes ancrées.")
        if archive:
            self.stdout.write(f"Archive : {archive}")
        self.stdout.write(f"Racine {root.number}:{root.signature.hex()}")
