"""manage.py load_demo: invented directory, accounts, dossiers and circles, once."""

from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.demo import loader
from coordination.demo.people import accounts_text
from coordination.settings import environment as env


class Command(commands.Command):
    help = "Charge des personnes inventées, une seule fois ; --accounts affiche les comptes."

    def add_arguments(self, parser):
        parser.add_argument("--accounts", action="store_true", help="afficher seulement les comptes")
        # By the environment too: `make run` passes no option.
        professionals = env.number("DEMO_PROFESSIONALS", loader.PROFESSIONALS)
        parser.add_argument(
            "--professionals",
            metavar="N",
            type=commands.whole_above_zero,
            default=professionals,
            help="combien de professionnels dans l'annuaire",
        )
        parser.add_argument(
            "--dossiers",
            metavar="N",
            type=commands.whole_above_zero,
            default=env.number("DEMO_DOSSIERS", loader.DOSSIERS),
            help="combien de dossiers",
        )

    def handle(self, *, accounts, professionals, dossiers, **options):
        if accounts:
            self.stdout.write(accounts_text())
            return
        try:
            done = loader.load(say=self.stdout.write, professionals=professionals, dossiers_wanted=dossiers)
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write("Démonstration chargée." if done else "La démonstration est déjà chargée.")
