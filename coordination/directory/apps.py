from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "coordination.directory"
    label = "directory"
    verbose_name = "Annuaire"
