"""Say what the matrix answered behind a line of the journal, on the version of its day, and what it answers now."""

import uuid

from django.core.management.base import CommandError

from coordination.common import commands
from habilitations import catalog, published
from habilitations.models import Trace
from habilitations.replay import replay_trace
from habilitations.wording import profile_name


class Command(commands.Command):
    help = "Rejoue la décision d'une trace du journal sur la version de la matrice de son jour."

    def add_arguments(self, parser):
        parser.add_argument("trace", type=uuid.UUID, help="identifiant de la trace")

    def handle(self, *args, trace, **options):
        found = Trace.objects.filter(pk=trace).exclude(rubrique="").first()
        if found is None:
            raise CommandError("Aucune trace d'une rubrique à cet identifiant.")
        said = replay_trace(found)
        then = said.then.label if said.then is not None else "cette version n'est pas ici"
        rubrique = catalog.last().rubric_label(said.rubrique)
        self.stdout.write(f"Version {said.version}, profil {profile_name(said.profile)}, {rubrique} : {then}.")
        self.stdout.write(f"Version en vigueur ({published.current().number}) : {said.now.label}.")
