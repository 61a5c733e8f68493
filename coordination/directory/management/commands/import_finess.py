"""manage.py import_finess FILE."""

from coordination.directory.imports.command import ImportCommand
from coordination.directory.imports.finess import import_finess


class Command(ImportCommand):
    help = "Charge un fichier FINESS : CSV, CSV géolocalisé ou JSON FINESS+ compressé."

    def load(self, paths, options):
        return import_finess(paths[0], options)
