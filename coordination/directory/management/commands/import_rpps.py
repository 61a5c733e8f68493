"""manage.py import_rpps FILE...: activities and savoir-faire of the Annuaire Santé."""

from coordination.directory.imports.command import ImportCommand
from coordination.directory.imports.rpps import import_rpps


class Command(ImportCommand):
    help = "Charge les extractions Personne_activite et SavoirFaire (texte, .gz ou le .zip de l'ANS)."
    several = True

    def load(self, paths, options):
        return import_rpps(paths, options)
