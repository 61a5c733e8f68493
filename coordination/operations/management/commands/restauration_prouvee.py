"""`manage.py restauration_prouvee --par …`: a backup was just restored and found whole (`manage.py slo`)."""

from django.core.management.base import CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.operations.proofs import note_restore


class Command(commands.Command):
    help = "Note qu’une sauvegarde vient d’être restaurée et vérifiée (docs/operations.md)."

    def add_arguments(self, parser):
        parser.add_argument("--par", required=True, help="adresse de l’administrateur qui l’a vu")

    def handle(self, *, par, **options):
        try:
            note_restore(by=account(par, "--par"))
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write("Restauration prouvée : notée au journal.")
