"""`manage.py create_account`: the way in before anybody has an account, interactive or by options."""

from django.core.management.base import CommandError

from coordination.accounts import mails
from coordination.accounts.actions import create_account
from coordination.accounts.models import User
from coordination.common import commands
from coordination.common.errors import DomainError

QUESTIONS = {"email": "Adresse e-mail", "nom": "Nom", "prenom": "Prénom"}


class Command(commands.Command):
    help = "Ouvre un compte et envoie à son titulaire le lien pour choisir un mot de passe."

    def add_arguments(self, parser):
        parser.add_argument("--email", help="adresse e-mail, qui sert à se connecter ; ce qui manque est demandé")
        parser.add_argument("--nom", help="nom de famille")
        parser.add_argument("--prenom", help="prénom")
        parser.add_argument("--fonction", default="", help="affichée sous le nom")
        parser.add_argument("--administrateur", action="store_true", help="administre comptes, listes et matrice")
        parser.add_argument("--par", help="adresse de l'administrateur qui ouvre le compte")
        parser.add_argument(
            "--afficher-le-lien",
            action="store_true",
            help="l'écrire ici aussi ; qui le lit entre à la place du titulaire",
        )

    def handle(self, **options):
        answers = {name: options[name] or self._ask(words) for name, words in QUESTIONS.items()}
        by = options["par"] and User.objects.active().with_email(options["par"]).first()
        if options["par"] and by is None:
            raise CommandError("Aucun compte ouvert à l'adresse donnée par --par.")
        try:
            user = create_account(
                email=answers["email"],
                family_name=answers["nom"],
                given_name=answers["prenom"],
                title=options["fonction"],
                is_administrator=options["administrateur"],
                by=by,
            )
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write("Compte ouvert. Le lien pour choisir un mot de passe part par e-mail.")
        if options["afficher_le_lien"]:
            self.stdout.write(mails.password_link(user))

    def _ask(self, words):
        try:
            answer = input(f"{words} : ").strip()
        except EOFError:
            answer = ""
        if not answer:
            raise CommandError(f"{words} : réponse nécessaire.")
        return answer
