from django.apps import AppConfig


class HabilitationsConfig(AppConfig):
    name = "habilitations"
    label = "habilitations"
    verbose_name = "Habilitations"
