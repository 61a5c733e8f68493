"""`manage.py administrateur_structure nommer|terminer`: who looks after the accounts of a structure."""

from django.core.management.base import CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.directory.management.commands._asked import structure
from habilitations import actions
from habilitations.models import StructureAdministrator


class Command(commands.Command):
    help = "Nomme la personne qui gère les comptes d'une structure et confirme leurs professions, ou y met fin."

    def add_arguments(self, parser):
        parser.add_argument(
            "acte", choices=["nommer", "terminer"], help="nommer cette personne, ou mettre fin à sa charge"
        )
        parser.add_argument("--structure", required=True, help="numéro FINESS ou SIRET")
        parser.add_argument("--email", required=True, help="adresse du compte de la personne")
        parser.add_argument("--par", required=True, help="adresse de l'administrateur qui agit")

    def handle(self, *, acte, **options):
        place, user = structure(options["structure"]), account(options["email"], "--email")
        by = account(options["par"], "--par")
        try:
            self.stdout.write(getattr(self, f"_{acte}")(place, user, by))
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _nommer(self, place, user, by):
        actions.name_administrator(place, user, by=by)
        return f"Cette personne gère les comptes de {place.name}. Elle n'en reçoit aucun droit sur les dossiers."

    def _terminer(self, place, user, by):
        named = StructureAdministrator.objects.current().filter(structure=place, user=user).first()
        if named is None:
            raise CommandError("Cette personne n'administre pas les comptes de cette structure.")
        actions.end_administrator(named, by=by)
        return f"Cette personne ne gère plus les comptes de {place.name}. Ce qu'elle a confirmé reste confirmé."
