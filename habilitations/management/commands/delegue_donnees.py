"""`manage.py delegue_donnees nommer|terminer`: who may search the journals of all dossiers, without opening any."""

from django.core.management.base import CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from habilitations import actions
from habilitations.models import DataProtectionOfficer


class Command(commands.Command):
    help = "Nomme le délégué à la protection des données, qui cherche dans les journaux des accès, ou y met fin."

    def add_arguments(self, parser):
        parser.add_argument(
            "acte", choices=["nommer", "terminer"], help="nommer cette personne, ou mettre fin à sa charge"
        )
        parser.add_argument("--email", required=True, help="adresse du compte de la personne")
        parser.add_argument("--par", required=True, help="adresse de l'administrateur qui agit")

    def handle(self, *, acte, **options):
        user, by = account(options["email"], "--email"), account(options["par"], "--par")
        try:
            self.stdout.write(getattr(self, f"_{acte}")(user, by))
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _nommer(self, user, by):
        actions.name_officer(user, by=by)
        return "Cette personne cherche dans les journaux des accès. Elle n'ouvre aucun dossier."

    def _terminer(self, user, by):
        named = DataProtectionOfficer.objects.current().filter(user=user).first()
        if named is None:
            raise CommandError("Cette personne n'est pas déléguée à la protection des données.")
        actions.end_officer(named, by=by)
        return "Cette personne ne cherche plus dans les journaux."
