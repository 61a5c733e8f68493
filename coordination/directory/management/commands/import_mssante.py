"""manage.py import_mssante FILE."""

from coordination.directory.imports.command import ImportCommand
from coordination.directory.imports.mssante import import_mssante


class Command(ImportCommand):
    help = "Charge l'extraction de correspondance MSSanté."

    def load(self, paths, options):
        return import_mssante(paths[0], options)
