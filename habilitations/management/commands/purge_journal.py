"""`manage.py purge_journal AAAA-MM --par …`: remove a closed month of the journal, keeping its anchor."""

import datetime as dt

from django.core.management.base import BaseCommand, CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common.errors import DomainError
from coordination.common.french import plural
from habilitations.journal import purge_month


class Command(BaseCommand):
    help = "Retire du journal un mois clos dont la durée de conservation est écoulée ; la vérification reste possible."

    def add_arguments(self, parser):
        parser.add_argument("mois", metavar="AAAA-MM")
        parser.add_argument("--par", required=True, help="Adresse de l'administrateur qui purge.")

    def handle(self, *args, mois, par, **options):
        try:
            month = dt.datetime.strptime(mois, "%Y-%m").date()
        except ValueError as error:
            raise CommandError("Le mois s'écrit AAAA-MM.") from error
        try:
            root = purge_month(month, by=account(par, "--par"))
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"Mois {month:%m/%Y} retiré du journal : {plural(root.lines, 'suite')} de lignes ancrées.")
        self.stdout.write(f"Racine {root.number}:{root.signature.hex()}")
