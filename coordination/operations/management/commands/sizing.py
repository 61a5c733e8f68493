"""`manage.py sizing`: what so many dossiers take, from what this database weighs (SCALE-1, docs/scale.md)."""

from django.conf import settings
from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.errors import DomainError
from coordination.operations import measuring, sizing
from coordination.operations.sizing_page import page, put_in

PAGE = "docs/scale.md"


class Command(commands.Command):
    help = (
        "Calcule lignes, octets, écritures et processeurs pour une région puis pour le pays, d’après le poids des "
        "lignes de cette base et le coût mesuré des actes (coordination/operations/data/sizing.toml)."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--mesures-gardees", action="store_true", help="d’après les mesures du dépôt, sans interroger cette base"
        )
        parser.add_argument(
            "--ecrire",
            action="store_true",
            help=f"garder les mesures dans le dépôt et écrire {PAGE}, avant une version",
        )

    def handle(self, *, mesures_gardees, ecrire, **options):
        try:
            measures = measuring.read() if mesures_gardees else measuring.measure()
        except DomainError as refusal:
            raise CommandError(refusal.message) from refusal
        said = page(sizing.read(), measures)
        if not ecrire:
            self.stdout.write(said)
            return
        if not mesures_gardees:
            measuring.write(measures)
        put_in(settings.ROOT / PAGE, said)
        self.stdout.write(f"{PAGE} est écrit.")
