from django.apps import AppConfig


class DirectoryConfig(AppConfig):
    name = "coordination.directory"
    label = "directory"
    verbose_name = "Annuaire"

    def ready(self):
        from coordination.common.context import register_link

        register_link("nav", "annuaire", "Annuaire", "directory:professionals", order=40)
