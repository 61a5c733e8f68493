"""Publish the matrix shipped with the product: the first version of an installation comes by command."""

from django.core.management.base import CommandError

from coordination.common import commands
from habilitations import defaults, published
from habilitations.actions import publish_matrix
from habilitations.errors import MatrixNotSound


class Command(commands.Command):
    help = "Publie la matrice d'habilitation fournie avec le produit, si aucune n'est publiée."

    def add_arguments(self, parser):
        parser.add_argument(
            "--defaut",
            action="store_true",
            help="revenir à la matrice fournie, en nouvelle version, même si une autre est publiée",
        )

    def handle(self, *args, defaut, **options):
        current = published.current()
        if current.number and not defaut:
            self.stdout.write(f"Version {current.number} en vigueur : rien à publier.")
            return
        shipped = defaults.load()
        if (current.levels, current.actions, current.profiles) == (
            shipped.levels,
            shipped.action_rights,
            shipped.profile_rules,
        ):
            self.stdout.write(f"La version {current.number} est déjà la matrice fournie.")
            return
        try:
            version = publish_matrix(
                shipped.levels, shipped.action_rights, shipped.profile_rules, by=None, reason="Matrice fournie"
            )
        except MatrixNotSound as refusal:
            # It leads to a profile that was closed in the browser.
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Matrice fournie publiée : version {version.number}.")
