"""`manage.py sign_journal`: sign a root of the journal now, and print it so that it can be kept elsewhere."""

from coordination.common import commands
from coordination.common.french import plural
from habilitations.roots import sign_root


class Command(commands.Command):
    help = "Signe une racine du journal des accès (Celery le fait chaque heure) et l'affiche."

    def handle(self, *args, **options):
        root = sign_root()
        self.stdout.write(f"Racine {root.number}:{root.signature.hex()}")
        self.stdout.write(f"{plural(root.lines, 'chaîne avancée', 'chaînes avancées')} depuis la précédente.")
