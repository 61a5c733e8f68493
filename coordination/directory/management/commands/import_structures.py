"""manage.py import_structures FILE."""

from coordination.directory.imports.command import ImportCommand
from coordination.directory.imports.structures_csv import import_structures


class Command(ImportCommand):
    help = "Charge un complément régional de structures (docs/import-structures.md)."

    def load(self, paths, options):
        return import_structures(paths[0], options)
