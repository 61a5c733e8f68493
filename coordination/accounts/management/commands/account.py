"""`manage.py account suspendre|fermer|rouvrir|adresse|lien`: what an administrator does to an account, by name."""

from django.core.management.base import CommandError

from coordination.accounts import actions
from coordination.accounts.management.commands._asked import account
from coordination.common import commands
from coordination.common.errors import DomainError

ACTS = {
    "suspendre": (actions.suspend_account, "Compte suspendu, sessions terminées."),
    "fermer": (actions.close_account, "Compte fermé, sessions terminées."),
    "rouvrir": (actions.reopen_account, "Compte rouvert."),
}


class Command(commands.Command):
    help = "Suspend, ferme ou rouvre un compte, change son adresse, ou renvoie le lien du premier mot de passe."

    def add_arguments(self, parser):
        parser.add_argument("acte", choices=[*ACTS, "adresse", "lien"], help="ce qu'il faut faire du compte")
        parser.add_argument("--email", required=True, help="adresse du compte")
        parser.add_argument("--par", required=True, help="adresse de l'administrateur qui agit")
        parser.add_argument("--motif", default="", help="pourquoi ; gardé dans l'histoire du compte")
        parser.add_argument("--nouvelle-adresse", help="pour l'acte « adresse »")

    def handle(self, *, acte, **options):
        user, by = account(options["email"], "--email"), account(options["par"], "--par")
        try:
            self.stdout.write(self._act(acte, user, by, options))
        except DomainError as error:
            raise CommandError(str(error)) from None

    def _act(self, acte, user, by, options):
        if acte == "lien":
            actions.send_password_link(user, by=by)
            return "Lien envoyé."
        if acte == "adresse":
            actions.change_email(user, options["nouvelle_adresse"] or "", by=by, reason=options["motif"])
            return "Adresse changée : elle sera vérifiée à la prochaine connexion."
        function, sentence = ACTS[acte]
        function(user, by=by, reason=options["motif"])
        return sentence
