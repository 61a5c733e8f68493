"""`manage.py rechiffrer`: write the encrypted columns again under SECRET_KEY, before a former key is forgotten."""

from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.french import number_fr, plural
from coordination.operations.rekeying import rekey_all


class Command(commands.Command):
    help = (
        "Réécrit avec la clé actuelle ce qui est chiffré par une autre ; SECRET_KEY_FALLBACKS peut être vidé quand un "
        "second passage, une minute après, ne trouve plus rien à réécrire."
    )

    def handle(self, **options):
        unreadable = 0
        for one in rekey_all():
            unreadable += one.unreadable
            lost = f", {plural(one.unreadable, 'illisible', 'illisibles')}" if one.unreadable else ""
            self.stdout.write(f"{number_fr(one.number):>12}  {one.label}{lost}")
        if unreadable:
            raise CommandError(
                "Certaines lignes ne s’ouvrent avec aucune clé connue : il manque une clé dans SECRET_KEY_FALLBACKS."
            )
