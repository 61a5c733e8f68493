from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "coordination.common"
    label = "common"
    verbose_name = "socle commun"

    def ready(self):
        from coordination.common import pages

        pages.register()
