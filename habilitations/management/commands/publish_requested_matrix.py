"""The way out of a service with a single administrator: nobody else can publish what he asked for.

Asked in the application, published here once MATRIX_ALONE_HOURS have passed. The version says so: its draft is marked
« sans second administrateur », and the trace names whose request it was.
"""

from django.core.management.base import CommandError

from coordination.common import commands
from coordination.common.errors import DomainError
from habilitations.actions import publish_alone
from habilitations.actions.drafts import open_draft
from habilitations.errors import NothingRequested


class Command(commands.Command):
    help = "Publie la version de la matrice demandée par l'administrateur unique, une fois le délai passé."

    def handle(self, *args, **options):
        draft = open_draft()
        try:
            if draft is None:
                raise NothingRequested
            version = publish_alone(draft, revision=draft.revision)
        except DomainError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"Matrice publiée : version {version.number}, révision {draft.revision} du brouillon, "
            "sans second administrateur."
        )
