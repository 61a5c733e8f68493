"""`manage.py personne_morale ouvrir|fermer|deleguer|retirer`: a structure that enters dossiers by its delegates."""

from django.core.management.base import CommandError

from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.directory.management.commands._asked import structure
from habilitations import actions
from habilitations.models import Delegate


class Command(commands.Command):
    help = "Ouvre ou ferme une structure comme personne morale, nomme ou retire ses délégués."

    def add_arguments(self, parser):
        parser.add_argument(
            "acte",
            choices=["ouvrir", "fermer", "deleguer", "retirer"],
            help="ouvrir ou fermer la structure ; y nommer ou en retirer un délégué (--email)",
        )
        parser.add_argument("--structure", required=True, help="numéro FINESS ou SIRET")
        parser.add_argument("--par", required=True, help="adresse de l'administrateur qui agit")
        parser.add_argument("--email", default="", help="deleguer, retirer : adresse du compte du délégué")

    def handle(self, *, acte, **options):
        place, by = structure(options["structure"]), account(options["par"], "--par")
        try:
            self.stdout.write(getattr(self, f"_{acte}")(place, by, options["email"]))
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _ouvrir(self, place, by, _email):
        actions.open_structure(place, by=by)
        return f"{place.name} entre par ses délégués dans les dossiers où elle est habilitée."

    def _fermer(self, place, by, _email):
        actions.close_structure(place, by=by)
        return f"{place.name} n'entre plus dans aucun dossier."

    def _deleguer(self, place, by, email):
        actions.add_delegate(place, account(email, "--email"), by=by)
        return f"Ce compte agit pour {place.name}, avec les droits de sa profession."

    def _retirer(self, place, by, email):
        delegate = Delegate.objects.filter(structure=place, user=account(email, "--email"), ended_at=None).first()
        if delegate is None:
            raise CommandError("Ce compte n'est pas délégué de cette structure.")
        actions.end_delegate(delegate, by=by)
        return f"Ce compte n'agit plus pour {place.name}."
